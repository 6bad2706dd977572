"""Recording a complaint through the front door (REC-1, REC-9)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import backends
from tests.e2e import desk
from tests.e2e.desk import Intake


@pytest.fixture
async def intake(database: backends.Database, tmp_path: Path) -> AsyncIterator[Intake]:
    async with desk.running(database, tmp_path) as running:
        yield running


@pytest.mark.rule("REC-1")
async def test_a_complaint_is_recorded(intake: Intake) -> None:
    async with intake.client() as client:
        answer = await client.post("/v1/complaints", json=desk.body())
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    print(answer.json())


@pytest.mark.rule("REC-9")
async def test_the_same_source_reference_gives_the_same_complaint(intake: Intake) -> None:
    body = desk.body()
    async with intake.client() as client:
        first = await client.post("/v1/complaints", json=body)
        again = await client.post("/v1/complaints", json=body)
        other = await client.post("/v1/complaints", json=body | {"narrative": "something else"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert other.json()["code"] == "idempotency_mismatch"
