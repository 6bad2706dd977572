"""The one path of a command: read, fold, decide, append; again on a conflict."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import uuid_utils.compat as uuids

from libs.events import errors
from libs.events.envelope import GENESIS_VERSION, Appended, Claimed
from libs.events.store import ClaimTaken, Context, EventStore

C = TypeVar("C")
S = TypeVar("S")
ATTEMPTS_MAX: Final = 3


@dataclass(frozen=True)  # no slots: with them Python 3.11.2 cannot call Stream[...](...)
class Stream(Generic[S]):
    """A kind of stream: its name (`<category>-<id>`), where it begins, how an event changes it."""

    category: str
    initial: S
    evolve: Callable[[S, Any], S]

    def name(self, key: UUID) -> str:
        """The stream of one thing."""
        return f"{self.category}-{key}"

    def fold(self, state: S, events: Sequence[Any]) -> S:
        """`state` after `events`."""
        for event in events:
            state = self.evolve(state, event)
        return state


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
    name = stream.name(key)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        # 1 read
        past = [] if new else await store.read_stream(log, name)
        version = past[-1].envelope.version if past else GENESIS_VERSION
        # 2 fold
        state = stream.fold(stream.initial, [recorded.event for recorded in past])
        try:
            # 3 decide
            if if_match is not None and if_match != version:
                raise errors.StaleVersion(current_version=version)
            events = decide(command, state)
            if not events and not context.claims:
                return Transacted(state, version, (), None)
            # 4 append
            event_ids = [event_id for event_id, _ in zip(ids(), events, strict=False)]
            appended = await store.append(log, name, version, events, event_ids, context)
        except errors.VersionConflict:
            # 5 conflict: somebody was faster, so look again
            if attempt == ATTEMPTS_MAX:
                raise
            continue
        except ClaimTaken as taken:
            return Transacted(state, version, (), None, taken.claimed)
        except (errors.Refused, errors.StaleVersion, errors.NotFound):
            # A repeat may find a state that would now refuse it: its first answer still holds.
            if claimed := await first_claim(store, log, context):
                return Transacted(state, version, (), None, claimed)
            raise
        return Transacted(stream.fold(state, events), appended.version, tuple(events), appended)
    raise AssertionError("unreachable: the last attempt returns or raises")


async def first_claim(store: EventStore, log: str, context: Context) -> Claimed | None:
    """The first of the context's claims that was taken before."""
    for claim in context.claims:
        if claimed := await store.log.find_claim(log, claim.name):
            return claimed
    return None
