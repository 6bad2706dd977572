"""The eight steps as a complaint's history tells them: on record, missing, owed by whom by when."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from libs.events.contracts import intake, notify
from libs.events.contracts.assign import ComplaintEscalated, EscalationCause
from libs.events.contracts.handling import Answerable, Severity, Step, StepDue
from libs.events.contracts.propose import Answer, Outcome
from libs.events.contracts.values import Contact, Language, Respondent, RespondentKind
from libs.policy import deadlines
from libs.policy.people import superiors
from services.resolution.owed import Want
from tests import complaint_history
from tests.unit.resolution_situations import (
    DAY,
    NOW,
    POLICY,
    STAGES,
    THIS,
    accept,
    appeal_it,
    complete_it,
    effective,
    impose,
    ineffective,
    propose_front_line,
    propose_it,
    reject_it,
    reopen_it,
    spare_it,
    waive_head,
)
from tests.unit.resolution_world import (
    OTHER,
    REPLY,
    SOLUTION,
    World,
    agreed,
    assigned,
    carried_out,
    classified,
    cleared,
    contested,
    decided,
    found,
    missed,
    notice,
    planned,
    recorded,
    resolved,
    undetermined,
    unfounded,
)

LATER = {("propose", "proposal"), ("notify", "notice"), ("penalize", "decision"), ("improve", "measure")}
TABLE: dict[str, tuple[World, set[tuple[str, str]]]] = {
    "recorded": (
        recorded,
        {("classify", "judgement"), ("assign", "assignment"), ("investigate", "finding"), *LATER},
    ),
    "details are missing": (
        recorded.says(undetermined),
        {("classify", "details"), ("assign", "assignment"), ("investigate", "finding"), *LATER},
    ),
    "classified": (classified, {("assign", "assignment"), ("investigate", "finding"), *LATER}),
    "assigned": (assigned, {("investigate", "finding"), *LATER}),
    "found": (found, LATER),
    "not our fault": (cleared, {("propose", "proposal"), ("notify", "notice")}),
    "proposed": (found.does(propose_it), LATER - {("propose", "proposal")} | {("propose", "approval")}),
    "rejected": (found.does(propose_it, reject_it), LATER),
    "offered": (
        found.does(propose_front_line),
        LATER - {("propose", "proposal")} | {("propose", "customer_answer")},
    ),
    "declined": (found.does(propose_front_line, replace(accept, answer=Answer.DECLINED)), LATER),
    "agreed": (agreed, {("propose", "execution"), ("penalize", "decision"), ("improve", "measure")}),
    "carried out": (carried_out, {("penalize", "decision"), ("improve", "measure")}),
    "decided": (decided, {("improve", "measure")}),
    "appealed": (
        decided.does(appeal_it),
        {("penalize", "appeal_decision"), ("improve", "measure")},
    ),
    "planned": (planned, {("improve", "completion")}),
    "completed": (planned.measures(complete_it), {("improve", "verification")}),
    "ineffective": (planned.measures(complete_it, ineffective), {("improve", "completion")}),
    "effective": (planned.measures(complete_it, effective), set()),
    "resolved": (resolved, set()),
    "unfounded": (unfounded, {("notify", "notice")}),
    "unfounded, replied": (unfounded.says(REPLY, category="notifier"), set()),
    "unfounded, late": (
        recorded.says(missed(Step.CLASSIFY, None)).says(complaint_history.classified(THIS, founded=False)),
        {("notify", "notice"), ("penalize", "decision")},
    ),
    "withdrawn": (found.says(complaint_history.withdrawn(THIS)), {("penalize", "decision")}),
    "withdrawn early": (recorded.says(complaint_history.withdrawn(THIS)), set()),
    "merged": (classified.says(complaint_history.merged(THIS, OTHER)), set()),
    "closed, appealed": (resolved.does(appeal_it), {("penalize", "appeal_decision")}),
}
CLOSED = {
    "effective": Outcome.RESOLVED,
    "resolved": Outcome.RESOLVED,
    "unfounded, replied": Outcome.UNFOUNDED,
    "withdrawn early": Outcome.WITHDRAWN,
    "merged": Outcome.MERGED,
    "closed, appealed": Outcome.RESOLVED,
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_missing_and_whether_it_is_closed(name: str) -> None:
    world, missing = TABLE[name]
    assert world.missing == missing
    closed = world.outcome.closed
    assert (closed.outcome if closed else None) == CLOSED.get(name)


def test_each_step_says_what_is_on_record_by_whom_and_when() -> None:
    on_record = {each.step: {entry.what for entry in each.on_record} for each in resolved.outcome.steps}
    assert "complaint_recorded" in on_record[Step.RECORD]
    assert "complaint_classified" in on_record[Step.CLASSIFY]
    assert "complaint_assigned" in on_record[Step.ASSIGN]
    assert "finding_recorded" in on_record[Step.INVESTIGATE]
    assert {"solution_proposed", "customer_answered", "execution_advanced"} <= on_record[Step.PROPOSE]
    assert "notice_delivered" in on_record[Step.NOTIFY]
    assert {"sanction_imposed", "responsibility_waived"} <= on_record[Step.PENALIZE]
    assert "improvement_not_needed" in on_record[Step.IMPROVE]
    assert {"improvement_planned", "improvement_completed"} <= {
        entry.what for entry in planned.measures(complete_it).outcome.steps[-1].on_record
    }
    assert all(entry.by and entry.at == NOW for each in resolved.outcome.steps for entry in each.on_record)


def test_who_owes_what_by_when() -> None:
    owed = {each.what: each for each in found.outcome.missing}
    assert owed[Want.PROPOSAL].owed_by == complaint_history.OFFICER
    assert owed[Want.PROPOSAL].due_at == deadlines.due(POLICY, Step.PROPOSE, Severity.SERIOUS, NOW).due_at
    approvals = [each for each in found.does(propose_it).outcome.missing if each.what is Want.APPROVAL]
    departments = ("after-sales", "quality", "technology", "production")
    assert {each.owed_by.person for each in approvals} == {f"{unit}-head" for unit in departments}
    (answer,) = (each for each in found.does(propose_front_line).outcome.missing if each.step is Step.PROPOSE)
    assert answer.due_at is None, "while the customer is waited for, no clock runs"
    (verification,) = planned.measures(complete_it).outcome.missing
    assert (verification.owed_by, verification.due_at) == (complete_it.verifier, complete_it.due_at)


@pytest.mark.rule("CLS-5")
def test_a_contest_opens_an_unfounded_complaint_for_another_judge_who_owes_it() -> None:
    closed = unfounded.says(REPLY, category="notifier")
    again = closed.says(contested())
    assert again.outcome.closed is None
    assert again.outcome.round == 2
    judgement = next(each for each in again.outcome.missing if each.what is Want.JUDGEMENT)
    assert judgement.owed_by.person == "after-sales-deputy"
    upheld = again.says(replace(complaint_history.classified(THIS, founded=False), round=2))
    assert upheld.missing == {("notify", "notice")}, "the second judgement wants a reply of its own"
    assert upheld.says(REPLY, category="notifier").outcome.closed is not None


def test_what_was_merged_and_is_separated_goes_on() -> None:
    merged = classified.says(complaint_history.merged(THIS, OTHER))
    apart = merged.says(complaint_history.separated(THIS, OTHER))
    assert apart.outcome.closed is None
    assert ("assign", "assignment") in apart.missing


def test_a_resolved_complaint_that_is_reopened_needs_cause_solution_and_measure_anew() -> None:
    again = resolved.does(reopen_it)
    assert again.missing == {("investigate", "finding"), *LATER}
    assert {each.sanction for each in _sanctions(again)} == {1}, "what was decided stays decided"


def _sanctions(world: World) -> list[Any]:
    return [each.imposed for each in world.complaint.case.sanctions]


def test_a_new_solution_wants_a_notice_of_its_own_though_the_old_one_arrives_late() -> None:
    written = notify.NoticeWritten(
        notice_id=UUID(int=1),
        complaint_id=THIS,
        data_subject="customer:C-1",
        kind=notify.NoticeKind.SOLUTION,
        recipient=notify.Recipient.CUSTOMER,
        person=None,
        to="13800000001",
        language=Language.CHINESE,
        channels=("outbox",),
        template="standard@1/solution/zh-CN",
        policy="standard@1",
        subject="proposal",
        text="proposal",
        cause=THIS,
        due_at=None,
        warn_at=None,
        written_at=NOW,
    )
    first = found.does(propose_front_line).says(written, category="notifier")
    second = first.does(replace(accept, answer=Answer.DECLINED), propose_front_line)
    assert ("notify", "notice") in second.says(SOLUTION, category="notifier").missing
    told = second.says(notice(notify.NoticeKind.SOLUTION, 2), category="notifier")
    assert ("notify", "notice") not in told.missing


@pytest.mark.rule("NTF-3")
def test_a_notice_that_failed_is_owed_by_the_person_who_got_the_task() -> None:
    """Trap 13: a failed notice closes silently."""
    task = notify.NoticeTaskRaised(
        notice_id=UUID(int=1),
        complaint_id=THIS,
        kind=notify.NoticeKind.UNFOUNDED_REPLY,
        recipient=notify.Recipient.CUSTOMER,
        owed_by=Answerable(unit="after-sales", person="after-sales-officer"),
        raised_at=NOW,
    )
    (owed,) = unfounded.says(task, category="notifier").outcome.missing
    assert owed.owed_by.person == "after-sales-officer"


@pytest.mark.rule("REC-4")
def test_an_enquiry_is_owed_an_answer_and_is_on_no_path_until_it_is_a_complaint() -> None:
    enquiry = World().says(complaint_history.recorded(THIS, contact=Contact.ENQUIRY))
    assert (enquiry.outcome.path, enquiry.missing) == (None, {("notify", "reply")})
    became = intake.EnquiryBecameComplaint(
        complaint_id=THIS,
        data_subject="customer:C-1",
        became_at=NOW,
        author="li.wei",
        reason="it broke",
        missing_details=(),
        first_reply_due_at=NOW + DAY,
        policy="standard@1",
    )
    assert enquiry.says(became).outcome.path is Outcome.RESOLVED


def escalated_for(step: Step, due: tuple[StepDue, ...] = ()) -> ComplaintEscalated:
    """Nobody answered for it yet, and what was owed by then was late."""
    return replace(
        complaint_history.escalated(THIS),
        cause=EscalationCause.OVERDUE,
        tried=None,
        step=step,
        due_at=NOW,
        due=due,
    )


def owed_by(world: World) -> dict[str, str]:
    return {each.what: each.owed_by.person for each in world.outcome.missing}


@pytest.mark.rule("SLA-3", "REC-4")
def test_an_enquiry_that_was_not_answered_in_time_is_owed_by_leadership() -> None:
    enquiry = World().says(complaint_history.recorded(THIS, contact=Contact.ENQUIRY))
    assert owed_by(enquiry) == {"reply": "after-sales-officer"}
    late = enquiry.says(missed(Step.NOTIFY, None)).says(escalated_for(Step.NOTIFY))
    assert owed_by(late)["reply"] == "quality-head"


@pytest.mark.rule("SLA-3")
@pytest.mark.parametrize(
    ("before", "step", "what"),
    [
        (recorded, Step.CLASSIFY, "judgement"),
        (recorded.says(undetermined), Step.CLASSIFY, "details"),
        (classified, Step.ASSIGN, "assignment"),
        (unfounded, Step.NOTIFY, "notice"),
    ],
)
def test_what_was_late_before_anybody_answered_is_owed_by_leadership(
    before: World, step: Step, what: str
) -> None:
    due = StepDue(step=step, due_at=NOW + DAY, warn_at=NOW)
    late = before.says(escalated_for(step, (due,)))
    assert (owed_by(before)[what], owed_by(late)[what]) == ("after-sales-officer", "quality-head")
    assert "quality-head" not in {name for owed, name in owed_by(late).items() if owed != what}


@pytest.mark.rule("SLA-3", "CLS-5")
def test_the_judge_of_a_contest_owes_it_until_that_is_late_too() -> None:
    again = recorded.says(escalated_for(Step.CLASSIFY), complaint_history.classified(THIS, founded=False))
    again = again.says(REPLY, category="notifier").says(contested())
    assert owed_by(again)["judgement"] == "after-sales-deputy"
    assert owed_by(again.says(escalated_for(Step.CLASSIFY)))["judgement"] == "quality-head"


@pytest.mark.rule("SLA-3")
def test_late_decisions_about_lateness_are_put_to_somebody_once() -> None:
    late = found.says(missed(Step.PENALIZE), category="resolution")
    later = late.says(missed(Step.PENALIZE), category="resolution")
    assert len(late.complaint.case.raised) == 4
    assert len(later.complaint.case.raised) == 4


@pytest.mark.rule("REC-4", "REC-9")
def test_an_enquiry_that_is_withdrawn_or_merged_ends_with_that() -> None:
    enquiry = World().says(complaint_history.recorded(THIS, contact=Contact.ENQUIRY))
    withdrawn = enquiry.says(complaint_history.withdrawn(THIS)).outcome
    assert withdrawn.closed is not None
    assert (withdrawn.closed.outcome, withdrawn.missing) == (Outcome.WITHDRAWN, ())
    merged = enquiry.says(complaint_history.merged(THIS, OTHER))
    assert merged.outcome.closed is not None
    apart = merged.says(complaint_history.separated(THIS, OTHER))
    assert (apart.outcome.closed, apart.missing) == (None, {("notify", "reply")})


@pytest.mark.rule("ASG-4")
def test_nothing_is_owed_by_whom_the_complaint_is_about_nor_by_anybody_below_them() -> None:
    about = Respondent(kind=RespondentKind.PERSON, reference="after-sales-head", name=None)
    said = replace(complaint_history.recorded(THIS), respondent=about)
    for world in (World().says(said), World().says(said, undetermined)):
        owed_by = {each.owed_by.person for each in world.outcome.missing}
        assert owed_by
        assert not [each for each in owed_by if "after-sales-head" in {each, *superiors(POLICY, each)}]


@pytest.mark.rule("NTF-1", "NTF-3")
def test_a_solution_that_reached_nobody_keeps_a_complaint_open_until_a_person_has_told_it() -> None:
    """Traps 12 and 13: what arrived at one recipient, or was only tried, tells the customer nothing."""
    task = notify.NoticeTaskRaised(
        notice_id=UUID(int=1),
        complaint_id=THIS,
        kind=notify.NoticeKind.SOLUTION,
        recipient=notify.Recipient.CUSTOMER,
        owed_by=Answerable(unit="after-sales", person="after-sales-officer"),
        raised_at=NOW,
    )
    untold = found.does(propose_front_line, accept, *STAGES[:2], impose, waive_head, spare_it)
    to_staff = replace(notice(notify.NoticeKind.SOLUTION, 2), recipient=notify.Recipient.STAFF)
    waiting = untold.says(task, to_staff, category="notifier").outcome
    assert waiting.closed is None
    (owed,) = waiting.missing
    assert (owed.step, owed.what, owed.owed_by.person) == (Step.NOTIFY, Want.NOTICE, "after-sales-officer")
    by_hand = notify.NoticeHandedOver(
        notice_id=UUID(int=1),
        complaint_id=THIS,
        data_subject="customer:C-1",
        kind=notify.NoticeKind.SOLUTION,
        recipient=notify.Recipient.CUSTOMER,
        how="called her",
        author="after-sales-officer",
        handed_over_at=NOW,
    )
    assert untold.says(task, by_hand, category="notifier").outcome.closed is not None
