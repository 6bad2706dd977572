"""Step 2 decided: rules and persons, contests and clocks, each rule by what it comes to (CLS, REC-2, SLA)."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from libs.events import errors
from libs.events.contracts.classify import ComplaintClassified
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Kind, Nature, Severity, Step
from libs.events.contracts.personal import ERASED
from libs.events.contracts.values import (
    Complainant,
    Contact,
    Demand,
    DemandKind,
    Detail,
    Product,
    Respondent,
    RespondentKind,
)
from services.intake import classify, contest, overdue, plan, state
from tests.unit.intake_situations import (
    EARLIER,
    MOMENT,
    NO,
    NOW,
    after,
    amend_it,
    assign_it,
    classify_it,
    complete_it,
    contest_it,
    convert_it,
    given,
    join_it,
    judge_it,
    merge_it,
    on_record,
    record_enquiry,
    record_it,
    reject_it,
    said,
    separate_it,
    when,
    withdraw_it,
)

WHOLE = Product(
    order_number="SO-1", part_number="LED-T8-18W", quantity=40, defective_quantity=3, requirement="no flicker"
)
DAY = timedelta(days=1)


def by_rule(complaint: state.Complaint, now: Any = NOW) -> list[ComplaintClassified]:
    """What the policy makes of it."""
    decide = plan.planned(plan.judged_by_policy, classify.decide)
    return decide(replace(MOMENT, now=now), complaint)


def by_person(complaint: state.Complaint, person: str = "quality-officer", **judged: Any) -> list[Any]:
    """What somebody judges."""
    planned = partial(plan.judged_by_person, said(person, **judged))
    return plan.planned(planned, classify.decide)(MOMENT, complaint)


def judged(complaint: state.Complaint) -> state.Complaint:
    """After the policy has judged."""
    return after(complaint, by_rule(complaint))


def passed(complaint: state.Complaint, now: Any, step: Step = Step.CLASSIFY) -> list[Any]:
    """What the clock says."""
    decide = plan.planned(partial(plan.passing, step), overdue.decide)
    return decide(replace(MOMENT, now=now), complaint)


def recorded(**changes: Any) -> state.Complaint:
    return given(replace(record_it, product=WHOLE, required_details={}, **changes))


@pytest.mark.rule("CLS-1", "CLS-2", "CLS-6")
@pytest.mark.parametrize(
    ("changes", "kind", "nature"),
    [
        ({}, Kind.PRODUCT_QUALITY, Nature.QUALITY_ANOMALY),
        (
            {"respondent": Respondent(kind=RespondentKind.SERVICE, reference="hotline")},
            Kind.SERVICE,
            Nature.HUMAN_FACTORS,
        ),
        ({"demand": Demand(kind=DemandKind.IMPROVEMENT)}, Kind.SUGGESTION, Nature.OTHER),
        ({"narrative": "违反合同条款"}, Kind.CONTRACT_DISPUTE, Nature.OTHER),
        ({"narrative": "it was damaged in transit"}, Kind.TRANSPORT, Nature.OTHER),
        (
            {
                "respondent": Respondent(kind=RespondentKind.PERSON, reference="sales-officer"),
                "narrative": "他向我索要红包",
            },
            Kind.PERSONNEL_MISCONDUCT,
            Nature.HUMAN_FACTORS,
        ),
    ],
)
def test_the_policy_judges_kind_and_nature_and_says_by_which_clauses(
    changes: dict[str, Any], kind: Kind, nature: Nature
) -> None:
    (event,) = by_rule(recorded(**changes))
    assert (event.kind, event.nature) == (kind, nature)
    assert event.ground.policy == "standard@1"
    assert event.ground.person is None
    assert "CLS-K" in (event.ground.clause or "")
    assert "CLS-N" in (event.ground.clause or "")


@pytest.mark.rule("CLS-3", "CLS-7")
@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, Severity.MINOR),
        ({"narrative": "灯管起火"}, Severity.MAJOR),
        ({"demand": Demand(kind=DemandKind.REFUND)}, Severity.SERIOUS),
    ],
)
def test_the_policy_judges_how_grave_it_is(changes: dict[str, Any], severity: Severity) -> None:
    (event,) = by_rule(recorded(**changes))
    assert event.severity is severity
    (joined,) = by_rule(after(recorded(**changes), when(join_it, recorded(**changes))))
    assert joined.severity is Severity.MAJOR


@pytest.mark.rule("CLS-4")
def test_founded_or_not_and_reasonable_or_not_each_with_its_reason() -> None:
    (event,) = by_rule(recorded())
    assert event.founded is not None
    assert event.founded.value
    assert event.founded.reason
    assert event.demand_reasonable is not None
    assert event.demand_reasonable.reason
    none_defective = replace(record_it, product=replace(WHOLE, defective_quantity=0), required_details={})
    (unfounded,) = by_rule(given(none_defective))
    assert unfounded.founded is not None
    assert not unfounded.founded.value
    assert isinstance(judged(given(none_defective)), state.Unfounded)
    assert unfounded.due == ()


@pytest.mark.rule("REC-2", "CLS-4")
def test_nothing_is_judged_founded_while_details_are_missing() -> None:
    complaint = given(record_it)
    (event,) = by_rule(complaint)
    assert (event.founded, event.kind) == (None, Kind.PRODUCT_QUALITY)
    assert [due.step for due in event.due] == [Step.CLASSIFY]
    assert event.owed_by is not None, "somebody has to ask for them"
    with pytest.raises(classify.DetailsMissing) as refused:
        by_person(complaint)
    assert refused.value.facts["missing_details"] == [Detail.QUANTITY]
    assert by_person(complaint, founded=NO), "that it is unfounded can be plain without them"
    complete = after(after(complaint, [event]), when(complete_it, complaint))
    (founded,) = by_rule(complete)
    assert founded.founded is not None
    assert isinstance(judged(complete), state.Founded)


@pytest.mark.rule("REC-4")
def test_no_enquiry_is_judged_until_it_becomes_a_complaint() -> None:
    assert by_rule(given(record_enquiry)) == []
    became = given(record_enquiry, convert_it)
    (event,) = by_rule(became, convert_it.now)
    assert event.due[0].due_at > convert_it.now
    assert on_record(became).contact is Contact.COMPLAINT


@pytest.mark.rule("CLS-6")
def test_a_persons_judgement_wins_and_the_rules_stays_visible() -> None:
    by_policy = judged(recorded())
    (event,) = by_person(by_policy, severity=Severity.MAJOR)
    assert event.ground.person == "quality-officer"
    overridden = after(by_policy, [event])
    handling = on_record(overridden).handling
    assert handling.severity is Severity.MAJOR
    assert [each.ground.person for each in handling.judgements] == [None, "quality-officer"]
    changed = after(overridden, when(replace(amend_it, narrative="灯管起火"), overridden))
    assert by_rule(changed) == [], "after a person judged, a rule does not judge again"


@pytest.mark.rule("CLS-6")
def test_after_a_person_judged_what_details_allow_no_rule_judges_when_they_come() -> None:
    waiting = after(given(record_it), by_person(given(record_it), founded=None))
    complete = after(waiting, when(complete_it, waiting))
    assert by_rule(complete) == []
    assert on_record(complete).handling.term is not None, "it is a person who still owes it"


def test_a_rule_judges_until_it_has_an_answer_and_no_longer() -> None:
    founded = judged(recorded())
    corrected = after(founded, when(replace(amend_it, narrative="灯管起火"), founded))
    assert by_rule(corrected) == []


@pytest.mark.rule("CLS-5")
def test_the_customer_contests_once_with_new_facts_for_another_judge() -> None:
    unfounded = given(record_it, complete_it, reject_it)
    (contested,) = when(contest_it, unfounded)
    assert contested.judged_before_by == reject_it.ground.person
    assert contested.ground.clause == "CLS-C1"
    again = after(unfounded, [contested])
    (opened,) = by_rule(again)
    assert (opened.round, opened.founded, opened.demand_reasonable) == (2, None, None)
    assert opened.owed_by == Answerable(unit="after-sales", person="after-sales-deputy")
    assert [due.step for due in opened.due] == [Step.CLASSIFY]
    waiting = after(again, [opened])
    with pytest.raises(classify.JudgedBefore):
        by_person(waiting, str(reject_it.ground.person))
    final = after(waiting, by_person(waiting, "after-sales-deputy", founded=NO))
    assert isinstance(final, state.Unfounded)
    with pytest.raises(contest.AlreadyContested):
        when(replace(contest_it, new_facts="and another thing"), final)


@pytest.mark.rule("CLS-5")
def test_a_contest_needs_facts_that_are_new_and_a_judgement_to_contest() -> None:
    unfounded = given(record_it, complete_it, reject_it)
    with pytest.raises(contest.NothingNew):
        when(replace(contest_it, new_facts=record_it.narrative), unfounded)
    with pytest.raises(contest.NotUnfounded):
        when(contest_it, recorded())


@pytest.mark.rule("ASG-4", "CLS-6")
@pytest.mark.parametrize("judge", ["sales-head", "sales-officer"])
def test_nobody_judges_a_complaint_about_themselves_or_their_superior(judge: str) -> None:
    about = recorded(respondent=Respondent(kind=RespondentKind.PERSON, reference="sales-head"))
    with pytest.raises(state.JudgeInOwnCause):
        by_person(about, judge)
    assert by_person(about, "general-manager")


@pytest.mark.rule("SLA-3", "SLA-4")
def test_whoever_has_to_judge_is_warned_and_then_late_each_once_and_at_its_time() -> None:
    waiting = judged(given(record_it))
    term = on_record(waiting).handling.term
    assert term is not None
    assert passed(waiting, term.due.warn_at - timedelta(seconds=1)) == []
    (warned,) = passed(waiting, term.due.warn_at)
    assert (warned.owed_by, warned.warned_at) == (term.owed_by, term.due.warn_at)
    late = passed(waiting, term.due.due_at + 9 * DAY)
    assert [type(each) for each in late] == [DeadlineWarned, DeadlineMissed]
    assert late[1].missed_at == term.due.due_at
    assert late[1].noticed_at == term.due.due_at + 9 * DAY
    assert passed(after(waiting, late), term.due.due_at + 9 * DAY) == []


@pytest.mark.rule("SLA-3")
@pytest.mark.parametrize("end", [withdraw_it, merge_it, complete_it, reject_it])
def test_no_clock_runs_on_when_there_is_nothing_left_to_judge(end: Any) -> None:
    waiting = judged(given(record_it))
    ended = after(waiting, when(end, waiting))
    if end is complete_it:
        ended = judged(ended)
    assert passed(ended, NOW + 99 * DAY) == []


def test_a_customers_word_moves_no_deadline_and_a_graver_one_only_forward() -> None:
    waiting = judged(given(record_it))
    before = on_record(waiting).handling.term
    comment = after(waiting, when(replace(amend_it, narrative=None, supplement="and?"), waiting))
    assert by_rule(comment, NOW + timedelta(hours=1)) == []
    grave = after(waiting, when(replace(amend_it, narrative="灯管起火"), waiting))
    (event,) = by_rule(grave, NOW + timedelta(minutes=1))
    assert before is not None
    assert event.due[0].due_at < before.due.due_at


@pytest.mark.rule("REC-9")
def test_a_merge_undone_gives_the_clock_back_without_the_time_between() -> None:
    waiting = judged(given(record_it))
    merged = after(waiting, when(replace(merge_it, now=NOW), waiting))
    apart = after(merged, when(replace(separate_it, separated_from=EARLIER, now=NOW + 7 * DAY), merged))
    (event,) = by_rule(apart, NOW + 7 * DAY)
    before, again = on_record(waiting).handling.term, on_record(after(apart, [event])).handling.term
    assert before is not None
    assert again is not None
    assert again.due.due_at == before.due.due_at + 7 * DAY


@pytest.mark.rule("SLA-9")
def test_the_time_to_assign_does_not_run_while_the_customer_is_waited_for() -> None:
    complaint = judged(given(record_it))
    later = replace(complete_it, now=NOW + 5 * DAY)
    complete = after(complaint, when(later, complaint))
    (event,) = by_rule(complete, NOW + 5 * DAY)
    assert [due.step for due in event.due] == [Step.ASSIGN]
    assert event.due[0].due_at > NOW + 5 * DAY


@pytest.mark.parametrize("command", [judge_it, reject_it])
def test_what_is_closed_is_not_judged_again(command: Any) -> None:
    assigned = given(record_it, complete_it, classify_it, assign_it)
    with pytest.raises(state.AlreadyClosed):
        when(replace(command, closed=True), assigned)


def test_erased_words_say_nothing_and_are_no_obstacle() -> None:
    erased = replace(
        record_it,
        narrative=ERASED,
        complainant=Complainant(name=ERASED, address=ERASED),
        product=WHOLE,
        required_details={},
    )
    (event,) = by_rule(given(erased))
    assert event.severity is Severity.MINOR
    assert plan.assigned_by_policy(MOMENT, on_record(judged(given(erased)))).answerable.unit == "quality"


def test_there_is_nothing_to_plan_for_what_is_not_there() -> None:
    with pytest.raises(errors.NotFound):
        by_rule(state.INITIAL)
