"""Nobody makes a complaint about themselves, or about their superior, go away (ASG-4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.events.contracts.propose import ComplaintClosed, Outcome
from tests import service_kit
from tests.unit import intake_office
from tests.unit.intake_office import Office, at

ABOUT = {"kind": "person", "reference": "sales-head"}
rule = pytest.mark.rule


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with intake_office.opened(tmp_path, at(20, 16)) as found:
        yield found


async def refused(office: Office, complaint_id: UUID, what: str, caller: str, **body: Any) -> str:
    bearer = service_kit.token(sub=caller, scope="complaints:read complaints:write")
    answer = await office.client.post(
        f"/v1/complaints/{complaint_id}/{what}",
        json={"reason": "they changed their mind", **body},
        headers={"Authorization": f"Bearer {bearer}"},
    )
    assert answer.status_code == 409, answer.text
    return str(answer.json()["code"])


@rule("ASG-4", "REC-9")
@pytest.mark.parametrize("caller", ["sales-head", "sales-officer"])
async def test_it_is_neither_withdrawn_nor_merged_by_whom_it_is_about_or_who_answers_to_them(
    office: Office, caller: str
) -> None:
    earlier = await office.records(received_at=at(19, 9).isoformat())
    complaint_id = await office.records(respondent=ABOUT, product=None)
    await office.settles()
    assert await refused(office, complaint_id, "withdrawal", caller) == "judge_in_own_cause"
    assert await refused(office, complaint_id, "merge", caller, into=str(earlier)) == "judge_in_own_cause"
    withdrawn = await office.calls(complaint_id, "withdrawal", "general-manager", reason="they wrote to us")
    assert withdrawn["status"] == "withdrawn"


@rule("REC-6")
async def test_what_has_its_end_is_neither_withdrawn_nor_merged(office: Office) -> None:
    earlier = await office.records(received_at=at(19, 9).isoformat())
    complaint_id = await office.records()
    await office.settles()
    closed = ComplaintClosed(complaint_id=complaint_id, outcome=Outcome.RESOLVED, closed_at=office.now)
    await office.hears(closed, "resolution")
    assert await refused(office, complaint_id, "withdrawal", "li.wei") == "already_closed"
    assert await refused(office, complaint_id, "merge", "li.wei", into=str(earlier)) == "already_closed"
