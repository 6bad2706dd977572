"""Notifier's own tables: as its migration makes them, and closed to others."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from libs.service import wiring
from services.notifier import tables
from tests import backends, service_kit


@pytest.fixture
async def resources(database: backends.Database, tmp_path: Path) -> AsyncIterator[wiring.Resources]:
    chosen = service_kit.write_settings(tmp_path, database_url=database.dsn("redress_notifier"))
    async with wiring.opened(chosen, "notifier", wiring.read(chosen)) as found:
        yield found


async def test_the_migration_makes_the_tables_that_queries_name(resources: wiring.Resources) -> None:
    schema = tables.METADATA.schema

    def differences(connection: Connection) -> Sequence[Any]:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == schema,
            "compare_type": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        found: Sequence[Any] = compare_metadata(context, tables.METADATA)
        return found

    async with resources.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("redress_auditor", "DELETE FROM notifier.notices"),
        ("redress_intake", "SELECT count(*) FROM notifier.deadlines"),
        ("redress_notifier", "DROP TABLE notifier.deadlines"),
    ],
)
async def test_other_roles_may_not(module_database: backends.Database, role: str, statement: str) -> None:
    connection = await asyncpg.connect(module_database.dsn(role), timeout=service_kit.SECONDS_MAX)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
