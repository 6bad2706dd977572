"""What a complaint took, on the clock and in working time: waiting for the customer is no working time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e import town
from tests.e2e.town import Town

DETAILS = ["part_number", "delivered_on", "quantity", "defective_quantity", "requirement"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REMEDY: dict[str, Any] = {"remedies": [{"kind": "explanation", "text": "how to mount it"}]}


@pytest.fixture
async def here() -> AsyncIterator[Town]:
    async with town.living() as found:
        yield found


async def hours(here: Town, path: str) -> tuple[float, float, float]:
    time = (await here.asks("resolution", f"{path}/outcome"))["time"]
    return tuple(time[name] / 3600 for name in ("elapsed_seconds", "working_seconds", "waited_seconds"))


@pytest.mark.rule("SLA-9", "PRO-4")
async def test_waiting_for_details_and_for_an_answer_counts_on_the_clock_only(here: Town) -> None:
    """From Monday, eight in the morning; an office day has eight hours, from half past eight."""
    path = f"/v1/complaints/{await here.records(product={'order_number': 'SO-1'})}"
    await here.waits(DAY)
    assert await hours(here, path) == (24, 0, 8)
    details = {"reason": "the customer called", "unavailable_details": DETAILS}
    await here.calls("intake", f"{path}/amendments", details)
    await here.waits(DAY)
    assert await hours(here, path) == (48, 8, 8)
    handler = (await here.asks("resolution", f"{path}/outcome"))["steps"][4]["missing"][0]["owed_by"][
        "person"
    ]
    await here.calls("resolution", f"{path}/proposals", REMEDY, handler)
    await here.waits(DAY)
    assert await hours(here, path) == (72, 8, 16)
    await here.calls("resolution", f"{path}/proposals/1/answers", {"answer": "accepted"})
    await here.waits(DAY)
    assert await hours(here, path) == (96, 16, 16)
