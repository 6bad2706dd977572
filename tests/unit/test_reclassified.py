"""What a person finds to be of another kind goes to whom that kind belongs, by the policy (ASG-1, CLS-6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated
from libs.events.contracts.handling import Kind
from tests.unit import intake_office
from tests.unit.intake_office import Office, at

FOUND: dict[str, Any] = {
    "nature": "other",
    "severity": "minor",
    "founded": {"value": True, "reason": "the carton was crushed"},
}
rule = pytest.mark.rule


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with intake_office.opened(tmp_path, at(20, 16)) as found:
        yield found


async def assigned(office: Office, **changes: Any) -> UUID:
    complaint_id = await office.records(**changes)
    await office.settles()
    office.now = at(23, 9)
    return complaint_id


async def found(office: Office, complaint_id: UUID, kind: str, person: str = "after-sales-officer") -> None:
    await office.calls(complaint_id, "classification", person, kind=kind, **FOUND)


@rule("ASG-1", "ASG-7", "CLS-6")
async def test_it_goes_to_the_unit_of_its_kind_with_the_reason_and_in_the_same_time(office: Office) -> None:
    complaint_id = await assigned(office)
    await found(office, complaint_id, "transport")
    first, then = await office.said(ComplaintAssigned)
    assert (first.answerable.unit, then.answerable.unit, then.answerable.person) == (
        "quality",
        "freight",
        "freight-officer",
    )
    assert (then.kind, then.ground.clause, then.ground.person) == (Kind.TRANSPORT, "ASG-R2", None)
    assert (then.due, then.round) == (first.due, 2)
    shown = (await office.dossier(complaint_id))["assignments"][-1]
    assert shown["assigned_by"] is None
    assert (first.reason, then.reason) == (None, "经判断属于“运输”，不再属于“产品质量”。")


@rule("ASG-1")
async def test_the_reason_is_in_the_complainants_language(office: Office) -> None:
    complainant = {"name": "Ann", "phone": "13800000001", "language": "en"}
    await found(office, await assigned(office, complainant=complainant), "transport")
    _, then = await office.said(ComplaintAssigned)
    assert then.reason == "It was judged to be of kind transport, no longer product quality."


@rule("ASG-5")
async def test_that_is_no_buck_passing(office: Office) -> None:
    complaint_id = await assigned(office)
    for unit, person in (("production", "production-officer"), ("sales", "sales-officer")):
        await office.calls(complaint_id, "assignment", unit=unit, person=person, reason=f"theirs: {unit}")
    await found(office, complaint_id, "transport")
    await found(office, complaint_id, "contract_dispute")
    assert await office.said(ComplaintEscalated) == []
    assert [each.answerable.unit for each in await office.said(ComplaintAssigned)][-2:] == [
        "freight",
        "executive",
    ]
    await office.calls(
        complaint_id, "assignment", unit="sales", person="sales-head", reason="theirs after all"
    )
    (escalated,) = await office.said(ComplaintEscalated)  # the third time that people passed it on
    assert escalated.cause == "buck_passing"


@rule("ASG-1")
async def test_whoever_has_it_in_that_unit_keeps_it_and_later_steps_hear_of_the_kind(office: Office) -> None:
    complaint_id = await assigned(office)
    await office.calls(
        complaint_id, "assignment", unit="freight", person="freight-head", reason="they know it"
    )
    await found(office, complaint_id, "transport")
    last = (await office.said(ComplaintAssigned))[-1]
    assert (last.kind, last.answerable.person) == (Kind.TRANSPORT, "freight-head")


@rule("ASG-1")
async def test_judged_of_the_same_kind_it_stays_where_it_is(office: Office) -> None:
    complaint_id = await assigned(office)
    await found(office, complaint_id, "product_quality")
    await office.hears_again()
    assert len(await office.said(ComplaintAssigned)) == 1


@rule("ASG-6")
async def test_what_leadership_has_stays_with_leadership(office: Office) -> None:
    complaint_id = await assigned(office)
    await office.calls(complaint_id, "escalation", tried="two visits")
    await found(office, complaint_id, "transport", "general-manager")
    assert len(await office.said(ComplaintAssigned)) == 1
    shown = await office.dossier(complaint_id)
    assert shown["person"] == (await office.said(ComplaintEscalated))[-1].to.person


@rule("ASG-4")
async def test_nobody_gets_a_complaint_about_themselves_that_way(office: Office) -> None:
    complaint_id = await assigned(
        office,
        respondent={"kind": "person", "reference": "freight-officer"},
        product=None,
        narrative="rude at the gate",
    )
    await found(office, complaint_id, "transport", "human-resources-head")
    last = (await office.said(ComplaintAssigned))[-1]
    assert (last.answerable.unit, last.answerable.person) == ("freight", "freight-deputy")
    assert [each.person for each in last.passed_over] == ["freight-officer"]
