"""Which event is told to whom, and in which words."""

import inspect
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.contracts import classify, improve, intake, investigate, notify, penalize, propose
from libs.events.contracts.handling import Step
from libs.events.contracts.notify import NoticeKind, Reply
from libs.events.contracts.values import (
    Complainant,
    Contact,
    Detail,
    Language,
    Respondent,
    RespondentKind,
)
from libs.service.wiring import Resources
from services.notifier import history, occasions
from tests import complaint_history as says
from tests.complaint_history import DAY, HEAD, LEADER, NOW, OFFICER
from tests.unit.notifier_office import Office, happened
from tests.unit.notifier_office import office as make
from tests.unit.notifier_says import (
    INCIDENT,
    MEASURE,
    OTHER,
    THIS,
    advanced,
    approved,
    closed,
    found,
    missed,
    opened,
    overdue_escalation,
    proposed,
    warned,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CUSTOMER = "customer"


@pytest.fixture
def office(shared: Resources) -> Office:
    return make(shared)


# After the record and its acknowledgement: what each event is told to whom.
TOLD: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "assigned": (
        says.assigned(THIS),
        [("progress", CUSTOMER), ("assignment", "quality-officer"), ("assignment", "quality-head")],
    ),
    "assigned to the head": (
        says.assigned(THIS, HEAD),
        [("progress", CUSTOMER), ("assignment", "quality-head")],
    ),
    "judged unfounded": (says.classified(THIS, founded=False), [("unfounded_reply", CUSTOMER)]),
    "judged founded": (says.classified(THIS), []),
    "investigated by another than assigned": (opened(round=1), [("progress", CUSTOMER)]),
    "investigated again": (opened(round=2), [("progress", CUSTOMER)]),
    "found": (found(), [("progress", CUSTOMER), ("quality_analysis", "production-head")]),
    "found for an incident": (found(adopted_from=INCIDENT), [("progress", CUSTOMER)]),
    "found not to be our fault": (
        found(company_is_cause=False, responsible=()),
        [("appraisal", CUSTOMER)],
    ),
    "proposed within the handler's limits": (proposed(), [("solution", CUSTOMER)]),
    "proposed, to be approved": (
        proposed(approvals=(propose.ApprovalNeeded(office="o", person="p", clause="c"),)),
        [],
    ),
    "carried out": (advanced(propose.Stage.DONE), [("progress", CUSTOMER)]),
    "signed for by the customer": (advanced(propose.Stage.SIGNED_FOR), []),
    "closed": (closed(), [("closing", CUSTOMER)]),
    "closed unfounded": (closed(propose.Outcome.UNFOUNDED), []),
    "warned early": (
        warned(Step.INVESTIGATE),
        [("delay", CUSTOMER), ("deadline_warning", "quality-officer")],
    ),
    "warned": (warned(Step.CLASSIFY), [("delay", CUSTOMER), ("deadline_warning", "quality-officer")]),
    "warned of what nobody has": (
        warned(Step.ASSIGN, None),
        [("delay", CUSTOMER), ("deadline_warning", "after-sales-officer")],
    ),
    "warned of the first reply": (
        warned(Step.NOTIFY),
        [("delay", CUSTOMER), ("deadline_warning", "quality-officer")],
    ),
    "warned of what is between us": (warned(Step.PENALIZE), [("deadline_warning", "quality-officer")]),
    "missed": (missed(Step.CLASSIFY), [("delay", CUSTOMER), ("escalation", "quality-head")]),
    "missed between us": (missed(Step.PENALIZE), [("escalation", "quality-head")]),
    "escalated": (says.escalated(THIS), [("escalation", "quality-head")]),
    "a unit late": (
        happened(investigate.ContributionOverdue, complaint_id=THIS, owed_by=OFFICER, escalated_to=HEAD),
        [("escalation", "quality-head")],
    ),
    "a supplier late": (
        happened(investigate.SupplierOverdue, complaint_id=THIS, escalated_to=HEAD),
        [("escalation", "quality-head")],
    ),
    "a judge late": (
        happened(penalize.AppealOverdue, complaint_id=THIS, owed_by=OFFICER, escalated_to=HEAD),
        [("escalation", "quality-head")],
    ),
    "design at fault": (
        happened(
            investigate.DesignDefectReported,
            complaint_id=THIS,
            data_subject=f"customer:C-{THIS}",
            told=(LEADER, LEADER, HEAD),
        ),
        [("design_defect", "technology-head"), ("design_defect", "quality-head")],
    ),
}


@pytest.mark.rule("NTF-2", "NTF-5", "PRO-6", "CLS-5", "INV-2", "INV-4", "INV-5", "INV-8", "SLA-4")
@pytest.mark.parametrize("case", TOLD)
async def test_who_is_told_of_an_event(office: Office, case: str) -> None:
    await office.says(says.recorded(THIS))
    event, expected = TOLD[case]
    await office.says(event)
    first, *rest = await office.written()
    assert first == ("acknowledgement", CUSTOMER)
    assert rest == expected


@pytest.mark.rule("NTF-2", "NTF-5", "PRO-6")
async def test_on_the_straight_path_nobody_hears_the_same_twice(office: Office) -> None:
    await office.says(says.recorded(THIS))
    await office.says(says.classified(THIS))
    await office.says(says.assigned(THIS))
    await office.says(opened(round=1), category="investigation")
    await office.says(found(), category="investigation")
    await office.says(proposed(), category="resolution")
    for stage in propose.Stage:
        await office.says(advanced(stage), category="resolution")
    await office.says(closed(), category="resolution")
    told = await office.written()
    assert [kind for kind, to in told if to == CUSTOMER] == [
        "acknowledgement",
        "progress",  # who looks into it
        "progress",  # what caused it is found
        "solution",
        *["progress"] * 4,  # started, done, tested, certified
        "closing",
    ]
    assert [each for each in told if each[1] != CUSTOMER] == [
        ("assignment", "quality-officer"),
        ("assignment", "quality-head"),
        ("quality_analysis", "production-head"),
    ]
    texts = [(each.to, each.text) for each in await office.said(notify.NoticeWritten)]
    assert len(set(texts)) == len(texts)


@pytest.mark.rule("NTF-5", "SLA-3", "SLA-4")
async def test_what_one_person_owes_by_one_time_is_told_of_once(office: Office) -> None:
    await office.says(says.recorded(THIS))
    for about in ("production-officer/complaint/1", "production-head/complaint/1"):
        await office.says(replace(warned(Step.PENALIZE), about=about), category="resolution")
        await office.says(replace(missed(Step.PENALIZE), about=about), category="resolution")
    await office.says(replace(missed(Step.PENALIZE, LEADER), about="another"), category="resolution")
    assert (await office.written())[1:] == [
        ("deadline_warning", "quality-officer"),
        ("escalation", "quality-head"),
        ("escalation", "quality-head"),
    ]


def test_every_event_that_is_heard_has_a_case() -> None:
    shown = {type(event) for event, _ in TOLD.values()}
    elsewhere = {
        intake.ComplaintRecorded,
        intake.ComplaintAmended,
        intake.EnquiryBecameComplaint,
        classify.IncidentRaised,
        investigate.InvestigationJoined,
        propose.SolutionApproved,
        propose.DisputeSettled,
        improve.ImprovementCompleted,
    }
    assert shown | elsewhere == set(occasions.HEARD)


@pytest.mark.rule("NTF-2", "REC-2")
async def test_missing_details_are_asked_for_with_the_acknowledgement(office: Office) -> None:
    await office.says(says.recorded(THIS, missing_details=(Detail.QUANTITY, Detail.ORDER_NUMBER)))
    assert await office.written() == [("acknowledgement", CUSTOMER), ("details_wanted", CUSTOMER)]
    assert "数量、订单号" in await office.text("details_wanted")
    assert [each.by for each in await office.said(notify.FirstReplyGiven)] == [Reply.NOTICE]


def amended(*missing: Detail) -> intake.ComplaintAmended:
    return intake.ComplaintAmended(
        complaint_id=THIS,
        data_subject=f"customer:C-{THIS}",
        amended_at=NOW,
        author="li.wei",
        reason="the customer called",
        missing_details=missing,
    )


@pytest.mark.rule("NTF-2", "REC-2")
async def test_what_an_amendment_makes_missing_is_asked_for_and_only_that(office: Office) -> None:
    await office.says(says.recorded(THIS, missing_details=(Detail.QUANTITY,)))
    await office.says(amended(Detail.QUANTITY))  # which was asked for before
    assert len(await office.written()) == 2
    await office.says(amended(Detail.QUANTITY, Detail.PART_NUMBER))
    assert (await office.written())[2:] == [("details_wanted", CUSTOMER)]
    assert "料号" in await office.text("details_wanted")
    assert "数量" not in await office.text("details_wanted")
    await office.says(amended())
    assert len(await office.written()) == 3
    await office.says(amended(Detail.QUANTITY))  # now it is against a product again
    assert len(await office.written()) == 4


@pytest.mark.rule("NTF-2", "REC-2")
async def test_who_has_taken_it_back_is_asked_for_nothing(office: Office) -> None:
    await office.says(says.recorded(THIS))
    await office.says(says.withdrawn(THIS))
    await office.says(amended(Detail.QUANTITY))
    assert await office.written() == [("acknowledgement", CUSTOMER)]


@pytest.mark.rule("NTF-2", "REC-4")
async def test_an_enquiry_is_acknowledged_and_owed_a_reply_too(office: Office) -> None:
    await office.says(says.recorded(THIS, contact=Contact.ENQUIRY))
    assert await office.written() == [("acknowledgement", CUSTOMER)]
    await office.says(
        happened(
            intake.EnquiryBecameComplaint,
            complaint_id=THIS,
            data_subject=f"customer:C-{THIS}",
            missing_details=(Detail.QUANTITY,),
            first_reply_due_at=NOW + DAY,
        )
    )
    assert (await office.written())[1:] == [("details_wanted", CUSTOMER)]


@pytest.mark.rule("NTF-1")
async def test_an_approved_solution_is_told_within_the_policys_minutes(office: Office) -> None:
    await office.says(says.recorded(THIS))
    approval = propose.ApprovalNeeded(office="o", person="p", clause="c")
    await office.says(proposed(approvals=(approval, approval)), category="resolution")
    await office.says(approved(complete=False), category="resolution")
    assert len(await office.written()) == 1
    await office.says(approved(), category="resolution")
    (*_, notice) = await office.said(notify.NoticeWritten)
    assert (notice.kind, notice.due_at) == (NoticeKind.SOLUTION, NOW + 30 * MINUTE)
    assert "维修: 换电容" in notice.text
    assert office.outbox.sent[-1].text == notice.text


@pytest.mark.rule("NTF-2", "IMP-3")
async def test_closing_tells_what_was_improved_because_of_it(office: Office) -> None:
    english = Complainant(
        name="Ann", email="ann@example.com", language=Language.ENGLISH, customer_id=f"C-{THIS}"
    )
    await office.says(says.recorded(THIS, complainant=english))
    await office.says(proposed(), category="resolution")
    planned = happened(improve.ImprovementPlanned, improvement_id=MEASURE, measure="cooler soldering")
    await office.says(planned, MEASURE, "resolution")
    joined = improve.ComplaintJoinedImprovement(complaint_id=THIS, improvement_id=MEASURE, joined_at=NOW)
    await office.says(joined, category="resolution")
    await office.says(closed(), category="resolution")
    text = await office.text("closing")
    for said in ("Dear Ann", "Outcome: resolved", "repair: 换电容", "cooler soldering"):
        assert said in text


@pytest.mark.rule("NTF-2")
async def test_closing_without_a_measure_says_why_none_was_needed(office: Office) -> None:
    await office.says(says.recorded(THIS))
    none = happened(improve.ImprovementNotNeeded, complaint_id=THIS, reason="一次性的疏忽")
    await office.says(none, category="resolution")
    await office.says(closed(), category="resolution")
    assert "一次性的疏忽" in await office.text("closing")


@pytest.mark.rule("IMP-3")
async def test_a_completed_measure_is_told_to_every_customer_concerned(office: Office) -> None:
    for complaint_id in (THIS, OTHER):
        await office.says(says.recorded(complaint_id))
    planned = happened(improve.ImprovementPlanned, improvement_id=MEASURE, measure="降低焊接温度")
    await office.says(planned, MEASURE, "resolution")
    done = happened(improve.ImprovementCompleted, improvement_id=MEASURE, complaint_ids=(THIS, OTHER))
    await office.says(done, MEASURE, "resolution")
    told = [each for each in await office.said(notify.NoticeWritten) if each.kind == "improvement"]
    assert {each.complaint_id for each in told} == {THIS, OTHER}
    assert all("降低焊接温度" in each.text for each in told)


@pytest.mark.rule("CLS-7", "NTF-5")
async def test_leadership_hears_of_a_batch_incident(office: Office) -> None:
    await office.says(says.raised(INCIDENT, THIS, OTHER), INCIDENT)
    told = [person for _, person in await office.written()]
    assert told == ["technology-head", "general-manager", "after-sales-head", "quality-head"]
    assert "2 起" in await office.text("batch_incident")


@pytest.mark.rule("NTF-2", "SLA-4")
@pytest.mark.parametrize("step", sorted(occasions.DELAYS))
async def test_a_delay_is_told_once_and_before_the_deadline_is_missed(office: Office, step: Step) -> None:
    await office.says(says.recorded(THIS))
    await office.says(warned(step), category="investigation")
    assert [kind for kind, to in await office.written() if to == CUSTOMER] == ["acknowledgement", "delay"]
    await office.says(missed(step), category="investigation")
    assert [kind for kind, to in await office.written() if to == CUSTOMER] == ["acknowledgement", "delay"]


@pytest.mark.rule("NTF-5", "ASG-5")
async def test_an_escalation_that_a_missed_deadline_told_of_is_not_told_twice(office: Office) -> None:
    await office.says(says.recorded(THIS))
    await office.says(missed(Step.PROPOSE), category="resolution")
    await office.says(overdue_escalation())
    assert [kind for kind, _ in await office.written()].count("escalation") == 1
    await office.says(overdue_escalation(LEADER))
    assert ("escalation", "technology-head") in await office.written()


@pytest.mark.rule("ASG-4", "NTF-5")
async def test_a_head_complained_of_does_not_hear_who_handles_it(office: Office) -> None:
    person = Respondent(kind=RespondentKind.PERSON, reference="quality-head")
    await office.says(says.recorded(THIS, respondent=person))
    await office.says(says.assigned(THIS))
    assert ("assignment", "quality-head") not in await office.written()


@pytest.mark.rule("ASG-4", "SLA-4")
async def test_who_is_complained_of_is_not_in_charge_of_what_nobody_has_yet(office: Office) -> None:
    person = Respondent(kind=RespondentKind.PERSON, reference="after-sales-officer")
    await office.says(says.recorded(THIS, respondent=person))
    await office.says(warned(Step.INVESTIGATE, None))
    assert (await office.written())[-1] == ("deadline_warning", "after-sales-deputy")
    (delay,) = [each for each in await office.said(notify.NoticeWritten) if each.kind == "delay"]
    assert "售后副经理" in delay.text


def test_every_event_that_the_fold_takes_something_from_is_read() -> None:
    """An event that is left sealed would be missed without anybody noticing."""
    folded = set(re.findall(r"case (.*):", inspect.getsource(history._after)))
    folded |= set(re.findall(r"case (.*):", inspect.getsource(history._worked_on)))
    named = {name for case in folded for name in re.findall(r"([A-Z]\w+)\(", case)}
    assert named <= {each.__name__ for each in history.FOLDED}
