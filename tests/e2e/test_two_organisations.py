"""Organisations share servers and nothing else: each has its own numbers, references and complaints."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.events import ledger
from libs.events.log import migrate
from tests import backends, service_kit
from tests.e2e import desk
from tests.e2e.calls import COMPLAINTS, expect, path, read

OTHER = "acme"


@pytest.fixture
async def both(database: backends.Database, tmp_path: Path) -> AsyncIterator[desk.Intake]:
    await migrate.create_log(database.superuser_dsn, OTHER)
    async with desk.running(database, tmp_path) as intake:
        yield intake


async def listed(client: httpx.AsyncClient, **params: Any) -> list[str]:
    items = expect(await client.get(COMPLAINTS, params=params))["items"]
    return [each["complaint_id"] for each in items]


async def test_the_same_report_to_two_organisations_is_two_complaints(both: desk.Intake) -> None:
    body, key = desk.body(), {"idempotency-key": "the-same"}
    async with both.client() as ours, both.client(org=OTHER) as theirs:
        sent = [await client.post(COMPLAINTS, json=body, headers=key) for client in (ours, theirs)]
    assert [answer.status_code for answer in sent] == [201, 201]
    mine, yours = (answer.json() for answer in sent)
    assert mine["complaint_id"] != yours["complaint_id"]
    assert (mine["number"], mine["seq"]) == (yours["number"], yours["seq"])  # each counts for itself
    for name in ("main", OTHER):
        verdict = await ledger.verify(both.app.state.resources.log, name)
        assert (verdict.fault, verdict.events) == (None, 1)


async def test_nobody_sees_or_changes_what_another_organisation_has(both: desk.Intake) -> None:
    customer = {"complainant": desk.body()["complainant"] | {"customer_id": "C-1"}}
    async with both.client() as ours, both.client(org=OTHER) as theirs:
        mine = expect(await ours.post(COMPLAINTS, json=desk.body(**customer)), 201)
        for follower in both.app.state.followers:
            await follower.catch_up("main")
        assert await listed(ours, q="灯管") == [mine["complaint_id"]]
        assert await listed(theirs) == await listed(theirs, q="灯管") == []
        assert await listed(theirs, customer_id="C-1") == []
        calls = [
            theirs.get(path(mine)),
            theirs.get(path(mine, "attachments")),
            theirs.get(path(mine, "customer")),
            theirs.post(path(mine, "amendments"), json={"reason": "x", "supplement": "y"}),
            theirs.post(path(mine, "withdrawal"), json={"reason": "x"}),
        ]
        for call in calls:
            service_kit.problem(await call, 404, "not_found")
        again = expect(await theirs.post(COMPLAINTS, json=desk.body(**customer)), 201)
        assert again["possible_duplicates"] == []
        assert (await read(ours, mine))["version"] == 1
