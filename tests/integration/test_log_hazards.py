"""Faults of other event stores, provoked: ours stands, and a naive variant, kept below, is seen to fall."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.events.envelope import Append
from libs.events.log import batch
from tests import appends, backends

DEADLINE_SECONDS = 20.0
PAUSE_SECONDS = 0.01
GROWN_EVENTS = 20_000

# An identity column for order, and a version that is looked at but not locked: what one would write first.
NAIVE = """
CREATE SCHEMA naive;
CREATE TABLE naive.events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL, stream text NOT NULL, version int NOT NULL
);
CREATE FUNCTION naive.append(of_stream text, expected int, id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM naive.events e WHERE e.stream = of_stream) <> expected THEN
        RETURN false;
    END IF;
    INSERT INTO naive.events (event_id, stream, version) VALUES (id, of_stream, expected + 1);
    RETURN true;
END $$;
"""
# As if appended, long ago; and nothing has told the planner since.
GROW_OURS = """
INSERT INTO log.events
       (log, seq, event_id, stream, version, type, complaint_id, actor, traceparent, at, body, hash)
SELECT 'main', h.seq + n, gen_random_uuid(), 'intake-' || gen_random_uuid(), 1, 't', gen_random_uuid(), 'x',
       '', h.at, '{}', sha256('') FROM log.heads h, generate_series(1, $1::int) n
"""
GROW_NAIVE = """
INSERT INTO naive.events (event_id, stream, version)
SELECT gen_random_uuid(), 'intake-' || gen_random_uuid(), 1 FROM generate_series(1, $1::int)
"""


@dataclass(frozen=True)
class Technique:
    """A way to append, as its statement: ours, or one that is known to be wrong."""

    table: str
    statement: str
    arguments: Callable[[str, int, UUID], tuple[Any, ...]]
    won: Callable[[Any], bool]
    grow: str


def our_arguments(stream: str, expected: int, event_id: UUID) -> tuple[Any, ...]:
    append: Append = appends.append(stream, expected, appends.event(event_id))
    return batch.arguments("main", [append])


OURS = Technique(
    "log.events", batch.APPEND, our_arguments, lambda row: row["outcome"] == "appended", GROW_OURS
)
NAIVE_ONE = Technique(
    "naive.events",
    "SELECT naive.append($1, $2, $3) AS appended",
    lambda stream, expected, event_id: (stream, expected, event_id),
    lambda row: bool(row["appended"]),
    GROW_NAIVE,
)


@dataclass
class Follower:
    """Reads on from where it stood, as every view, relay and consumer does."""

    connection: asyncpg.Connection
    table: str
    at: int = 0
    seen: list[UUID] = field(default_factory=list)

    async def look(self) -> None:
        rows = await self.connection.fetch(
            f"SELECT seq, event_id FROM {self.table} WHERE seq > $1 ORDER BY seq", self.at
        )
        for row in rows:
            self.at = row["seq"]
            self.seen.append(row["event_id"])


@dataclass
class Writer:
    """A connection whose transaction is held open, as one is whose machine is slow at that moment."""

    connection: asyncpg.Connection
    technique: Technique

    async def append(self, stream: str, expected: int, event_id: UUID) -> bool:
        arguments = self.technique.arguments(stream, expected, event_id)
        return self.technique.won(await self.connection.fetchrow(self.technique.statement, *arguments))

    async def waits_for_a_lock(self, observer: asyncpg.Connection) -> bool:
        pid = self.connection.get_server_pid()
        return bool(await observer.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid))


@asynccontextmanager
async def connections(database: backends.Database, number: int) -> AsyncIterator[list[asyncpg.Connection]]:
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(number):
            connection = await asyncpg.connect(database.dsn("redress_intake"), timeout=5)
            stack.push_async_callback(connection.close)
            opened.append(connection)
        yield opened


async def as_superuser(database: backends.Database, *statements: str) -> None:
    connection = await asyncpg.connect(database.superuser_dsn, timeout=5)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not await true():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(PAUSE_SECONDS)


async def overtaking(
    database: backends.Database, technique: Technique, streams: tuple[str, str]
) -> tuple[list[bool], list[UUID], Follower]:
    """One writer appends and dawdles; a second appends; a reader looks; the first commits; the reader looks.

    Answers who won, both event ids, and the reader.
    """
    ids = [uuid4(), uuid4()]
    async with connections(database, 3) as (one, two, three):
        first, second, reader = (
            Writer(one, technique),
            Writer(two, technique),
            Follower(three, technique.table),
        )
        held = one.transaction()
        await held.start()
        won = [await first.append(streams[0], 0, ids[0])]
        attempt = asyncio.create_task(second.append(streams[1], 0, ids[1]))

        async def settled() -> bool:
            return attempt.done() or await second.waits_for_a_lock(three)

        await until(settled)
        await reader.look()
        await held.commit()
        won.append(await attempt)
        await reader.look()
        return won, ids, reader


@pytest.fixture
async def both(database: backends.Database) -> backends.Database:
    """A database with our log and the naive one side by side."""
    await as_superuser(database, NAIVE, "GRANT USAGE ON SCHEMA naive TO redress_intake")
    await as_superuser(database, "GRANT ALL ON ALL TABLES IN SCHEMA naive TO redress_intake")
    return database


def missed(reader: Follower, ids: list[UUID]) -> set[UUID]:
    return set(ids) - set(reader.seen)


async def test_a_reader_misses_nothing_when_one_writer_overtakes_another(both: backends.Database) -> None:
    """Trap 20: identity order is not commit order."""
    won, ids, reader = await overtaking(both, OURS, (appends.stream(), appends.stream()))
    assert won == [True, True]
    assert missed(reader, ids) == set()
    assert reader.seen == ids

    won, ids, reader = await overtaking(both, NAIVE_ONE, (appends.stream(), appends.stream()))
    assert won == [True, True]
    assert missed(reader, ids) == {ids[0]}


async def test_one_of_two_writers_of_a_version_wins(both: backends.Database) -> None:
    """Trap 21: a version that is checked without a lock is given twice."""
    stream = appends.stream()
    won, _, _ = await overtaking(both, OURS, (stream, stream))
    assert won == [True, False]

    won, _, _ = await overtaking(both, NAIVE_ONE, (stream, stream))
    assert won == [True, True]


async def pages_touched(connection: asyncpg.Connection, technique: Technique) -> int:
    """Pages that one append to a new stream reads, counted by the server: no clock is involved."""
    arguments = technique.arguments(appends.stream(), 0, uuid4())
    plan = await connection.fetchval(
        "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, FORMAT JSON) "
        + literal(technique.statement, arguments)
    )
    top = json.loads(plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"]) + int(top["Shared Read Blocks"])


def literal(statement: str, arguments: tuple[Any, ...]) -> str:
    """EXPLAIN takes no parameters, so they are written out."""
    for number in range(len(arguments), 0, -1):
        statement = statement.replace(f"${number}", written(arguments[number - 1]))
    return statement


def written(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case int():
            return str(value)
        case str():
            return f"'{value}'"
        case UUID():
            return f"'{value}'::uuid"
        case bytes():
            return f"'\\x{value.hex()}'::bytea"
        case list():
            return f"ARRAY[{', '.join(map(written, value))}]"
    raise TypeError(type(value))


async def growth(database: backends.Database, technique: Technique) -> float:
    """How many times more pages an append touches in a log twenty times as long.

    In a session that made its plans when there was nothing.
    """
    async with connections(database, 1) as (connection,):
        for _ in range(10):
            await pages_touched(connection, technique)
        await grow(database, technique, GROWN_EVENTS // 20)
        before = await pages_touched(connection, technique)
        await grow(database, technique, GROWN_EVENTS)
        return await pages_touched(connection, technique) / before


async def grow(database: backends.Database, technique: Technique, events: int) -> None:
    """By the superuser, past the triggers."""
    connection = await asyncpg.connect(database.superuser_dsn, timeout=5)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(technique.grow, events)
        await connection.execute(
            "UPDATE log.heads h SET seq = (SELECT coalesce(max(seq), 0) FROM log.events WHERE log = h.log)"
        )
    finally:
        await connection.close()


async def test_an_append_costs_no_more_in_a_log_that_has_grown(both: backends.Database) -> None:
    """Trap 23: and no plan made when the log was young turns into a scan of everything."""
    await as_superuser(
        both,
        "ALTER TABLE log.events SET (autovacuum_enabled = off)",
        "ALTER TABLE naive.events SET (autovacuum_enabled = off)",
    )
    assert await growth(both, OURS) < 2
    assert await growth(both, NAIVE_ONE) > 10
