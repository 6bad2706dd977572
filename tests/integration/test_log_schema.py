"""What the database itself refuses, whoever asks; and that migrations come to what the SQL files say."""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy.local import database as local_database
from deploy.local import postgres as local_postgres
from libs.events import errors, ledger
from libs.events.envelope import BODY_BYTES_MAX, Appended, Claim
from libs.events.log import batch, migrate
from libs.events.log.postgres import PostgresLog
from tests import appends, backends

TABLES = {"events": "actor", "heads": "at", "claims": "seq", "keys": "wrapped", "categories": "role"}
OWNED = {
    "redress_intake": {"intake"},
    "redress_investigation": {"investigation"},
    "redress_resolution": {"resolution"},
    "redress_notifier": {"notifier"},
    "redress_oversight": {"oversight", "policy", "erasure"},
}
CATEGORIES = sorted(set().union(*OWNED.values()))
ROLES = (*OWNED, "redress_auditor")
WRITES = (
    "INSERT INTO log.{0} SELECT * FROM log.{0}",
    "UPDATE log.{0} SET {1} = {1}",
    "DELETE FROM log.{0}",
    "TRUNCATE log.{0}",
)
SQL_FILES = ("schema.sql", "append.sql", "bus.sql")
LOG = Path(migrate.__file__).parent


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def filled(module_database: backends.Database) -> backends.Database:
    """With a row in every table."""
    async with PostgresLog(module_database.dsn("redress_intake")) as log:
        await log.append(appends.append(claims=(appends.claim(),), new_keys=(appends.key(),)))
    return module_database


@pytest.mark.parametrize("role", ROLES)
async def test_services_and_auditors_read_and_nothing_else(filled: backends.Database, role: str) -> None:
    async with connected(filled.dsn(role)) as connection:
        await connection.execute("SELECT set_config('redress.appending', 'yes', false)")
        for table, write in itertools.product(TABLES, WRITES):
            assert await connection.fetchval(f"SELECT count(*) FROM log.{table}") >= 1
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(write.format(table, TABLES[table]))


@pytest.mark.parametrize("role", ["redress_owner", "postgres"])
async def test_even_owner_and_superuser_are_told_that_the_log_is_append_only(
    filled: backends.Database, role: str
) -> None:
    async with connected(filled.superuser_dsn) as connection:
        await connection.execute(f"SET ROLE {role}")
        for table, write in itertools.product(("events", "heads", "claims", "keys"), WRITES):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await connection.execute(write.format(table, TABLES[table]))


async def test_appending_is_the_only_thing_services_may_call(filled: backends.Database) -> None:
    async with connected(filled.superuser_dsn) as connection:
        allowed = await connection.fetch(
            "SELECT r.rolname, p.proname FROM pg_proc p, pg_roles r"
            " WHERE p.pronamespace = 'log'::regnamespace AND r.rolname LIKE 'redress%'"
            " AND r.rolname <> 'redress_owner'"
            " AND has_function_privilege(r.oid, p.oid, 'EXECUTE') AND p.prorettype <> 'trigger'::regtype"
        )
        assert {tuple(row) for row in allowed} == {(role, "append") for role in OWNED}
        search_path = "SELECT proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'log'::regnamespace"
        for (settings,) in await connection.fetch(search_path):
            assert "search_path=pg_catalog, pg_temp" in settings


WITHOUT_A_LOG = "log.categories"  # who owns which streams is the same in every log
UNIQUE = (
    "SELECT i.indrelid::regclass::text AS of, array_agg(a.attname::text) AS columns FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'log'::regnamespace"
    " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
    " WHERE i.indisunique GROUP BY i.indexrelid, i.indrelid"
)


async def unique_across_logs(connection: asyncpg.Connection) -> set[str]:
    """Tables with a unique index that leaves out the log: none could be partitioned by it."""
    rows = await connection.fetch(UNIQUE)
    assert len(rows) > len(TABLES)
    return {row["of"] for row in rows if "log" not in row["columns"]} - {WITHOUT_A_LOG, "log.migrations"}


async def test_whatever_is_unique_is_unique_within_a_log(filled: backends.Database) -> None:
    async with connected(filled.superuser_dsn) as connection, connection.transaction():
        assert await unique_across_logs(connection) == set()
        await connection.execute("CREATE UNIQUE INDEX across ON log.events (event_id)")
        assert await unique_across_logs(connection) == {"log.events"}
        await connection.execute("DROP INDEX log.across")


async def test_no_role_can_do_more_to_the_server_than_log_in(filled: backends.Database) -> None:
    async with connected(filled.superuser_dsn) as connection:
        rows = await connection.fetch(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS more"
            " FROM pg_roles WHERE rolname LIKE 'redress%'"
        )
        assert [row["more"] for row in rows] == [False] * len(local_database.ROLES)


@pytest.mark.parametrize("role", OWNED)
async def test_a_service_appends_to_its_own_streams_alone(filled: backends.Database, role: str) -> None:
    async with PostgresLog(filled.dsn(role)) as log:
        tried = [appends.append(appends.stream(category)) for category in (*CATEGORIES, "unheard-of", "")]
        results = await asyncio.gather(*map(log.append, tried), return_exceptions=True)
    refused = [isinstance(result, errors.ForeignStream) for result in results]
    assert refused == [category not in OWNED[role] for category in (*CATEGORIES, "unheard-of", "")]


async def test_nobody_borrows_a_category_by_changing_roles(filled: backends.Database) -> None:
    arguments = batch.arguments("main", [appends.append()])
    async with connected(filled.superuser_dsn) as connection:
        await connection.execute("SET ROLE redress_intake")
        row = await connection.fetchrow(batch.APPEND, *arguments)
    assert row is not None
    assert row["outcome"] == "foreign_stream"


@pytest.mark.parametrize(
    ("column", "value"),
    [(5, UUID(int=0)), (6, UUID(int=0)), (8, UUID(int=0)), (10, b"x" * (BODY_BYTES_MAX + 1))],
    ids=["complaint", "cause", "event", "body"],
)
async def test_the_database_itself_refuses_what_cannot_be_hashed_or_carried(
    filled: backends.Database, column: int, value: object
) -> None:
    arguments = list(batch.arguments("main", [appends.append()]))
    arguments[column] = [value]
    async with connected(filled.dsn("redress_intake")) as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.fetch(batch.APPEND, *arguments)


async def test_a_batch_that_touches_a_thing_twice_fails_as_a_whole(filled: backends.Database) -> None:
    same_stream = appends.append()
    batches = [
        [same_stream, appends.only(same_stream, events=(appends.event(),))],
        [appends.append(None, 0, same_stream.events[0]) for _ in range(2)],
        [appends.append(claims=(claim,)) for claim in [appends.claim()] * 2],
        [appends.append(new_keys=(appends.key("twice"),)) for _ in range(2)],
    ]
    async with connected(filled.dsn("redress_intake")) as connection:
        before = await connection.fetchrow("SELECT * FROM log.heads")
        for together in batches:
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.fetch(batch.APPEND, *batch.arguments("main", together))
        assert await connection.fetchrow("SELECT * FROM log.heads") == before


async def test_what_the_server_cannot_take_fails_alone(filled: backends.Database) -> None:
    """A number that is no version cannot be sent; a fingerprint of 3 bytes is refused with the batch."""
    short = appends.only(appends.append(), claims=(Claim(uuid4(), b"abc"),))
    good = [appends.append() for _ in range(3)]
    mixed = [good[0], appends.append(None, 2**40), good[1], short, good[2]]
    async with PostgresLog(filled.dsn("redress_intake")) as log:
        results = await asyncio.gather(*map(log.append, mixed), return_exceptions=True)
    assert [isinstance(result, Appended) for result in results] == [True, False, True, False, True]
    assert isinstance(results[1], asyncpg.DataError)
    assert isinstance(results[3], asyncpg.CheckViolationError)


async def test_a_new_log_begins_with_its_own_genesis(filled: backends.Database) -> None:
    for _ in range(2):
        await migrate.create_log(filled.superuser_dsn, "acme-2")
    async with PostgresLog(filled.dsn("redress_auditor")) as log:
        head = await log.head("acme-2")
        assert (head.seq, head.hash) == (0, ledger.genesis("acme-2"))
        assert await log.logs() == ["acme-2", "main"]
    for bad in ("", "Acme", "a.b", "a b", "-a", "a" * 64):
        with pytest.raises(asyncpg.CheckViolationError):
            await migrate.create_log(filled.superuser_dsn, bad)


async def test_an_upgrade_may_be_repeated_and_run_by_the_owner(filled: backends.Database) -> None:
    program = (sys.executable, "-m", "libs.events.log.migrate", "upgrade")
    environment = {"REDRESS_DATABASE_URL": filled.superuser_dsn}
    two = [await asyncio.create_subprocess_exec(*program, env=environment) for _ in range(2)]
    assert await asyncio.wait_for(asyncio.gather(*(process.wait() for process in two)), 30) == [0, 0]
    await migrate.upgrade(filled.dsn("redress_owner"))
    async with PostgresLog(filled.dsn("redress_intake")) as log:
        assert (await log.append(appends.append())).version == 1


async def test_migrations_come_to_what_the_sql_files_say(postgres_server: backends.PostgresServer) -> None:
    migrated, written = postgres_server.create_database(), postgres_server.create_database("template0")
    try:
        async with connected(written.superuser_dsn) as connection:
            await connection.execute((LOG / "roles.sql").read_text())
            await connection.execute("SET ROLE redress_owner")
            for file in SQL_FILES:
                await connection.execute((LOG / file).read_text())
        assert dump(written) == dump(migrated)
        assert await categories(written) == await categories(migrated)
    finally:
        postgres_server.drop_database(migrated)
        postgres_server.drop_database(written)


async def categories(database: backends.Database) -> list[asyncpg.Record]:
    async with connected(database.superuser_dsn) as connection:
        return list(await connection.fetch("SELECT * FROM log.categories ORDER BY category"))


def dump(database: backends.Database) -> str:
    """The schemas `log` and `bus`, in the order and words of pg_dump."""
    command = [local_postgres.binary("pg_dump"), "--schema-only", "--schema=log", "--schema=bus"]
    command += ["--exclude-table=log.migrations", "--restrict-key=same", f"--dbname={database.superuser_dsn}"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
