"""What joins a batch incident after it was assigned: who decides follows the severity, no deadline does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.events.contracts.propose import SolutionProposed
from libs.events.contracts.term import DeadlinesRecomputed
from tests import complaint_history, service_kit
from tests.unit import callers, intake_office
from tests.unit.callers import CALLS, THIS
from tests.unit.intake_office import at

INCIDENT = UUID(int=9)
PART = {"remedies": [{"kind": "part_replacement", "text": "a new driver", "money": None}]}
LATER = {"propose", "notify", "penalize", "improve"}
rule = pytest.mark.rule


def batch(part: str) -> dict[str, Any]:
    """One of a batch: the same fault in goods of the same day."""
    known = {"order_number": "SO-1", "delivered_on": "2026-11-10", "quantity": 4, "defective_quantity": 1}
    product = {**known, "requirement": "none", "batch": "B2209", "part_number": part}
    return {"product": product, "respondent": {"kind": "product", "reference": f"of {part}"}}


@rule("ASG-7", "CLS-7")
async def test_what_the_assignment_fixed_stays_though_it_is_major_now(tmp_path: Path) -> None:
    """Trap 1: only an event that says so moves a deadline, and joining an incident says nothing of any."""
    async with intake_office.opened(tmp_path, at(20, 16)) as office:
        first = await office.records(**batch("P"))
        await office.settles()
        before = (await office.deadlines(first))["deadlines"]
        assert {each["step"] for each in before} >= LATER
        severity = (await office.dossier(first))["judgements"][-1]["severity"]
        office.now = at(23, 9)
        for part in ("Q", "R"):
            await office.records(**batch(part))
        await office.settles()
        joined = await office.dossier(first)
        assert (severity, joined["incident_id"] is None) == ("minor", False)
        assert (await office.deadlines(first))["deadlines"] == before
        assert await office.said(DeadlinesRecomputed) == []


async def proposed(folder: Path, *, joined: bool) -> tuple[set[str], dict[str, str]]:
    """The offices that must approve, and when each later step is due."""
    called = replace(CALLS["propose"], body=PART)
    async with callers.office("resolution", folder) as here:
        await here.given(called, called.given)
        if joined:
            await here.says(f"intake-{THIS}", complaint_history.joined(THIS, INCIDENT))
        assert (await here.post(called)).status_code == 201
        past = await here.store.read_stream("main", called.stream)
        (event,) = [each.event for each in past if isinstance(each.event, SolutionProposed)]
        bearer = {"Authorization": f"Bearer {service_kit.token()}"}
        answer = await here.client.get(f"/v1/complaints/{THIS}/outcome", headers=bearer)
        missing = [owed for step in answer.json()["steps"] for owed in step["missing"]]
    due = {owed["what"]: owed["due_at"] for owed in missing if owed["what"] in ("decision", "measure")}
    return {each.office for each in event.approvals}, due


@rule("PRO-3", "CLS-7", "ASG-7")
async def test_approvals_follow_the_severity_that_it_has_by_now(tmp_path: Path) -> None:
    alone, due = await proposed(tmp_path, joined=False)
    together, due_together = await proposed(tmp_path, joined=True)
    assert alone < together
    assert due_together == due
