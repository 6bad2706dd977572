"""Rows on reading a log from its first event to its last: decoded, and verified."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import uvloop

from bench import complaints, eventsourced, fill
from bench.measure import Contestant, Group, Row, Scale
from bench.servers import Place
from bench.workers import Counted, Ready, together
from libs.events import ledger, store
from libs.events.keys import KeyRing
from libs.events.log.postgres import PostgresLog
from libs.service import lean

RATE = "events/s"
REPLAY, NOTIFICATIONS, VERIFY = "replay", "eventsourcing, select_notifications", "verify"

ROWS = (
    Row("replay", "replay and decode", RATE, REPLAY, NOTIFICATIONS, 1.0),
    Row("verify", "verify the chain", RATE, VERIFY, 100_000.0),
)


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """The same complaints on both sides; ours sealed, theirs plain."""
    name = place.migrated_database()
    asyncio.run(fill.complaints_recorded(place.dsn(name), scale.read_events))
    made: dict[str, Callable[[], Contestant]] = {
        REPLAY: lambda: partial(together, RATE, place.programs, replay, place.dsn(name)),
        NOTIFICATIONS: lambda: reading(place, scale),
        VERIFY: lambda: partial(together, RATE, place.programs, verify, place.dsn(name)),
    }
    yield {name: make() for name, make in made.items() if name in wanted}


def reading(place: Place, scale: Scale) -> Contestant:
    """The event store that others would use, with as many events."""
    dsn = place.dsn_superuser(place.empty_database())
    eventsourced.prepare(dsn)
    eventsourced.fill(dsn, scale.read_events)
    return partial(together, RATE, place.programs, eventsourced.replay, dsn)


def replay(ready: Ready, dsn: str) -> Counted:
    """Every event, decoded, its personal texts opened."""
    return uvloop.run(_replay(ready, dsn))


async def _replay(ready: Ready, dsn: str) -> Counted:
    async with PostgresLog(dsn) as log:
        events = store.EventStore(log, KeyRing(log, complaints.KEY))
        await events.read(complaints.LOG, limit=1)  # connected, and the contract's reader is built
        lean.settle()  # as services and commands do
        count = 0
        ready()
        began = time.perf_counter()
        async for page in store.replay(events, complaints.LOG):
            count += len(page)
        elapsed = time.perf_counter() - began
        return Counted(count, elapsed, remark=f"{elapsed / count * 1e6:.1f} us an event")


def verify(ready: Ready, dsn: str) -> Counted:
    """Check the chain as `audit verify` does; then only read, to tell what of the time was reading."""
    return uvloop.run(_verify(ready, dsn))


async def _verify(ready: Ready, dsn: str) -> Counted:
    async with PostgresLog(dsn) as log:
        await log.head(complaints.LOG)  # connected
        ready()
        began = time.perf_counter()
        verdict = await ledger.verify(log, complaints.LOG)
        elapsed = time.perf_counter() - began
        if not verdict.sound:
            raise RuntimeError(f"the log is not sound: {verdict.fault}")
        began = time.perf_counter()
        async for _ in store.pages(log, complaints.LOG):
            pass
        checking = elapsed - (time.perf_counter() - began)
        return Counted(verdict.events, elapsed, remark=_split(verdict.events, elapsed, "checking", checking))


def _split(count: int, elapsed: float, part: str, seconds: float) -> str:
    """What of the time of one event went where."""
    reading, own = (elapsed - seconds) / count * 1e6, seconds / count * 1e6
    return f"of {elapsed / count * 1e6:.1f} us an event, reading takes {reading:.1f}, {part} {own:.1f}"


GROUP = Group(ROWS, contestants)
