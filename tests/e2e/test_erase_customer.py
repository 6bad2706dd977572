"""An erased customer cannot be read anywhere, whenever it was learnt whose a complaint is (SEC-2)."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from typer.testing import CliRunner

from deploy.commands import audit
from libs.events.log.postgres import PostgresLog
from libs.events.store import pages
from tests import backends
from tests.e2e import desk
from tests.e2e.calls import COMPLAINTS, Answer, expect, path, read, record, submit

WHO = "customer:C-forgotten"
# What is said before the customer is known, and after.
BEFORE = {"name": "欧阳诗涵", "phone": "13813572468"}
OTHER = {"name": "王小明", "phone": "13800000001"}
AFTER = {"name": "欧阳 诗涵女士", "email": "oyang@example.org"}


async def erase(database: backends.Database, subject: str) -> tuple[int, str]:
    """As an operator does: the exit status, and what is printed."""
    words = ["erase", subject, "--reason", "asked for", "--author", "dpo"]
    words += ["--database", database.dsn("redress_oversight")]
    result = await asyncio.to_thread(CliRunner().invoke, audit.commands, words)
    return result.exit_code, result.output


async def attach(client: httpx.AsyncClient, answer: Answer) -> Answer:
    """A file whose name and content are personal."""
    sent = await client.post(
        path(answer, "attachments"),
        params={"filename": "欧阳诗涵.txt"},
        content=b"13813572468",
        headers={"content-type": "text/plain"},
    )
    return expect(sent, 201)


async def becomes_known(client: httpx.AsyncClient, answer: Answer, customer_id: str) -> None:
    """Somebody finds out whose complaint it is."""
    await submit(client, answer, "amendments", complainant={**AFTER, "customer_id": customer_id})


async def subjects_with_keys(database: backends.Database) -> set[str]:
    connection = await asyncpg.connect(database.superuser_dsn, timeout=desk.WAIT_SECONDS)
    try:
        return {row["subject"] for row in await connection.fetch("SELECT subject FROM log.keys")}
    finally:
        await connection.close()


async def found(client: httpx.AsyncClient, word: str) -> list[Any]:
    listed: list[Any] = expect(await client.get(COMPLAINTS, params={"q": word}))["items"]
    return listed


@pytest.mark.rule("SEC-2")
async def test_what_was_said_before_and_after_the_customer_was_known_is_erased(
    database: backends.Database, tmp_path: Path
) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        late = await record(client, complainant=BEFORE, narrative="欧阳诗涵 called twice")
        kept = await attach(client, late)
        await becomes_known(client, late, "C-forgotten")
        later = await record(client, complainant={**AFTER, "customer_id": "C-forgotten"})
        other = await record(client, complainant={**OTHER, "customer_id": "C-other"})
        await intake.catch_up()
        assert len(await found(client, "欧阳诗涵")) == 1

        status, said = await erase(database, WHO)
        assert status == 0, said
        assert [line.split()[1] for line in said.splitlines()] == [f"complaint:{late['complaint_id']}", WHO]
        resources = intake.app.state.resources
        for subject in (WHO, f"complaint:{late['complaint_id']}"):
            resources.keys.forget("main", subject)  # as each service does by itself within a second
        await intake.catch_up()
        for answer in (late, later):
            spoken = json.dumps(await read(client, answer), ensure_ascii=False)
            assert not [text for text in (*BEFORE.values(), *AFTER.values(), "twice") if text in spoken]
        gone = await client.get(path(late, f"attachments/{kept['attachment_id']}"))
        assert (gone.status_code, gone.json()["code"]) == (404, "erased")
        for word in ("欧阳诗涵", "twice", "诗涵女士"):
            assert await found(client, word) == []
        assert (await read(client, other))["complainant"]["name"] == "王小明"
        assert len(await found(client, "王小明")) == 1
    assert await subjects_with_keys(database) == {"customer:C-other"}
    assert (await erase(database, WHO))[0] == 2, "nothing is left to erase"


@pytest.mark.rule("SEC-2")
async def test_what_a_person_found_to_be_the_same_complaint_is_erased_with_it(
    database: backends.Database, tmp_path: Path
) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        early = "2026-11-19T09:12:00+08:00"
        first = await record(client, complainant=BEFORE, received_at=early)
        again = await record(client, complainant={**AFTER, "customer_id": "C-forgotten"})
        apart = await record(client, complainant={"name": "陈晓", "phone": "13800000002"})
        others = await record(client, complainant=OTHER, received_at=early)
        await becomes_known(client, others, "C-other")
        for merged, into in ((again, first), (apart, others)):
            await submit(client, merged, "merge", into=into["complaint_id"])
        assert (await erase(database, WHO))[0] == 0
    left = {f"complaint:{answer['complaint_id']}" for answer in (apart, others)}
    assert await subjects_with_keys(database) == {*left, "customer:C-other"}


async def test_a_broken_off_erasure_is_finished_by_saying_it_again(
    database: backends.Database, tmp_path: Path
) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        late = await record(client, complainant=BEFORE)
        await becomes_known(client, late, "C-forgotten")
    assert (await erase(database, f"complaint:{late['complaint_id']}"))[0] == 0
    assert await subjects_with_keys(database) == {WHO}
    assert (await erase(database, WHO))[0] == 0
    assert await subjects_with_keys(database) == set()
    async with PostgresLog(database.dsn("redress_auditor")) as log:
        types = [envelope.type async for page in pages(log, "main") for envelope in page]
    assert types.count("complaints.oversight.personal_data_erased.v1") == 2
