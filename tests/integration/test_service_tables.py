"""Each service's own tables: as its migrations make them, and closed to everybody else."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, Table, Text
from sqlalchemy.ext.asyncio import AsyncEngine

from libs.service import database as connections
from services.intake import tables as intake
from services.investigation import tables as investigation
from services.notifier import tables as notifier
from services.resolution import tables as resolution
from tests import backends, service_kit

SERVICES = [each.METADATA for each in (intake, investigation, notifier, resolution)]


@pytest.fixture
async def engine(module_database: backends.Database) -> AsyncIterator[AsyncEngine]:
    made = connections.engine(module_database.superuser_dsn, "test")
    yield made
    await made.dispose()


async def differences(engine: AsyncEngine, metadata: MetaData) -> Sequence[Any]:
    def compare(connection: Connection) -> Sequence[Any]:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == metadata.schema,
            "compare_type": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        found: Sequence[Any] = compare_metadata(context, metadata)
        return found

    async with engine.connect() as connection:
        return await connection.run_sync(compare)


@pytest.mark.parametrize("metadata", SERVICES, ids=lambda each: each.schema)
async def test_migrations_make_the_tables_that_queries_name(engine: AsyncEngine, metadata: MetaData) -> None:
    assert await differences(engine, metadata) == []


@pytest.mark.parametrize("metadata", SERVICES, ids=lambda each: each.schema)
async def test_a_column_that_no_migration_makes_would_be_found(
    engine: AsyncEngine, metadata: MetaData
) -> None:
    changed = MetaData(schema=metadata.schema)
    for table in metadata.tables.values():
        table.to_metadata(changed)
    changed.tables[f"{metadata.schema}.checkpoints"].append_column(Column("forgotten", Text))
    assert [each[0] for each in await differences(engine, changed)] == ["add_column"]


@pytest.mark.parametrize("table", [t for each in SERVICES for t in each.sorted_tables], ids=str)
async def test_only_the_service_may_write_its_rows_and_only_the_auditor_else_may_read_them(
    module_database: backends.Database, table: Table
) -> None:
    own, auditor = f"redress_{table.schema}", "redress_auditor"
    others = {"redress_oversight", *(f"redress_{each.schema}" for each in SERVICES)} - {own}
    refused = [(role, f"SELECT count(*) FROM {table}") for role in sorted(others)]
    refused += [(auditor, f"DELETE FROM {table}"), (auditor, f"UPDATE {table} SET log = log")]
    refused += [(own, f"DROP TABLE {table}")]
    for role, statement in refused:
        async with opened(module_database, role) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    async with opened(module_database, auditor) as connection:
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


@contextlib.asynccontextmanager
async def opened(database: backends.Database, role: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.dsn(role), timeout=service_kit.SECONDS_MAX)
    try:
        yield connection
    finally:
        await connection.close()
