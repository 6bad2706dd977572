"""Both logs, for one body of cases."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from libs.events.log.postgres import PostgresLog
from libs.events.memory import MemoryLog
from libs.events.store import Log
from tests import backends


@dataclass(frozen=True)
class Logs:
    """The same log as two services see it: one that owns `intake-…`, one that owns `erasure-…`."""

    intake: Log
    oversight: Log


@pytest.fixture(params=["memory", "postgres"])
async def logs(request: pytest.FixtureRequest) -> AsyncIterator[Logs]:
    """The log `main`, in memory or in PostgreSQL, where a module shares it: no case may count on seq 1."""
    if request.param == "memory":
        memory = MemoryLog("main")
        yield Logs(memory, memory)
        return
    database: backends.Database = request.getfixturevalue("module_database")
    async with (
        PostgresLog(database.dsn("redress_intake")) as intake,
        PostgresLog(database.dsn("redress_oversight")) as oversight,
    ):
        yield Logs(intake, oversight)


@pytest.fixture
def log(logs: Logs) -> Log:
    return logs.intake
