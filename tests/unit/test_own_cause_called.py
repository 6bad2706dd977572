"""Over HTTP nobody answers, plans or checks in a complaint about themselves or a superior (ASG-4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from libs.events.contracts.intake import ComplaintAmended
from libs.events.contracts.values import Respondent, RespondentKind
from tests.service_kit import problem
from tests.unit.callers import CALLS, NOW, THIS, Called, Office, office

ABOVE = "deputy-general-manager"
MEASURE = {
    "complaint_ids": [str(THIS)],
    "lesson": "temperature was not watched",
    "measure": "log it hourly",
    "owner": "production-head",
}
PLAN = Called("resolution", "improvements", body=MEASURE, given=CALLS["spare"].given)
HANDLING = {"plan": PLAN, **{name: CALLS[name] for name in ("verify", "tell", "hand over")}}


async def turns_out_to_be_about(office: Office, kind: RespondentKind, reference: str) -> None:
    amended = ComplaintAmended(
        complaint_id=THIS,
        data_subject=f"customer:C-{THIS}",
        amended_at=NOW,
        author="li.wei",
        reason="whom it is about",
        respondent=Respondent(kind=kind, reference=reference),
    )
    await office.says(f"intake-{THIS}", amended)


@pytest.mark.rule("ASG-4")
@pytest.mark.parametrize("name", HANDLING)
async def test_what_is_left_to_somebody_above_them(name: str, tmp_path: Path) -> None:
    called = replace(HANDLING[name], by="quality-head")
    async with office(called.service, tmp_path) as at:
        await at.given(called, called.given)
        await turns_out_to_be_about(at, RespondentKind.PERSON, "quality-head")
        problem(await at.post(called), 409, "judge_in_own_cause")
        answer = await at.post(replace(called, by=ABOVE))
        assert answer.status_code in (200, 201), answer.text


@pytest.mark.rule("ASG-4", "IMP-1")
async def test_the_head_of_the_unit_complained_of_is_not_asked_to_check_its_measure(tmp_path: Path) -> None:
    called = CALLS["complete"]
    async with office(called.service, tmp_path) as at:
        await at.given(called, called.given)
        await turns_out_to_be_about(at, RespondentKind.UNIT, "executive")
        answer = await at.post(called)
        assert answer.status_code == 200, answer.text
        assert answer.json()["verifier"]["person"] == "board-chair"
