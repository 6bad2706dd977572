"""Over HTTP nobody decides or answers anything in a complaint about themselves or a superior (ASG-4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from libs.events.contracts.intake import ComplaintAmended
from libs.events.contracts.values import Respondent, RespondentKind
from tests.service_kit import problem
from tests.unit.callers import CALLS, NOW, OTHER, THIS, Called, Office, office
from tests.unit.resolution_situations import complete_it, extend_it, plan_it

ABOVE = "deputy-general-manager"
MEASURE = {
    "complaint_ids": [str(THIS)],
    "lesson": "temperature was not watched",
    "measure": "log it hourly",
    "owner": "production-head",
}
PLAN = Called("resolution", "improvements", body=MEASURE, given=CALLS["spare"].given)
NAMES = ("verify", "tell", "hand over", "resend", "reward", "reopen")
HANDLING = {"plan": PLAN, **{name: CALLS[name] for name in NAMES}}


async def turns_out_to_be_about(
    office: Office, kind: RespondentKind, reference: str, complaint_id: UUID = THIS
) -> None:
    amended = ComplaintAmended(
        complaint_id=complaint_id,
        data_subject=f"customer:C-{complaint_id}",
        amended_at=NOW,
        author="li.wei",
        reason="whom it is about",
        respondent=Respondent(kind=kind, reference=reference),
    )
    await office.says(f"intake-{complaint_id}", amended, about=complaint_id)


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


@pytest.mark.rule("ASG-4", "IMP-1", "IMP-3")
async def test_whom_any_complaint_of_a_measure_is_about_does_not_check_its_effect(tmp_path: Path) -> None:
    called = replace(CALLS["verify"], given=(plan_it, extend_it, complete_it))
    async with office(called.service, tmp_path) as at:
        await at.given(called, called.given)
        await turns_out_to_be_about(at, RespondentKind.PERSON, "quality-head", OTHER)
        problem(await at.post(called), 409, "judge_in_own_cause")
        answer = await at.post(replace(called, by=ABOVE))
        assert answer.status_code == 200, answer.text


@pytest.mark.rule("ASG-4", "IMP-1", "IMP-3")
async def test_nor_are_they_asked_to(tmp_path: Path) -> None:
    called = replace(CALLS["complete"], given=(plan_it, extend_it))
    async with office(called.service, tmp_path) as at:
        await at.given(called, called.given)
        await turns_out_to_be_about(at, RespondentKind.UNIT, "executive", OTHER)
        answer = await at.post(called)
        assert answer.status_code == 200, answer.text
        assert answer.json()["verifier"]["person"] == "board-chair"


@pytest.mark.rule("ASG-4", "IMP-3")
async def test_a_complaint_about_the_superior_of_its_verifier_does_not_join_a_measure(tmp_path: Path) -> None:
    called = replace(CALLS["extend"], by="board-chair")
    async with office(called.service, tmp_path) as at:
        await at.given(called, (*called.given, complete_it))
        await turns_out_to_be_about(at, RespondentKind.PERSON, "general-manager", OTHER)
        found = problem(await at.post(called), 409, "verifier_complained_of")
        assert found["verifier"] == "quality-head"
