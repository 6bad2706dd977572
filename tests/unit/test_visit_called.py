"""Step 4 over HTTP: a visit is reported once somebody was there (INV-3)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.service_kit import problem
from tests.unit.callers import CALLS, NOW, REPORT, Office
from tests.unit.callers import office as make

CALLED = CALLS["report a visit"]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with make("investigation", tmp_path) as found:
        yield found


@pytest.mark.rule("INV-3")
async def test_nobody_has_arrived_at_a_time_that_has_not_come_yet(office: Office) -> None:
    await office.given(CALLED, CALLED.given)
    early = replace(CALLED, body={**REPORT, "arrived_at": (NOW + timedelta(seconds=1)).isoformat()})
    refused = problem(await office.post(early), 422, "malformed", "/arrived_at")
    assert [each["code"] for each in refused["errors"]] == ["in_the_future"]
    answer = await office.post(CALLED)
    assert answer.status_code == 200, answer.text
