"""What was folded a moment ago saves reading, and never decides anything that is no longer so."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.events import errors, history
from libs.events.contracts.intake import ComplaintWithdrawn
from libs.events.contracts.personal import ERASED
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.decider import Stream, derived_ids, standing, transact
from libs.events.envelope import Append, Appended, Envelope, Recorded, WrappedKey
from libs.events.kept import Kept
from libs.events.keys import CACHE_SECONDS_MAX, KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from libs.events.store import Context, EventStore
from tests.complaint_history import NOW

Words = tuple[str, ...]
SAID: Stream[Words] = Stream("intake", (), lambda state, event: (*state, event.reason))
THIS = uuid4()
ME = Context("me", THIS)


class Counting(MemoryLog):
    """Counts what it is asked for; `meanwhile` happens once, while an answer is on its way."""

    looks = 0
    page_max = 1000
    meanwhile: Callable[[], Awaitable[None]] | None = None
    meanwhile_keys: Callable[[], Awaitable[None]] | None = None
    meanwhile_answer: Callable[[], Awaitable[None]] | None = None

    async def append(self, append: Append) -> Appended:
        appended = await super().append(append)
        if (happens := self.meanwhile_answer) is not None:
            self.meanwhile_answer = None
            await happens()
        return appended

    async def read_stream(self, log: str, stream: str, after_version: int = 0) -> list[Envelope]:
        self.looks += 1
        found = await super().read_stream(log, stream, after_version)
        await self.happens()
        return found

    async def read(
        self, log: str, after: int = 0, limit: int = 1000, complaint_id: UUID | None = None
    ) -> list[Envelope]:
        self.looks += 1
        found = await super().read(log, after, min(limit, self.page_max), complaint_id)
        await self.happens()
        return found

    async def keys_by_id(self, log: str, key_ids: Iterable[UUID]) -> list[WrappedKey]:
        found = await super().keys_by_id(log, key_ids)
        if (happens := self.meanwhile_keys) is not None:
            self.meanwhile_keys = None
            await happens()
        return found

    async def happens(self) -> None:
        """What happens meanwhile, if anything does."""
        if (happens := self.meanwhile) is not None:
            self.meanwhile = None
            await happens()


@pytest.fixture
def log() -> Counting:
    return Counting("main")


def opened(log: MemoryLog) -> EventStore:
    return EventStore(log, KeyRing(log, KeyEncryptionKey(bytes(32))))


def said(reason: str) -> ComplaintWithdrawn:
    return ComplaintWithdrawn(
        complaint_id=THIS, data_subject="erin", withdrawn_at=NOW, author="li.wei", reason=reason
    )


class Enough(errors.Refused):
    """Three were said already."""


def decide(word: str, state: Words) -> list[Any]:
    if word in state:
        return []
    if len(state) == 3:
        raise Enough
    return [said(word)]


async def says(store: EventStore, word: str, **more: Any) -> Words:
    return (await transact(store, "main", SAID, THIS, decide, word, ME, **more)).state


async def test_a_stream_decided_on_a_moment_ago_is_not_read_again(log: Counting) -> None:
    store = opened(log)
    await says(store, "a")
    looks = log.looks
    assert await says(store, "b") == ("a", "b")
    assert log.looks == looks


async def test_who_was_overtaken_decides_anew(log: Counting) -> None:
    here, there = opened(log), opened(log)
    await says(here, "a")
    await says(there, "b")
    assert await says(here, "c") == ("a", "b", "c")
    assert (await standing(there, "main", SAID, THIS)).state == ("a", "b", "c")


async def test_nothing_to_do_and_a_refusal_are_said_of_what_is_on_record_now(log: Counting) -> None:
    here, there = opened(log), opened(log)
    for word in ("a", "b"):
        await says(here, word)
    await says(there, "c")
    assert await says(here, "c") == ("a", "b", "c")
    with pytest.raises(Enough):
        await says(here, "d")
    assert len(await log.read("main")) == 3


async def test_the_version_that_a_caller_saw_is_compared_with_the_one_on_record(log: Counting) -> None:
    here, there = opened(log), opened(log)
    await says(here, "a")
    await says(there, "b")
    assert await says(here, "c", if_match=2) == ("a", "b", "c")
    with pytest.raises(errors.StaleVersion) as raised:
        await says(there, "d", if_match=2)
    assert raised.value.facts["current_version"] == 3


async def test_a_cause_that_was_seen_to_elsewhere_changes_nothing_here(log: Counting) -> None:
    """Even where what is decided is worded otherwise by then: the ids are the same."""

    def at_another_time(word: str, state: Words) -> list[Any]:
        return [] if word in state else [replace(said(word), author="wang.fang")]

    here, there = opened(log), opened(log)
    ids = derived_ids(uuid4(), "said")
    await says(here, "a")
    await says(there, "b", ids=ids)
    done = await transact(here, "main", SAID, THIS, at_another_time, "b", ME, ids=ids)
    assert (done.state, done.events) == (("a", "b"), ())


async def test_a_repeat_is_answered_with_its_first_place_and_is_not_taken_for_the_newest(
    log: Counting,
) -> None:
    here, there = opened(log), opened(log)
    ids = derived_ids(uuid4(), "said")
    await says(here, "a", ids=ids)
    await says(there, "b")
    repeat = await transact(here, "main", SAID, THIS, lambda word, _: [said(word)], "a", ME, ids=ids)
    assert repeat.version == 1
    assert (await standing(here, "main", SAID, THIS)).state == ("a", "b")


async def test_a_history_is_what_all_its_events_say_whenever_it_was_looked_at(log: Counting) -> None:
    store = opened(log)
    told = history.of(store, _evolve)
    assert await told.now("main", THIS) is None
    for number, word in enumerate("abc", 1):
        await says(store, word)
        assert await told.now("main", THIS) == tuple("abc"[:number])
    assert history.of(store, _evolve) is told
    assert await told.at("main", THIS, 2) == (("a", "b"), ("a", "b", "c"))
    assert await told.at("main", THIS, 1) == (("a",), ("a", "b", "c"))
    assert await told.at("main", THIS, 3) == (("a", "b", "c"), ("a", "b", "c"))


async def test_only_what_is_new_is_folded(log: Counting) -> None:
    store, folded = opened(log), []

    def noting(state: Words | None, recorded: Recorded[Any]) -> Words:
        folded.append(recorded.envelope.seq)
        return _evolve(state, recorded)

    told = history.of(store, noting)
    for word in "abc":
        await says(store, word)
        await told.now("main", THIS)
    assert folded == [1, 2, 3]


async def test_only_the_contracts_that_are_named_are_opened(log: Counting) -> None:
    store = opened(log)
    await says(store, "a")
    assert await history.History(store, _evolve, [PersonalDataErased]).now("main", THIS) is None
    assert await history.History(store, _evolve, [ComplaintWithdrawn]).now("main", THIS) == ("a",)


async def test_what_is_too_large_for_a_page_is_read_to_its_end(
    log: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log cuts a page that grows too large: here after each event, as if each filled one."""
    store = opened(log)
    for word in "abc":
        await says(store, word)
    log.page_max = 1
    monkeypatch.setattr(history, "BODY_BYTES_MAX", 1)
    assert await history.of(store, _evolve).now("main", THIS) == ("a", "b", "c")


@pytest.mark.rule("SEC-2")
async def test_what_was_opened_is_dropped_with_the_key(log: Counting) -> None:
    store = opened(log)
    await says(store, "a")
    told = history.of(store, _evolve)
    await told.now("main", THIS)
    await erase(store)
    assert await told.now("main", THIS) == (ERASED,)
    assert (await standing(store, "main", SAID, THIS)).state == (ERASED,)


@pytest.mark.rule("SEC-2")
@pytest.mark.parametrize("look", ["standing", "now", "at"])
async def test_what_was_being_read_while_its_key_was_dropped_is_not_kept(log: Counting, look: str) -> None:
    """Not even if somebody else looked in between, who found everything dropped and went on from there."""
    store, there = opened(log), opened(log)
    told = history.of(store, _evolve)

    async def looked() -> Words | None:
        if look == "now":
            return await told.now("main", THIS)
        if look == "at":
            return (await told.at("main", THIS, 100))[0]
        return (await standing(store, "main", SAID, THIS)).state

    async def erased_and_looked_at() -> None:
        await erase(store)
        await told.now("main", uuid4())
        await standing(store, "main", SAID, uuid4())

    await says(there, "a")
    await looked()
    await says(there, "b")
    log.meanwhile = erased_and_looked_at
    assert "a" in (await looked() or ()), "it began before"
    assert await looked() == (ERASED, ERASED)


@pytest.mark.rule("SEC-2")
async def test_what_was_being_appended_while_its_key_was_dropped_is_not_kept(log: Counting) -> None:
    async def erased_and_looked_at(_: str, seq: int, stream: str, types: Collection[str]) -> None:
        if seq == 1:
            await erase(store)
            await standing(store, "main", SAID, uuid4())

    store = EventStore(log, KeyRing(log, KeyEncryptionKey(bytes(32))), erased_and_looked_at)
    assert await says(store, "a") == ("a",)
    assert (await standing(store, "main", SAID, THIS)).state == (ERASED,)


@pytest.mark.rule("SEC-2")
async def test_a_key_that_was_being_read_while_it_was_dropped_is_not_kept(log: Counting) -> None:
    await says(opened(log), "a")
    store = opened(log)
    log.meanwhile_keys = partial(erase, store)
    words = [(await store.read("main"))[0].event.reason for _ in range(2)]
    assert words == ["a", ERASED]


@pytest.mark.rule("SEC-2")
async def test_a_key_that_was_erased_before_its_own_append_was_answered_is_not_kept(log: Counting) -> None:
    store = opened(log)
    log.meanwhile_answer = partial(erase, store)
    await store.append("main", f"intake-{THIS}", 0, [said("a")], [uuid4()], ME)
    assert (await store.read("main"))[0].event.reason is ERASED


async def erase(store: EventStore) -> None:
    """Erase the one customer there is."""
    erased = PersonalDataErased(data_subject="erin", erased_at=NOW, author="officer", reason="asked")
    context = Context("officer", erases="erin")
    await store.append("main", "erasure-erin", 0, [erased], [uuid4()], context)


def test_what_is_kept_is_bounded_in_number_and_in_time() -> None:
    time = 0.0
    kept: Kept[int] = Kept(KeyRing(MemoryLog("main"), KeyEncryptionKey(bytes(32))), 2, lambda: time)
    for number in range(3):
        kept.put("main", number, number, 0)
    assert [kept.get("main", number) for number in range(3)] == [None, 1, 2]
    time = CACHE_SECONDS_MAX - 1
    kept.put("main", 2, 20, 0)
    assert kept.get("main", 2) == 20
    time = CACHE_SECONDS_MAX + 1
    assert kept.get("main", 2) is None, "what grew out of an older one lives no longer than that"
    kept.put("main", 2, 21, 0)
    kept.drop("main", 2)
    assert kept.get("main", 2) is None


def _evolve(state: Words | None, recorded: Recorded[Any]) -> Words:
    if not isinstance(recorded.event, ComplaintWithdrawn):
        return state or ()
    return (*(state or ()), recorded.event.reason)
