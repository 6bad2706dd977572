"""Rows on the bus: how fast the relay carries a log, and how soon a consumer has what was committed."""

import asyncio
import json
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import asyncpg
import uuid_utils.compat as uuids
import uvloop

from bench import complaints, fill
from bench.measure import Contestant, Group, Row, Scale
from bench.servers import Place
from bench.workers import Counted, Ready, together
from libs.events import bus, lease, stream
from libs.events.connection import Connection
from libs.events.consumer import Consumer
from libs.events.envelope import Recorded
from libs.events.keys import KeyRing
from libs.events.log import migrate
from libs.events.log.postgres import PostgresLog
from libs.events.relay import Carrier, Relay
from libs.events.store import Context, EventStore

RATE = "events/s"
RELAY, ONE_BY_ONE, CONSUMER = "relay", "publishes one by one", "consumer"
PLAIN_LOG, PACED_LOG = "plain", "paced"
EVENTS_A_SECOND = 300
WARM_EVENTS = 150
ARRIVE_SECONDS_MAX = 30.0

ROWS = (
    Row("relay", "relay, every batch on disk", RATE, RELAY, ONE_BY_ONE, 8.0),
    Row("lag-p50", f"committed to consumed, {EVENTS_A_SECOND}/s", "p50 ms", CONSUMER, 10.0, at_most=True),
    Row("lag-p99", f"committed to consumed, {EVENTS_A_SECOND}/s", "p99 ms", CONSUMER, 60.0, at_most=True),
)


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """Each has a stream of its own on one nats-server."""
    name = place.migrated_database()
    dsn, url = place.dsn(name), place.nats.url
    if wanted & {RELAY, ONE_BY_ONE}:
        asyncio.run(fill.complaints_recorded(dsn, scale.relay_events))
    asyncio.run(migrate.create_log(place.dsn_superuser(name), PACED_LOG))
    made: dict[str, Contestant] = {
        RELAY: partial(together, RATE, place.programs, relay, dsn, url),
        ONE_BY_ONE: partial(together, RATE, place.programs, publish, dsn, url, scale.seconds),
        CONSUMER: partial(together, RATE, place.programs, consume, dsn, url, scale.seconds),
    }
    yield {name: contestant for name, contestant in made.items() if name in wanted}


def relay(ready: Ready, dsn: str, url: str) -> Counted:
    """Carry a whole log into an empty stream."""
    return uvloop.run(_relay(ready, dsn, url))


async def _relay(ready: Ready, dsn: str, url: str) -> Counted:
    async with PostgresLog(dsn) as log, Connection(url) as connection:
        await connection.until_connected()
        await stream.delete(connection, complaints.LOG)
        await stream.create(connection, complaints.LOG)
        carrier = Carrier(log, connection, complaints.LOG)
        ready()
        began = time.perf_counter()
        count = await carrier.catch_up()
        return Counted(count, time.perf_counter() - began)


def publish(ready: Ready, dsn: str, url: str, seconds: float) -> Counted:
    """Publish the same messages, made beforehand, each when the one before is acknowledged."""
    return uvloop.run(_publish(ready, dsn, url, seconds))


async def _publish(ready: Ready, dsn: str, url: str, seconds: float) -> Counted:
    async with PostgresLog(dsn) as log, Connection(url) as connection:
        await connection.until_connected()
        await stream.delete(connection, PLAIN_LOG)
        await stream.create(connection, PLAIN_LOG)
        page = await log.read(complaints.LOG)
        messages = [bus.to_message(envelope._replace(log=PLAIN_LOG)) for envelope in page]
        ready()
        count, began = 0, time.perf_counter()
        while time.perf_counter() < began + seconds:
            message = messages[count % len(messages)]
            answer = await connection.request(message.subject, message.payload, message.headers)
            count += 1
            if json.loads(answer.data).get("seq") != count:
                raise RuntimeError(f"not stored: {answer.data!r}")
        return Counted(count, time.perf_counter() - began)


def consume(ready: Ready, dsn: str, url: str, seconds: float) -> Counted:
    """Append at a steady pace; the time of each event is from its commit to its handler, decoded."""
    return uvloop.run(_consume(ready, dsn, url, seconds))


async def _consume(ready: Ready, dsn: str, url: str, seconds: float) -> Counted:
    committed: dict[int, float] = {}
    handled: dict[int, float] = {}
    arrival = asyncio.Event()

    async def on_appended(log: str, seq: int, stream: str, types: Collection[str]) -> None:
        committed[seq] = time.perf_counter()
        await own.wake(log, seq, stream, types)

    async def on_event(recorded: Recorded[Any]) -> None:
        handled[recorded.envelope.seq] = time.perf_counter()
        arrival.set()

    async with (
        PostgresLog(dsn) as log,
        Connection(url) as own,
        Connection(url) as other,
        asyncpg.create_pool(dsn, min_size=1, max_size=4) as database,
        asyncio.TaskGroup() as tasks,
    ):
        await own.until_connected()
        await other.until_connected()
        store = EventStore(log, KeyRing(log, complaints.KEY), on_appended)
        consumer = Consumer(
            "bench", on_event, store=store, connection=other, database=database, turns=lease.Undisputed
        )
        running = [tasks.create_task(Relay(log, own, lease.Undisputed).run())]
        running.append(tasks.create_task(consumer.run()))
        await _arrived(max(await _append_paced(store, WARM_EVENTS)), handled, arrival)
        ready()
        began = time.perf_counter()
        seqs = await _append_paced(store, round(EVENTS_A_SECOND * seconds))
        await _arrived(max(seqs), handled, arrival)
        elapsed = time.perf_counter() - began
        for task in running:
            task.cancel()
    return Counted(len(seqs), elapsed, [max(0.0, handled[seq] - committed[seq]) for seq in seqs])


async def _append_paced(store: EventStore, count: int) -> list[int]:
    """Each append at its time, whether or not those before it are done; gives their seqs."""
    began = time.perf_counter()

    async def one(number: int) -> int:
        await asyncio.sleep(max(0.0, began + number / EVENTS_A_SECOND - time.perf_counter()))
        complaint_id = uuids.uuid7()
        appended = await store.append(
            PACED_LOG,
            f"intake-{complaint_id}",
            0,
            [complaints.recorded(complaint_id)],
            [uuids.uuid7()],
            Context(complaints.ACTOR, complaint_id, traceparent=complaints.TRACEPARENT),
        )
        return appended.seq

    return await asyncio.gather(*(one(number) for number in range(count)))


async def _arrived(last: int, handled: Mapping[int, float], arrival: asyncio.Event) -> None:
    """Wait until every event up to `last` has reached the handler."""
    async with asyncio.timeout(ARRIVE_SECONDS_MAX):
        while last not in handled:
            arrival.clear()
            await arrival.wait()


GROUP = Group(ROWS, contestants)
