"""The one path of a command: read, fold, decide, append; again on a conflict."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import uuid_utils.compat as uuids

from libs.events import errors
from libs.events.envelope import GENESIS_VERSION, Appended, Claimed
from libs.events.store import ClaimTaken, Context, EventStore

C = TypeVar("C")
S = TypeVar("S")
ATTEMPTS_MAX: Final = 3
# What deciding by an old state may end in; the same by the present one is the caller's to hear.
OUTDATED: Final = (
    errors.Refused,
    errors.StaleVersion,
    errors.NotFound,
    errors.VersionConflict,
    errors.EventIdTaken,
)


@dataclass(frozen=True)  # no slots: with them Python 3.11.2 cannot call Stream[...](...)
class Stream(Generic[S]):
    """A kind of stream: its name (`<category>-<id>`), where it begins, how an event changes it."""

    category: str
    initial: S
    evolve: Callable[[S, Any], S]

    def name(self, key: UUID) -> str:
        """The stream of one thing."""
        return f"{self.category}-{key}"

    def place(self, key: UUID) -> Hashable:
        """Where its fold is kept: the same stream may be folded in more than one way."""
        return self.name(key), self.evolve

    def fold(self, state: S, events: Sequence[Any]) -> S:
        """`state` after `events`."""
        for event in events:
            state = self.evolve(state, event)
        return state


@dataclass(frozen=True)
class Standing(Generic[S]):
    """How a stream stands: its events up to `version`, folded."""

    state: S
    version: int


@dataclass(frozen=True, slots=True)
class Transacted(Generic[S]):
    """What became of a command: state and version after it, and what it appended (None: nothing)."""

    state: S
    version: int
    events: tuple[Any, ...]
    appended: Appended | None
    replayed: Claimed | None = None


def fresh_ids() -> Iterator[UUID]:
    """Ids of events that a person's call brought about (UUIDv7, RFC 9562: in order of time)."""
    while True:
        yield uuids.uuid7()


def derived_ids(cause: UUID, step: str) -> Callable[[], Iterator[UUID]]:
    """Ids of what `step` makes of the event `cause`: always the same, so a redelivery changes nothing."""

    def ids() -> Iterator[UUID]:
        number = 0
        while True:
            yield uuid.uuid5(cause, f"{step}/{number}")
            number += 1

    return ids


async def transact(
    store: EventStore,
    log: str,
    stream: Stream[S],
    key: UUID,
    decide: Callable[[C, S], list[Any]],
    command: C,
    context: Context,
    *,
    new: bool = False,
    if_match: int | None = None,
    ids: Callable[[], Iterator[UUID]] = fresh_ids,
) -> Transacted[S]:
    """Carry out `command` on the stream of `key`.

    `new`: the key was just made, so there is nothing to read. `if_match`: the version the caller saw (RFC
    9110 If-Match). With claims in `context`, a repeat answers with `replayed` (whose fingerprint the caller
    compares) and appends nothing. Raises Refused and whatever `decide` raises, StaleVersion, VersionConflict
    after three tries, Unavailable.
    """
    append = partial(_append, store, log, stream, key, context, ids, store.keys.forgotten)
    if not new and (known := store.standings.get(log, stream.place(key))):
        # What was seen here a moment ago may be out of date. Where it leads to events, `append` finds out.
        with contextlib.suppress(*OUTDATED):
            if events := _decided(decide, command, known, if_match):
                return await append(known, events)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        # 1 read, 2 fold
        found = Standing(stream.initial, GENESIS_VERSION) if new else await standing(store, log, stream, key)
        try:
            # 3 decide
            events = _decided(decide, command, found, if_match)
            if not events and not context.claims:
                return Transacted(found.state, found.version, (), None)
            # 4 append
            return await append(found, events)
        except errors.VersionConflict:
            # 5 conflict: somebody was faster, so look again, and at all of it
            store.standings.drop(log, stream.place(key))
            if attempt == ATTEMPTS_MAX:
                raise
        except (errors.Refused, errors.StaleVersion, errors.NotFound):
            # A repeat may find a state that would now refuse it: its first answer still holds.
            if claimed := await first_claim(store, log, context):
                return Transacted(found.state, found.version, (), None, claimed)
            raise
    raise AssertionError("unreachable: the last attempt returns or raises")


async def standing(store: EventStore, log: str, stream: Stream[S], key: UUID) -> Standing[S]:
    """How the stream of `key` stands, by a read of what is new since it was last folded here."""
    as_of = store.keys.forgotten
    known = store.standings.get(log, stream.place(key)) or Standing(stream.initial, GENESIS_VERSION)
    past = await store.read_stream(log, stream.name(key), known.version)
    if not past:
        return known
    found = Standing(stream.fold(known.state, [each.event for each in past]), past[-1].envelope.version)
    store.standings.put(log, stream.place(key), found, as_of)
    return found


def _decided(
    decide: Callable[[C, S], list[Any]], command: C, found: Standing[S], if_match: int | None
) -> list[Any]:
    if if_match is not None and if_match != found.version:
        raise errors.StaleVersion(current_version=found.version)
    try:
        return decide(command, found.state)
    except errors.Refused as refused:
        refused.facts = {"current_version": found.version, **refused.facts}  # as of which it was refused
        raise


async def _append(
    store: EventStore,
    log: str,
    stream: Stream[S],
    key: UUID,
    context: Context,
    ids: Callable[[], Iterator[UUID]],
    as_of: int,
    found: Standing[S],
    events: list[Any],
) -> Transacted[S]:
    event_ids = [event_id for event_id, _ in zip(ids(), events, strict=False)]
    try:
        appended = await store.append(log, stream.name(key), found.version, events, event_ids, context)
    except ClaimTaken as taken:
        return Transacted(found.state, found.version, (), None, taken.claimed)
    after = Standing(stream.fold(found.state, events), appended.version)
    if appended.version == found.version + len(events):
        store.standings.put(log, stream.place(key), after, as_of)
    else:  # it was on record already, and what came before that is not known here
        store.standings.drop(log, stream.place(key))
    return Transacted(after.state, after.version, tuple(events), appended)


async def first_claim(store: EventStore, log: str, context: Context) -> Claimed | None:
    """The first of the context's claims that was taken before."""
    for claim in context.claims:
        if claimed := await store.log.find_claim(log, claim.name):
            return claimed
    return None
