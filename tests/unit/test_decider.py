"""The laws of the one path of a command."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import codec, decider, errors
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.decider import Stream, derived_ids, transact
from libs.events.envelope import Append, Appended, Envelope
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from libs.events.store import Context, EventStore
from tests import appends

# A light that counts how often it was switched, told in events that exist.
State = tuple[str, ...]
LIGHT: Stream[State] = Stream("oversight", (), lambda state, event: (*state, event.reason))
KEY = uuid4()
ME = Context(actor="me")


@dataclass(frozen=True)
class Switch:
    to: str
    times: int = 1


class TooBright(errors.Refused):
    """It is bright enough."""


def decide(command: Switch, state: State) -> list[Any]:
    if command.to == "brighter":
        raise TooBright
    if state and state[-1] == command.to:
        return []
    return [said(command.to)] * command.times


def said(reason: str) -> PersonalDataErased:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return PersonalDataErased(data_subject="s", erased_at=at, author="a", reason=reason)


class Meddling(MemoryLog):
    """Somebody else appends just before each of the first `times` appends."""

    times = 0

    async def append(self, append: Append) -> Appended:
        if self.times:
            self.times -= 1
            current = len(await self.read_stream(append.log, append.stream))
            place = codec.Place("main", append.stream, uuid4())
            theirs = codec.encode(said(f"theirs {place.event_id}"), place, None)
            await super().append(appends.append(append.stream, current, theirs))
        return await super().append(append)


def store(log: MemoryLog) -> EventStore:
    return EventStore(log, KeyRing(log, KeyEncryptionKey(bytes(32))))


@pytest.fixture
def log() -> Meddling:
    return Meddling("main")


async def carry_out(log: MemoryLog, command: Switch, context: Context = ME, **more: Any) -> Any:
    return await transact(store(log), "main", LIGHT, KEY, decide, command, context, **more)


async def on_record(log: MemoryLog) -> list[Envelope]:
    return await log.read("main")


async def test_events_are_appended_and_folded(log: Meddling) -> None:
    done = await carry_out(log, Switch("on", times=2))
    assert (done.state, done.version, done.events) == (("on", "on"), 2, (said("on"), said("on")))
    assert [e.stream for e in await on_record(log)] == [f"oversight-{KEY}"] * 2
    assert done.appended is not None
    assert (done.replayed, done.appended.seq) == (None, 2)


async def test_nothing_to_do_appends_nothing(log: Meddling) -> None:
    first = await carry_out(log, Switch("on"))
    again = await carry_out(log, Switch("on"))
    assert (again.state, again.version, again.events, again.appended) == (first.state, 1, (), None)
    assert len(await on_record(log)) == 1


@given(words=st.lists(st.sampled_from(["on", "off", "dim"]), max_size=6))
def test_a_command_repeated_changes_nothing(words: list[str]) -> None:
    """And folding what is on record gives the state that the last command answered with."""

    async def run() -> None:
        log = MemoryLog("main")
        last: Any = None
        for word in words:
            last = await carry_out(log, Switch(word))
            again = await carry_out(log, Switch(word))
            assert (again.state, again.version, again.events) == (last.state, last.version, ())
        assert len(await on_record(log)) == (last.version if last else 0)

    asyncio.run(run())


async def test_a_refusal_leaves_nothing_behind(log: Meddling) -> None:
    with pytest.raises(TooBright):
        await carry_out(log, Switch("brighter"))
    assert await on_record(log) == []


async def test_a_conflict_is_decided_again_on_what_is_there_now(log: Meddling) -> None:
    await carry_out(log, Switch("off"))
    log.times = decider.ATTEMPTS_MAX - 1
    done = await carry_out(log, Switch("on"))
    assert (done.version, done.state[-1], len(done.state)) == (4, "on", 4)


async def test_conflicts_without_end_are_given_up(log: Meddling) -> None:
    log.times = decider.ATTEMPTS_MAX
    with pytest.raises(errors.VersionConflict):
        await carry_out(log, Switch("on"))
    assert log.times == 0
    assert "on" not in [e.body.decode() for e in await on_record(log)]


async def test_a_stale_caller_is_told_so(log: Meddling) -> None:
    await carry_out(log, Switch("on"))
    with pytest.raises(errors.StaleVersion) as raised:
        await carry_out(log, Switch("off"), if_match=0)
    assert raised.value.facts["current_version"] == 1
    assert (await carry_out(log, Switch("off"), if_match=1)).version == 2


async def test_a_stale_caller_is_not_decided_again_after_a_conflict(log: Meddling) -> None:
    await carry_out(log, Switch("off"))
    log.times = 1
    with pytest.raises(errors.StaleVersion):
        await carry_out(log, Switch("on"), if_match=1)


async def test_a_repeat_with_a_claim_is_answered_with_the_first(log: Meddling) -> None:
    claim = appends.claim()
    once = replace(ME, claims=(claim,))
    first = await carry_out(log, Switch("on"), once)
    other = replace(ME, claims=(replace(claim, fingerprint=bytes(32)),))
    for command, context in ((Switch("on"), once), (Switch("off"), once), (Switch("off"), other)):
        again = await carry_out(log, command, context)
        assert again.replayed.fingerprint == claim.fingerprint
        assert (again.replayed.version, again.replayed.seq) == (first.version, first.appended.seq)
        assert (again.events, again.appended) == ((), None)
    assert len(await on_record(log)) == 1


async def test_a_repeat_that_would_be_refused_by_now_is_answered_with_the_first(log: Meddling) -> None:
    claim = replace(ME, claims=(appends.claim(),))
    await carry_out(log, Switch("on"), claim)
    assert (await carry_out(log, Switch("brighter"), claim)).replayed is not None
    assert (await carry_out(log, Switch("off"), claim, if_match=0)).replayed is not None


async def test_a_claim_is_taken_even_where_there_is_nothing_to_do(log: Meddling) -> None:
    await carry_out(log, Switch("on"))
    claim = replace(ME, claims=(appends.claim(),))
    done = await carry_out(log, Switch("on"), claim)
    assert (done.events, done.replayed, len(await on_record(log))) == ((), None, 1)
    await carry_out(log, Switch("off"))
    assert (await carry_out(log, Switch("on"), claim)).replayed is not None


async def test_a_new_key_is_not_read_first(log: Meddling) -> None:
    assert (await carry_out(log, Switch("on"), new=True)).version == 1
    with pytest.raises(errors.VersionConflict):
        await carry_out(log, Switch("on"), new=True)


async def test_a_redelivered_cause_changes_nothing(log: Meddling) -> None:
    """Even where the decider forgets that it has acted: the ids are the same, so the log recognises them."""

    def forgetful(command: Switch, state: State) -> list[Any]:
        return [said(command.to)]

    cause, once = uuid4(), Switch("on")
    for _ in range(2):
        ids = derived_ids(cause, "light")
        done = await transact(store(log), "main", LIGHT, KEY, forgetful, once, ME, new=True, ids=ids)
        assert done.appended is not None
        assert done.appended.version == 1
    assert len(await on_record(log)) == 1


def test_derived_ids_are_the_same_each_time_and_differ_by_cause_and_step() -> None:
    def three(ids: Iterator[UUID]) -> list[UUID]:
        return list(itertools.islice(ids, 3))

    cause = uuid4()
    assert three(derived_ids(cause, "a")()) == three(derived_ids(cause, "a")())
    ids = [i for c in (cause, uuid4()) for step in ("a", "b") for i in three(derived_ids(c, step)())]
    assert len(set(ids)) == 12
    fresh = three(decider.fresh_ids())
    assert sorted(fresh) == fresh
    assert [i.version for i in fresh] == [7] * 3
