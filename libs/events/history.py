"""The whole history of a complaint, folded: one indexed read of what is new since the last look."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast
from uuid import UUID

from libs.events.contracts import registry
from libs.events.envelope import BODY_BYTES_MAX, Envelope, Recorded
from libs.events.kept import Kept
from libs.events.store import PAGE_EVENTS, EventStore

S = TypeVar("S")
Evolve = Callable[[S | None, Recorded[Any]], S | None]
NOTHING: Final = (None, 0)


class History(Generic[S]):
    """What complaints' histories say, by one fold (docs/decisions/0007): None before it says anything.

    Only events of the contracts `events` are opened and folded; all, where none are named.
    """

    def __init__(self, store: EventStore, evolve: Evolve[S], events: Sequence[type] = ()) -> None:
        self._store = store
        self._evolve = evolve
        self._types = registry.names_of(*events)
        self._kept: Kept[tuple[S | None, int]] = Kept(store.keys, store.kept_max)

    async def now(self, log: str, complaint_id: UUID) -> S | None:
        """As it stands, with every event that is on record."""
        as_of = self._store.keys.forgotten
        state, seq = self._kept.get(log, complaint_id) or NOTHING
        async for page in pages(self._store, log, complaint_id, seq):
            for recorded in await self._open(log, page):
                state = self._evolve(state, recorded)
            seq = page[-1].seq
        self._kept.put(log, complaint_id, (state, seq), as_of)
        return state

    async def at(self, log: str, complaint_id: UUID, seq: int) -> tuple[S | None, S | None]:
        """As it stood at `seq`, that event included, and as it stands. Best asked in the order of `seq`."""
        as_of = self._store.keys.forgotten
        known = self._kept.get(log, complaint_id)
        then, place = known if known is not None and known[1] <= seq else NOTHING
        now = then
        async for page in pages(self._store, log, complaint_id, place):
            for recorded in await self._open(log, page):
                now = self._evolve(now, recorded)
                if recorded.envelope.seq <= seq:
                    then = now
        self._kept.put(log, complaint_id, (then, seq), as_of)
        return then, now

    async def _open(self, log: str, page: Sequence[Envelope]) -> list[Recorded[Any]]:
        if self._types:
            page = [each for each in page if each.type in self._types]
        return await self._store.decode(log, page)


async def pages(
    store: EventStore, log: str, complaint_id: UUID, after: int = 0
) -> AsyncIterator[list[Envelope]]:
    """A complaint's events of all services in log order, above `after`; none left out, however large."""
    while page := await store.log.read(log, after, complaint_id=complaint_id):
        yield page
        # A page is cut where it grows too large. One that is short for its size was not: whatever might
        # have come next is smaller than what was left.
        if len(page) < PAGE_EVENTS and sum(len(each.body) for each in page) < BODY_BYTES_MAX:
            return
        after = page[-1].seq


def of(store: EventStore, evolve: Evolve[S], events: Sequence[type] = ()) -> History[S]:
    """The one history that is folded so from this store, for all who ask."""
    if evolve not in store.histories:
        store.histories[evolve] = History(store, evolve, events)
    return cast(History[S], store.histories[evolve])
