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
from libs.events.keys import KeyRing
from libs.events.log.postgres import PostgresLog
from libs.events.store import EventStore, pages

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
        store = EventStore(log, KeyRing(log, complaints.KEY))
        await store.read(complaints.LOG, limit=1)  # connected, and the contract's reader is built
        count = 0
        ready()
        began = time.perf_counter()
        async for page in pages(log, complaints.LOG):
            count += len(await store.decode(complaints.LOG, page))
        return Counted(count, time.perf_counter() - began)


GROUP = Group(ROWS, contestants)
