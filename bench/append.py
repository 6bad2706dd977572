"""Rows on appending: ordered, chained, version-checked events, beside an event store and plain INSERTs."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import uvloop

from bench import complaints, eventsourced, fill, unordered
from bench.measure import Contestant, Group, Row, Scale
from bench.servers import Place
from bench.workers import Counted, Ready, together
from libs.events.log.postgres import PostgresLog

RATE = "events/s"
PGBENCH = f"pgbench, {unordered.CLIENTS} clients"
FEW, MANY = "small log", "large log"

ROWS = (
    Row("append-64", "64 callers", RATE, "64 callers", "eventsourcing, 16 threads", 10.0),
    Row("append-64-plain", "64 callers", RATE, "64 callers", PGBENCH, 1.0),
    Row("append-256", "256 callers", RATE, "256 callers", PGBENCH, 1.2),
    Row("append-256-p99", "256 callers, slowest of 100", "p99 ms", "256 callers", 25.0, at_most=True),
    Row("append-1", "1 caller", RATE, "1 caller", "eventsourcing, 1 thread", 2.0),
    Row("append-4x16", "4 processes of 16 callers", RATE, "4 processes, 16 callers", "64 callers", 0.8),
    Row("append-grown", "64 callers, large log", RATE, MANY, FEW, 0.75),
)


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """Each has a database of its own, so that one's table is no larger for what another wrote."""
    content = complaints.body()
    made: dict[str, Callable[[], Contestant]] = {
        "64 callers": lambda: appending(place, scale, content, 64),
        "256 callers": lambda: appending(place, scale, content, 256),
        "4 processes, 16 callers": lambda: appending(place, scale, content, 16, processes=4),
        PGBENCH: lambda: inserting(place, scale, content),
        "eventsourcing, 16 threads": lambda: sourcing(place, scale, content, 16),
        "1 caller": lambda: appending(place, scale, content, 1),
        "eventsourcing, 1 thread": lambda: sourcing(place, scale, content, 1),
        MANY: lambda: appending(place, scale, content, 64, name=filled(place, scale.many_events, content)),
        FEW: lambda: appending(place, scale, content, 64, name=filled(place, scale.few_events, content)),
    }
    yield {name: make() for name, make in made.items() if name in wanted}


def appending(
    place: Place, scale: Scale, content: bytes, callers: int, processes: int = 1, name: str | None = None
) -> Contestant:
    """So many callers in each of so many processes, appending to one log."""
    dsn = place.dsn(name or place.migrated_database())
    return partial(
        together, RATE, place.programs, call, dsn, callers, scale.seconds, content, processes=processes
    )


def filled(place: Place, events: int, content: bytes) -> str:
    """A database whose log has so many events already."""
    name = place.migrated_database()
    asyncio.run(fill.rows(place.dsn_superuser(name), events, content))
    return name


def inserting(place: Place, scale: Scale, content: bytes) -> Contestant:
    """pgbench on a table like the log's."""
    name = place.migrated_database()
    asyncio.run(unordered.prepare(place, name))
    return partial(unordered.insert, place, name, scale.seconds, content)


def sourcing(place: Place, scale: Scale, content: bytes, threads: int) -> Contestant:
    """The event store that others would use."""
    dsn = place.dsn_superuser(place.empty_database())
    eventsourced.prepare(dsn)
    return partial(together, RATE, place.programs, eventsourced.append, dsn, threads, scale.seconds, content)


def call(ready: Ready, dsn: str, callers: int, seconds: float, content: bytes) -> Counted:
    """The work of one process: its callers share one log, each awaits its append before the next."""
    return uvloop.run(_call(ready, dsn, callers, seconds, content))


async def _call(ready: Ready, dsn: str, callers: int, seconds: float, content: bytes) -> Counted:
    each: list[float] = []

    async def caller(deadline: float) -> None:
        while (began := time.perf_counter()) < deadline:
            await log.append(complaints.append(content))
            each.append(time.perf_counter() - began)

    async with PostgresLog(dsn) as log:
        await log.append(complaints.append(content))
        ready()
        began = time.perf_counter()
        await asyncio.gather(*(caller(began + seconds) for _ in range(callers)))
        return Counted(len(each), time.perf_counter() - began, each)


GROUP = Group(ROWS, contestants)
