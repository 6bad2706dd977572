"""Step 3 decided: who answers, who may not, when it is passed around, unsolved or late (ASG, SLA-3)."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated, EscalationCause
from libs.events.contracts.handling import Answerable, Kind, Severity, Step
from libs.events.contracts.values import Complainant, Product, Respondent, RespondentKind
from libs.policy import deadlines
from services.intake import assign, classify, escalate, plan, reassign, state
from tests.packs import changed
from tests.unit.intake_situations import (
    INCIDENT,
    MOMENT,
    NO,
    NOW,
    STANDARD,
    after,
    assigned,
    given,
    join_it,
    merge_it,
    missed,
    on_record,
    record_it,
    said,
    when,
    withdraw_it,
)

DAY = timedelta(days=1)
OFFICER = Answerable(unit="quality", person="quality-officer")


def founded(kind: Kind = Kind.PRODUCT_QUALITY, **changes: Any) -> state.Complaint:
    """Recorded with all details, and judged founded by a person."""
    recorded = given(replace(record_it, required_details={}, **changes))
    planned = partial(plan.judged_by_person, said("general-manager", kind=kind))
    return after(recorded, plan.planned(planned, classify.decide)(MOMENT, recorded))


def by_policy(complaint: state.Complaint, moment: plan.Moment = MOMENT) -> ComplaintAssigned:
    """Whom the policy names."""
    (event,) = plan.planned(plan.assigned_by_policy, assign.decide)(moment, complaint)
    return event


def handed(
    complaint: state.Complaint, unit: str, person: str, reason: str = "better there", by: str = "li.wei"
) -> list[Any]:
    """What comes of a person naming somebody."""
    planned = partial(plan.reassigned, Answerable(unit=unit, person=person), reason, by)
    return plan.planned(planned, reassign.decide)(MOMENT, complaint)


def late(complaint: state.Complaint, **of: Any) -> list[ComplaintEscalated]:
    """What comes of a missed deadline."""
    event = missed(**of)
    planned = partial(plan.escalated_overdue, event)
    return plan.planned(planned, escalate.decide)(replace(MOMENT, now=event.noticed_at), complaint)


def unsolved(complaint: state.Complaint, tried: str = "two visits") -> list[ComplaintEscalated]:
    """What comes of giving up."""
    return plan.planned(partial(plan.escalated, tried, "quality-officer"), escalate.decide)(MOMENT, complaint)


@pytest.mark.rule("ASG-1", "ASG-2")
@pytest.mark.parametrize(
    ("kind", "changes", "unit", "clause"),
    [
        (Kind.CONTRACT_DISPUTE, {}, "executive", "ASG-R1"),
        (Kind.TRANSPORT, {}, "freight", "ASG-R2"),
        (Kind.PRODUCT_QUALITY, {"product": Product(part_number="BAT-12V")}, "procurement", "ASG-R3"),
        (Kind.PRODUCT_QUALITY, {}, "quality", "ASG-R4"),
        (Kind.SERVICE, {}, "after-sales", "ASG-R7"),
    ],
)
def test_every_kind_has_a_unit_and_a_named_person(
    kind: Kind, changes: dict[str, Any], unit: str, clause: str
) -> None:
    event = by_policy(founded(kind, **changes))
    assert event.answerable.unit == unit
    assert event.answerable.person in STANDARD.people
    assert (event.ground.policy, event.ground.clause, event.ground.person) == ("standard@1", clause, None)
    assert (event.round, event.kind) == (1, kind)


@pytest.mark.rule("ASG-3")
def test_a_station_owns_its_region() -> None:
    complainant = Complainant(name="王", address="上海市浦东新区")
    event = by_policy(founded(Kind.SERVICE, complainant=complainant))
    assert (event.answerable.unit, event.ground.clause) == ("station-east", "ASG-R6")


@pytest.mark.rule("ASG-1")
@pytest.mark.parametrize("part_number", ["BAT-12V", "LED-18W"])
def test_procurement_deals_with_a_purchased_part_together_with_its_supplier(part_number: str) -> None:
    event = by_policy(founded(product=Product(part_number=part_number)))
    said = (event.answerable.unit, event.reason)
    purchased = part_number == "BAT-12V"
    assert said == (("procurement", "外购件，与蓄电池供应商共同处理。") if purchased else ("quality", None))


@pytest.mark.rule("ASG-4")
@pytest.mark.parametrize(
    ("complained_of", "answers"),
    [("after-sales-officer", "after-sales-deputy"), ("after-sales-head", "general-manager")],
)
def test_a_complaint_about_a_person_or_superior_goes_past_them(complained_of: str, answers: str) -> None:
    about = Respondent(kind=RespondentKind.PERSON, reference=complained_of)
    complaint = founded(Kind.SERVICE, respondent=about)
    event = by_policy(complaint)
    assert event.answerable.person == answers
    assert complained_of in {each.person for each in event.passed_over}
    taken = after(complaint, [event])
    with pytest.raises(state.JudgeInOwnCause):
        handed(taken, "after-sales", complained_of)


@pytest.mark.rule("ASG-4")
def test_nobody_is_given_a_complaint_about_their_own_superior() -> None:
    about = Respondent(kind=RespondentKind.PERSON, reference="sales-head")
    with pytest.raises(state.JudgeInOwnCause):
        handed(founded(Kind.SERVICE, respondent=about), "sales", "sales-officer")


@pytest.mark.rule("ASG-2")
def test_who_left_is_passed_over_for_the_deputy_then_the_head_and_it_says_so() -> None:
    left = "left_on: 2026-01-01,"
    gone, deputy_gone = (
        (f"{title}}}, unit: quality,", f"{title}}}, unit: quality, {left}")
        for title in ("Quality engineer", "Deputy quality manager")
    )
    event = by_policy(founded(), replace(MOMENT, policy=changed(gone)))
    assert event.answerable.person == "quality-deputy"
    assert [(each.person, each.why) for each in event.passed_over] == [
        ("quality-officer", "left on 2026-01-01")
    ]
    event = by_policy(founded(), replace(MOMENT, policy=changed(gone, deputy_gone)))
    assert event.answerable.person == "quality-head"
    assert len(event.passed_over) == 2


@pytest.mark.rule("ASG-7")
def test_assignment_fixes_the_due_time_of_every_later_step() -> None:
    event = by_policy(founded(), replace(MOMENT, now=NOW + DAY))
    assert [due.step for due in event.due] == list(deadlines.LATER_STEPS)
    for due in event.due:
        explained = deadlines.explain(STANDARD, due.step, Severity.SERIOUS, NOW + DAY)
        assert (due.due_at, due.warn_at) == (explained.due.due_at, explained.due.warn_at)
        assert NOW + DAY < due.warn_at < due.due_at


@pytest.mark.rule("ASG-7", "ASG-5")
def test_a_change_of_hands_has_a_reason_and_moves_no_deadline() -> None:
    (event,) = handed(assigned, "sales", "sales-officer", "sales sold it")
    assert (event.round, event.reason, event.ground.person) == (2, "sales sold it", "li.wei")
    assert event.due == on_record(assigned).handling.assignments[0].due
    assert handed(after(assigned, [event]), "sales", "sales-officer") == [], "they have it"


@pytest.mark.rule("ASG-2")
@pytest.mark.parametrize(("unit", "person"), [("sales", "nobody"), ("sales", "quality-officer")])
def test_only_a_person_of_that_unit_can_be_named(unit: str, person: str) -> None:
    with pytest.raises(reassign.CannotAnswer) as refused:
        handed(assigned, unit, person)
    assert person in refused.value.facts["because"]


@pytest.mark.rule("ASG-5")
def test_passed_around_too_often_it_goes_to_leadership_by_itself() -> None:
    complaint = assigned
    for unit in ("technology", "production"):
        complaint = after(complaint, handed(complaint, unit, f"{unit}-officer"))
    around = handed(complaint, "sales", "sales-officer", "not ours")
    assert [type(each) for each in around] == [ComplaintAssigned, ComplaintEscalated]
    escalated = around[1]
    assert (escalated.cause, escalated.to.person) == (EscalationCause.BUCK_PASSING, "general-manager")
    assert escalated.tried == "not ours"
    assert "ASG-B1" in escalated.ground.clause
    led = after(complaint, around)
    assert on_record(led).handling.answerable == escalated.to
    assert handed(led, "sales", "sales-officer", "not ours") == [], "said before"
    (back,) = handed(led, "quality", "quality-officer", "the general manager says so")
    assert isinstance(back, ComplaintAssigned), "what leadership decides is no buck-passing"


@pytest.mark.rule("ASG-6")
def test_what_cannot_be_solved_goes_up_with_what_was_tried() -> None:
    (event,) = unsolved(assigned)
    assert (event.cause, event.tried, event.owed_by) == (EscalationCause.UNSOLVED, "two visits", OFFICER)
    assert (event.to.person, event.level) == ("general-manager", 2)
    assert event.ground.person == "quality-officer"
    up = after(assigned, [event])
    assert unsolved(up) == []
    assert unsolved(up, "and a third")[0].level == 3
    with pytest.raises(escalate.NotYetAssigned):
        unsolved(founded())


@pytest.mark.rule("SLA-3")
def test_a_missed_deadline_goes_up_the_ladder_rung_by_rung_once_each() -> None:
    (first,) = late(assigned)
    assert (first.cause, first.level, first.to.person) == (EscalationCause.OVERDUE, 1, "quality-head")
    assert (first.step, first.due_at, first.owed_by) == (Step.INVESTIGATE, NOW + 5 * DAY, OFFICER)
    up = after(assigned, [first])
    assert late(up) == []
    (second,) = late(up, step=Step.PROPOSE, owed_by=first.to)
    assert (second.level, second.to.person) == (2, "general-manager")


@pytest.mark.rule("SLA-3")
def test_what_nobody_has_yet_is_escalated_too() -> None:
    unassigned = founded()
    term = on_record(unassigned).handling.term
    assert term is not None
    (event,) = late(unassigned, step=Step.ASSIGN, due_at=term.due.due_at, owed_by=term.owed_by)
    assert event.to.person == "after-sales-head"
    assert [due.step for due in event.due] == [Step.ASSIGN], "leadership has its own time for it"
    waiting = on_record(after(unassigned, [event])).handling
    assert waiting.answerable is None
    assert waiting.term is not None
    assert waiting.term.owed_by == event.to
    (by_nobody,) = late(unassigned, step=Step.NOTIFY, owed_by=None)
    assert by_nobody.due == ()


@pytest.mark.parametrize("end", [withdraw_it, merge_it])
def test_after_it_was_taken_back_nothing_more_happens(end: Any) -> None:
    ended = after(assigned, when(end, assigned))
    assert late(ended) == []
    assert plan.planned(plan.assigned_by_policy, assign.decide)(MOMENT, ended) == []
    with pytest.raises((state.AlreadyWithdrawn, state.AlreadyMerged)):
        handed(ended, "sales", "sales-officer")


def test_what_is_closed_is_neither_handed_over_nor_escalated() -> None:
    closed = replace(MOMENT, closed=True)
    planned = partial(plan.reassigned, Answerable(unit="sales", person="sales-officer"), "why", "li.wei")
    with pytest.raises(state.AlreadyClosed):
        plan.planned(planned, reassign.decide)(closed, assigned)
    with pytest.raises(state.AlreadyClosed):
        plan.planned(partial(plan.escalated, "all", "li.wei"), escalate.decide)(closed, assigned)
    assert plan.planned(partial(plan.escalated_overdue, missed()), escalate.decide)(closed, assigned) == []


@pytest.mark.rule("CLS-7", "ASG-7")
def test_what_belongs_to_an_incident_is_assigned_as_major_and_names_it() -> None:
    complaint = founded()
    event = by_policy(after(complaint, when(join_it, complaint)))
    assert (event.severity, event.incident_id) == (Severity.MAJOR, INCIDENT.incident_id)
    assert event.due == deadlines.all_due(STANDARD, Severity.MAJOR, NOW)


@pytest.mark.rule("CLS-5")
def test_judged_unfounded_nobody_has_it_and_after_a_contest_it_is_assigned_anew() -> None:
    planned = partial(plan.judged_by_person, said("quality-head", founded=NO))
    unfounded = after(assigned, plan.planned(planned, classify.decide)(MOMENT, assigned))
    assert isinstance(unfounded, state.Unfounded)
    assert on_record(unfounded).handling.answerable is None
    planned = partial(plan.judged_by_person, said("after-sales-deputy"))
    again = after(unfounded, plan.planned(planned, classify.decide)(MOMENT, unfounded))
    event = by_policy(again, replace(MOMENT, now=NOW + 9 * DAY))
    assert event.round == 2
    assert event.due[0].due_at > NOW + 9 * DAY
