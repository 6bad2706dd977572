"""A bus in memory that treats handlers as consumers do, and badly: it drops, doubles and reorders, by a seed.

What a handler may rely on is what `Consumer` promises: each event at least once, each complaint in log order,
the impossible parked with all that follows it. Everything else is left to chance.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog

from libs.events import errors, patience
from libs.events.contracts import registry
from libs.events.envelope import Envelope, Recorded
from libs.events.store import EventStore

ATTEMPTS_MAX: Final = 50  # nothing here comes back after an hour: what is away now is away for good
REWIND_EVENTS_MAX: Final = 4

Handler = Callable[[Recorded[Any]], Awaitable[None]]
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Faults:
    """How often, of all deliveries, a message is lost on its way, or comes again although it was handled.

    A lost one is delivered later. One that comes again brings along those handled just before it, as after a
    consumer that fell back to its checkpoint; so keep `double` below 0.4, or it never ends. `reorder`:
    complaints overtake each other.
    """

    drop: float = 0.0
    double: float = 0.0
    reorder: bool = False


NONE: Final = Faults()
ROUGH: Final = Faults(drop=0.05, double=0.1, reorder=True)


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that a consumer could not handle; what follows in its lane waits behind it."""

    consumer: str
    envelope: Envelope
    reason: str


@dataclass(slots=True)
class _Lane:
    """One complaint's events on their way to one consumer; `handled` are the last ones it had."""

    consumer: _Consumer
    waiting: deque[Envelope] = field(default_factory=deque)
    handled: deque[Envelope] = field(default_factory=lambda: deque(maxlen=REWIND_EVENTS_MAX))
    attempts: int = 0
    held: bool = False


@dataclass(slots=True)
class _Consumer:
    name: str
    handler: Handler
    types: frozenset[str] | None
    lanes: dict[UUID | str, _Lane] = field(default_factory=dict)


class MemoryBus:
    """Carries one log to its consumers, whenever `settle` is called."""

    def __init__(self, store: EventStore, log: str, chance: random.Random, faults: Faults = NONE) -> None:
        self.parked: list[Parked] = []
        self.counts: Counter[str] = Counter()  # handled, dropped, doubled, refused, failed
        self._store = store
        self._log = log
        self._chance = chance
        self._faults = faults
        self._consumers: list[_Consumer] = []
        self._ready: list[_Lane] = []  # lanes in which something waits, each once
        self._seq = 0

    def subscribe(self, name: str, handler: Handler, events: Sequence[type] = ()) -> None:
        """Feed `handler` with what is carried from now on: with all of it where no `events` are named."""
        types = registry.names_of(*events) or None
        self._consumers.append(_Consumer(name, handler, types))

    async def settle(self) -> int:
        """Deliver until nothing is left that can be, also what handlers append; how many were handled."""
        before = self.counts["handled"]
        await self._take()
        while self._ready:
            await self._deliver(self._pick())
            await self._take()
        return self.counts["handled"] - before

    async def _take(self) -> None:
        """What the log has that is not on its way yet."""
        while page := await self._store.log.read(self._log, self._seq):
            for envelope in page:
                for consumer in self._consumers:
                    if consumer.types is None or envelope.type in consumer.types:
                        self._enqueue(consumer, envelope)
            self._seq = page[-1].seq

    def _enqueue(self, consumer: _Consumer, envelope: Envelope) -> None:
        key = envelope.complaint_id or envelope.stream
        lane = consumer.lanes.get(key)
        if lane is None:
            lane = consumer.lanes[key] = _Lane(consumer)
        if not lane.waiting and not lane.held:
            self._ready.append(lane)
        lane.waiting.append(envelope)

    def _pick(self) -> _Lane:
        """The lane to serve, taken out of the ready ones: any, or the one that waits longest."""
        if self._faults.reorder:
            at = self._chance.randrange(len(self._ready))
            self._ready[at], self._ready[-1] = self._ready[-1], self._ready[at]
            return self._ready.pop()
        return self._ready.pop(0)

    async def _deliver(self, lane: _Lane) -> None:
        envelope = lane.waiting[0]
        if self._chance.random() < self._faults.drop:
            self.counts["dropped"] += 1
        elif failure := await self._handle(lane.consumer, envelope):
            self._bear(lane, envelope, failure)
        else:
            self._done(lane)
        if lane.waiting and not lane.held:
            self._ready.append(lane)

    async def _handle(self, consumer: _Consumer, envelope: Envelope) -> Exception | None:
        try:
            (recorded,) = await self._store.decode(self._log, [envelope])
            await consumer.handler(recorded)
        except errors.Refused:  # an answer, not a failure
            self.counts["refused"] += 1
        except Exception as error:  # as a consumer does: count, keep, go on with others
            self.counts["failed"] += 1
            return error
        self.counts["handled"] += 1
        return None

    def _bear(self, lane: _Lane, envelope: Envelope, failure: Exception) -> None:
        """Try again, a bounded number of times, while other complaints go on; then park and hold the lane."""
        lane.attempts += 1
        if lane.attempts >= min(patience.with_(failure).attempts_max, ATTEMPTS_MAX):
            reason = f"{type(failure).__name__}: {failure}"
            logger.error("event parked", consumer=lane.consumer.name, type=envelope.type, exc_info=failure)
            self.parked.append(Parked(lane.consumer.name, envelope, reason))
            lane.held = True

    def _done(self, lane: _Lane) -> None:
        lane.attempts = 0
        lane.handled.append(lane.waiting.popleft())
        if self._chance.random() < self._faults.double:
            self.counts["doubled"] += 1
            again = self._chance.randint(1, len(lane.handled))
            for _ in range(again):
                lane.waiting.appendleft(lane.handled.pop())
