"""Intake's own tables: numbers are given once, and rows are filled alike each time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from libs.events import errors
from libs.events.contracts.intake import ComplaintRecorded
from libs.service import database as connections
from libs.service import projection
from services.intake import reactions, tables
from services.intake.desk import Desk
from services.intake.numbers import BLOCK_NUMBERS, Numbers
from tests import backends, service_kit
from tests.e2e import desk
from tests.e2e.calls import read, record, submit

SCHEMA = tables.METADATA.schema


@pytest.fixture
async def engine(module_database: backends.Database) -> AsyncIterator[AsyncEngine]:
    made = connections.engine(module_database.dsn("redress_intake"), "test")
    yield made
    await made.dispose()


async def test_numbers_are_unique_whoever_takes_them(engine: AsyncEngine) -> None:
    processes = [Numbers(engine) for _ in range(4)]
    taken = await asyncio.gather(
        *(numbers.take("main", 2031) for numbers in processes for _ in range(BLOCK_NUMBERS + 10))
    )
    assert len(set(taken)) == len(taken)
    assert max(taken) <= 8 * BLOCK_NUMBERS
    assert await processes[0].take("main", 2032) == await processes[0].take("other", 2031) == 1


async def test_a_number_given_back_is_taken_next(engine: AsyncEngine) -> None:
    numbers = Numbers(engine)
    first = await numbers.take("main", 2033)
    numbers.give_back("main", 2033, first)
    assert await numbers.take("main", 2033) == first


async def test_recording_does_not_wait_while_numbers_are_reserved_elsewhere(
    database: backends.Database, tmp_path: Path
) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        await record(client)
        other = await asyncpg.connect(database.superuser_dsn, timeout=desk.WAIT_SECONDS)
        try:
            async with other.transaction():
                await other.execute("UPDATE intake.number_blocks SET reserved = reserved + 200")
                await asyncio.gather(*(record(client) for _ in range(20)))
        finally:
            await other.close()


@pytest.mark.rule("REC-5")
async def test_recording_does_not_wait_for_a_register_that_stands_still(
    database: backends.Database, tmp_path: Path
) -> None:
    complainant = desk.body()["complainant"] | {"customer_id": "C-1"}
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        first = await record(client, complainant=complainant)
        await intake.catch_up()
        other = await asyncpg.connect(database.superuser_dsn, timeout=desk.WAIT_SECONDS)
        try:
            async with other.transaction():
                await other.execute("LOCK TABLE intake.complaints")
                held_up = await record(client, complainant=complainant)
        finally:
            await other.close()
        assert held_up["possible_duplicates"] == []
        await intake.catch_up()
        (recorded,) = await intake.app.state.resources.store.read("main", held_up["seq"] - 1)
        await reactions.link_duplicates(Desk(intake.app.state.resources), recorded)
        (suspected,) = (await read(client, held_up))["suspected_duplicates"]
        assert suspected["complaint_id"] == first["complaint_id"]


async def test_the_register_built_anew_is_the_same(database: backends.Database, tmp_path: Path) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        first = await record(client, contact="enquiry", received_at="2026-11-19T00:00:00Z", occurred_at=None)
        second = await record(client)
        await submit(client, first, "conversion")
        await submit(client, second, "amendments", product={"order_number": "SO-2"}, supplement="再次闪烁")
        await submit(client, second, "merge", into=first["complaint_id"])
        third = await record(client)
        await submit(client, third, "withdrawal")
        await intake.catch_up()
        before = await rows(intake)
        for table in ("complaints", "checkpoints"):
            await execute(database, f"DELETE FROM intake.{table}")

        async def is_as_before() -> bool:
            return await rows(intake) == before

        await service_kit.until(is_as_before)
        assert [row["status"] for row in before] == ["recorded", "merged", "withdrawn"]
        assert before[1]["order_number"] == "SO-2"
        await submit(client, second, "separate", separate_from=first["complaint_id"])
        await intake.catch_up()
        assert [row["status"] for row in await rows(intake)] == ["recorded", "recorded", "withdrawn"]


async def test_the_register_holds_no_word_in_the_clear(database: backends.Database, tmp_path: Path) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        answer = await record(client)
        await intake.catch_up()
        (row,) = await rows(intake)
        written = str(row)
        for text in ("王小明", "13800000001", "flicker", "闪烁", "换新"):
            assert text not in written
        assert row["tokens"]
        await desk.erase(database, intake, f"complaint:{answer['complaint_id']}")
        await intake.catch_up()
        (row,) = await rows(intake)
        assert row["tokens"] == []


@pytest.mark.rule("REC-9")
async def test_the_reaction_waits_for_the_register_and_bears_repeats(
    database: backends.Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complainant = desk.body()["complainant"] | {"customer_id": "C-1"}
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        resources = intake.app.state.resources
        first = await record(client, complainant=complainant)
        second = await record(client, complainant=complainant, source=None, product={"order_number": "SO-1"})
        recorded = (await resources.store.read("main", second["seq"] - 1))[0]
        assert isinstance(recorded.event, ComplaintRecorded)
        with monkeypatch.context() as patched:
            patched.setattr(projection, "WAIT_SECONDS_MAX", 0.0)
            await execute(database, "UPDATE intake.checkpoints SET seq = 0")
            with pytest.raises(errors.Unavailable):
                await reactions.link_duplicates(Desk(resources), recorded)
        await execute(database, "DELETE FROM intake.checkpoints")
        await asyncio.gather(*(reactions.link_duplicates(Desk(resources), recorded) for _ in range(3)))
        (suspected,) = (await read(client, second))["suspected_duplicates"]
        assert suspected["complaint_id"] == first["complaint_id"]


async def rows(intake: desk.Intake) -> list[dict[str, Any]]:
    async with intake.app.state.resources.engine.connect() as connection:
        found = await connection.execute(select(tables.COMPLAINTS).order_by(tables.COMPLAINTS.c.seq))
        return [dict(row) for row in found.mappings()]


async def execute(database: backends.Database, statement: str) -> None:
    connection = await asyncpg.connect(database.dsn("redress_intake"), timeout=desk.WAIT_SECONDS)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
