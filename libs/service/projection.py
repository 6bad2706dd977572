"""Views that follow the log: each event applied once, in order, in one transaction with its place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import sqlalchemy as sql
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from libs.events import errors, every_log
from libs.events.connection import Connection
from libs.events.envelope import Envelope, Recorded
from libs.events.store import EventStore
from libs.service import background, telemetry

BATCH_EVENTS_MAX: Final = 100
BATCH_EVENTS_FIRST: Final = 25  # bodies may be large; the batch grows when they turn out not to be
BATCH_BYTES: Final = 4 * 1024 * 1024
POLL_SECONDS: Final = 1.0
# After a call the rest of its kind is waited for, so that one transaction takes in several events.
GATHER_SECONDS: Final = 0.01
NOTE_SECONDS: Final = 1.0  # a place that nothing but passing over has moved is written down so often
WAIT_SECONDS_MAX: Final = 2.0
LOOK_SECONDS: Final = 0.005
LOOK_SECONDS_MAX: Final = 0.08

# A view is made from the log again at any time, so what a crash of the database undoes is no loss: view and
# place go back together. Without this each of these transactions waits for the disk, and appends with it.
UNHURRIED: Final = "set_config('synchronous_commit', 'off', true) = 'off'"
FIND: Final = "SELECT seq FROM {}.checkpoints WHERE log = :log AND projection = :view"
BEGIN: Final = (
    "INSERT INTO {}.checkpoints AS place (log, projection, seq)"
    f" SELECT CAST(:log AS text), CAST(:view AS text), :to WHERE {UNHURRIED}"
    " ON CONFLICT (log, projection) DO UPDATE SET seq = excluded.seq WHERE place.seq = 0"
)
MOVE: Final = (
    "UPDATE {}.checkpoints SET seq = :to"
    f" WHERE log = :log AND projection = :view AND seq = :after AND {UNHURRIED}"
)

log = structlog.get_logger(__name__)


class Projection(Protocol):
    """A view: tables of its own in the service's schema, written by `project` alone."""

    @property
    def name(self) -> str:
        """Names the view's checkpoint; a new name builds the view again from the first event."""
        ...

    def concerns(self, stream: str, event_type: str) -> bool:
        """Whether the view has a use for such events: what it has none for is neither opened nor shown."""
        ...

    async def project(self, connection: AsyncConnection, recorded: Recorded[Any]) -> None:
        """Apply one event in the caller's transaction; pass over what the view has no use for."""
        ...


class Checkpoint:
    """How far a view has come, as all processes see it. The place of an event it is concerned with is there
    with the event's effect; past others it may be found a moment later.
    """

    def __init__(self, schema: str, view: str, engine: AsyncEngine) -> None:
        self._view = view
        self._engine = engine
        self._looking: dict[str, asyncio.Future[int]] = {}
        self._find, self._begin, self._move = (sql.text(each.format(schema)) for each in (FIND, BEGIN, MOVE))

    async def find(self, name: str) -> int:
        """The place in a log; 0 before the first event."""
        async with self._engine.connect() as connection:
            seq = (await connection.execute(self._find, {"log": name, "view": self._view})).scalar()
        return 0 if seq is None else int(seq)

    async def come_to(self, name: str, seq: int) -> bool:
        """Wait until the view has taken in an event that concerns it, for a while; whether it has."""
        clock = asyncio.get_running_loop()
        until, pause = clock.time() + WAIT_SECONDS_MAX, LOOK_SECONDS
        while await self._find_together(name) < seq:
            if clock.time() > until:
                return False
            await asyncio.sleep(pause)
            pause = min(2 * pause, LOOK_SECONDS_MAX)
        return True

    async def _find_together(self, name: str) -> int:
        """One look for all who ask in the meantime: what it finds is at most too old."""
        if (looking := self._looking.get(name)) is None:
            looking = self._looking[name] = asyncio.ensure_future(self.find(name))
            looking.add_done_callback(lambda _: self._looking.pop(name))
        return await asyncio.shield(looking)

    async def move(self, connection: AsyncConnection, name: str, after: int, to: int) -> bool:
        """Move it in the caller's transaction; False where somebody else has, and then nothing is done."""
        values = {"log": name, "view": self._view, "to": to}
        if after == 0:
            moved = await connection.execute(self._begin, values)
        else:
            moved = await connection.execute(self._move, values | {"after": after})
        return moved.rowcount == 1


@dataclass(slots=True)
class _Place:
    """Where this process is: `stored` as it wrote down, `seen` with what it has passed over since."""

    stored: int
    seen: int
    stored_at: float


class Follower:
    """Keeps one view in step with every log. Several processes may do so at once: the checkpoint decides.

    An event that cannot be applied stops the view there, loudly, and is tried again: nothing is passed over.
    """

    def __init__(
        self, view: Projection, schema: str, store: EventStore, engine: AsyncEngine, bus: Connection
    ) -> None:
        self.view = view
        self.stopped: dict[str, str] = {}  # log -> why
        self._store = store
        self._engine = engine
        self._bus = bus
        self._checkpoint = Checkpoint(schema, view.name, engine)
        self._places: dict[str, _Place] = {}

    async def run(self) -> None:
        """Follow for ever."""
        await every_log.run(self._store.log, self._keep_following)

    async def _keep_following(self, name: str) -> None:
        follow, stopped = partial(self._follow, name), partial(self._stopped, name)
        await background.keep(f"view {self.view.name}", follow, stopped)

    async def _follow(self, name: str) -> None:
        grown = self._bus.listen(name, self.view.concerns)
        while True:
            grown.clear()
            # One bad event spoils its batch: one at a time, the view stops at that event and no earlier.
            spoilt = self.stopped.get(name) not in (None, errors.Unavailable.__name__)
            await self.catch_up(name, 1 if spoilt else BATCH_EVENTS_MAX)
            if self.stopped.pop(name, None):
                log.info("view goes on", view=self.view.name, log=name)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await grown.wait()
            except TimeoutError:
                await self._settle(name)
            else:
                await asyncio.sleep(GATHER_SECONDS)

    async def catch_up(self, name: str, limit: int = BATCH_EVENTS_MAX) -> None:
        """Apply everything up to the head, up to `limit` events at once; raises what decoding or views do."""
        lag = telemetry.view_lag.labels(name, self.view.name)
        place, page = await self._place(name), min(limit, BATCH_EVENTS_FIRST)
        while batch := await self._store.log.read(name, place.seen, page):
            if len(batch) == page:  # there may be many more
                lag.set((await self._store.log.head(name)).seq - place.seen)
            place, page = await self._take(name, place, batch), min(limit, _fitting(batch))
        lag.set(0)
        if time.monotonic() - place.stored_at > NOTE_SECONDS:
            await self._settle(name)

    async def _settle(self, name: str) -> None:
        """Write down where we are, and find out anew where the database is: somebody may have reset it."""
        place = self._places.pop(name, None)
        if place is not None and place.seen > place.stored:
            await self._apply(name, place, place.seen, [])

    async def _place(self, name: str) -> _Place:
        if (place := self._places.get(name)) is None:
            seq = await self._checkpoint.find(name)
            place = self._places[name] = _Place(seq, seq, time.monotonic())
        return place

    async def _take(self, name: str, place: _Place, batch: Sequence[Envelope]) -> _Place:
        """Apply what concerns the view; the place after it, which is as it was where others were faster."""
        concerning = [envelope for envelope in batch if self.view.concerns(envelope.stream, envelope.type)]
        if not concerning:
            place.seen = batch[-1].seq
            return place
        await self._apply(name, place, batch[-1].seq, await self._store.decode(name, concerning))
        return await self._place(name)

    async def _apply(self, name: str, place: _Place, to: int, concerning: Sequence[Recorded[Any]]) -> None:
        self._places.pop(name, None)  # looked up again where this fails, or somebody else was there
        async with self._engine.begin() as connection:
            # Moved first: whoever else has this batch waits here for us, then finds the checkpoint gone.
            moved = await self._checkpoint.move(connection, name, place.stored, to)
            if moved:
                for recorded in concerning:
                    await self.view.project(connection, recorded)
        if moved:
            self._places[name] = _Place(to, to, time.monotonic())

    def _stopped(self, name: str, fault: Exception) -> None:
        self.stopped[name] = type(fault).__name__


def _fitting(batch: Sequence[Envelope]) -> int:
    """How many events of the mean size of these are a batch."""
    mean = sum(len(envelope.body) for envelope in batch) // len(batch) + 1
    return max(1, BATCH_BYTES // mean)
