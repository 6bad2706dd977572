"""Why order is not taken from transaction ids: what that does to readers, shown beside what ours does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from libs.events.log import batch
from tests import appends, backends

# Rows remember their transaction; a reader takes those of which none can come any more. Often recommended.
NAIVE = """
CREATE SCHEMA naive;
CREATE TABLE naive.events (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    version int NOT NULL
);
GRANT USAGE ON SCHEMA naive TO redress_intake;
GRANT SELECT, INSERT ON naive.events TO redress_intake;
"""
READ_NAIVE = """
SELECT version FROM naive.events WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, id
"""
WRITE_NAIVE = "INSERT INTO naive.events (version) VALUES ($1)"
READ_OURS = "SELECT version FROM log.events WHERE log = 'main' ORDER BY seq"
BEGIN_WRITING = "SELECT pg_current_xact_id()"
STREAM = appends.stream()


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def both(database: backends.Database) -> backends.Database:
    async with connected(database.superuser_dsn) as connection:
        await connection.execute(NAIVE)
    return database


async def append(connection: asyncpg.Connection, version: int) -> None:
    """The same version with both techniques, in the same transaction."""
    arguments = batch.arguments("main", [appends.append(STREAM, version - 1, appends.event(uuid4()))])
    row = await connection.fetchrow(batch.APPEND, *arguments)
    assert row is not None
    assert row["outcome"] == "appended"
    await connection.execute(WRITE_NAIVE, version)


async def versions(connection: asyncpg.Connection, query: str) -> list[int]:
    return [row["version"] for row in await connection.fetch(query)]


async def test_a_transaction_that_began_early_and_wrote_late_comes_last(both: backends.Database) -> None:
    dsn = both.dsn("redress_intake")
    async with connected(dsn) as early, connected(dsn) as late:
        async with early.transaction():
            await early.execute(BEGIN_WRITING)
            await append(late, 1)
            await append(early, 2)
        assert await versions(late, READ_OURS) == [1, 2]
        assert await versions(late, READ_NAIVE) == [2, 1]


async def test_an_open_write_in_another_database_holds_up_no_reader(both: backends.Database) -> None:
    elsewhere = both.superuser_dsn.rpartition("/")[0] + "/postgres"
    async with connected(elsewhere) as other, connected(both.dsn("redress_intake")) as ours:
        async with other.transaction():
            await other.execute(BEGIN_WRITING)
            await append(ours, 1)
            assert await versions(ours, READ_OURS) == [1]
            assert await versions(ours, READ_NAIVE) == []
        assert await versions(ours, READ_NAIVE) == [1]


async def test_rows_restored_into_a_younger_server_are_read(both: backends.Database) -> None:
    """Their transactions are numbers that this server has yet to reach."""
    async with connected(both.dsn("redress_intake")) as ours, connected(both.superuser_dsn) as restoring:
        await append(ours, 1)
        await restoring.execute("UPDATE naive.events SET xid = '9000000000000'")
        await restoring.execute("SET session_replication_role = replica")
        await restoring.execute("CREATE TABLE dumped AS SELECT * FROM log.events")
        await restoring.execute("TRUNCATE log.events; INSERT INTO log.events SELECT * FROM dumped")
        assert await versions(ours, READ_OURS) == [1]
        assert await versions(ours, READ_NAIVE) == []


async def test_time_stands_still_rather_than_run_backwards(both: backends.Database) -> None:
    """A clock that was set back, or another server's that is behind."""
    head = "SELECT at FROM log.heads WHERE log = 'main'"
    async with connected(both.dsn("redress_intake")) as ours, connected(both.superuser_dsn) as superuser:
        await append(ours, 1)
        before = await ours.fetchval(head)
        await superuser.execute("SET session_replication_role = replica")
        await superuser.execute("UPDATE log.heads SET at = at + interval '1 hour'")
        await append(ours, 2)
        times = [row["at"] for row in await ours.fetch("SELECT at FROM log.events ORDER BY seq")]
        assert times == [before, before + timedelta(hours=1)]
        assert await ours.fetchval(head) == times[-1]


def test_no_append_notifies() -> None:
    """At commit NOTIFY takes a lock that all databases of the server share: appends to different logs would
    wait for each other's disk. Readers are woken over the bus instead."""
    text = Path(batch.__file__).with_name("append.sql").read_text().lower()
    assert "notify" not in text
