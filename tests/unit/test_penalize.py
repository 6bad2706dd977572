"""Step 7, rule by rule: who answers, sanctions and what they rest on, waivers, appeals, rewards (PEN)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from libs.events import errors
from libs.events.contracts import investigate, propose
from libs.events.contracts.handling import Answerable, Kind, Step
from libs.events.contracts.penalize import AppealOutcome, Bears, Charge, SanctionWay
from libs.events.contracts.values import Channel
from libs.policy import sanctions
from services.resolution import appeal, binding, judge, penalize, responsibility, reward, state
from services.resolution.deduct import Wage
from tests.contract import samples
from tests.packs import about_product
from tests.unit.resolution_situations import (
    DAY,
    FINDING,
    MISSED,
    NOBODY,
    NOW,
    OFFICER,
    POLICY,
    RULES,
    THIS,
    acquit_head,
    appeal_it,
    clear,
    close_it,
    cny,
    given,
    impose,
    impose_on_head,
    open_it,
    punish,
    raise_it,
    raise_late,
    reduce_it,
    reopen_it,
    resolve,
    reward_it,
    spare_it,
    state_case,
    waive_head,
    when,
)
from tests.unit.resolution_world import REPLY, assigned, contested, resolved, unfounded

rule = pytest.mark.rule
CHARGED = given(open_it, raise_it, raise_late)
DISMISSAL, LEGAL_ACTION = (
    next(each.clause for each in POLICY.sanctions.clauses if each.way is way)
    for way in (SanctionWay.DISMISSAL, SanctionWay.LEGAL_ACTION)
)


def refuses(refusal: type[errors.Failure], command: object, case: state.Case) -> errors.Failure:
    with pytest.raises(refusal) as refused:
        when(command, case)
    return refused.value


@rule("PEN-1", "INV-3")
def test_who_came_late_to_a_customer_answers_for_it_and_their_head() -> None:
    """Whom force majeure kept is on time; what else came of the visit does not matter."""
    agreed = replace(
        samples.sample(investigate.FieldVisitAgreed, "agreed"),
        complaint_id=THIS,
        visit=1,
        person="station-east-officer",
    )
    made = replace(samples.sample(investigate.FieldVisitMade, "made"), complaint_id=THIS, visit=1)
    for on_time, persons in ((True, set()), (False, {"station-east-officer", "station-east-head"})):
        visited = assigned.says(agreed, replace(made, on_time=on_time), category="investigation")
        raised = visited.complaint.case.raised
        assert {each.person for each in raised} == persons
        assert {each.charge for each in raised} <= {Charge.HANDLING}


@rule("PEN-1")
def test_what_was_not_handled_to_satisfaction_is_put_to_who_had_it_and_their_head() -> None:
    """It has to be reopened; what is reopened for any other reason was not badly handled."""
    again = resolved.does(reopen_it)
    (reopened,) = [each for each in again.events if isinstance(each.event, propose.ComplaintReopened)]
    raised = [each for each in again.complaint.case.unsettled if each.rests_on == reopened.envelope.event_id]
    assert {(each.person, each.charge) for each in raised} == {
        ("quality-officer", Charge.HANDLING),
        ("quality-head", Charge.HANDLING),
    }
    closed = resolved.complaint.case.closed
    assert closed is not None
    assert {each.acted_at for each in raised} == {closed.closed_at}
    assert unfounded.says(REPLY, category="notifier").says(contested()).complaint.case.raised == ()


@rule("PEN-1")
def test_who_is_responsible_and_the_head_of_their_unit_answer() -> None:
    raised = when(raise_it, given(open_it))
    assert [(each.person, each.bears) for each in raised] == [
        ("production-officer", Bears.DIRECT),
        ("production-head", Bears.HEAD),
    ]
    assert {each.rests_on for each in raised} == {FINDING}


@rule("PEN-1", "SLA-3")
def test_a_missed_deadline_is_put_to_who_owed_it_and_their_head() -> None:
    raised = when(raise_late, given(open_it))
    assert [(each.person, each.charge) for each in raised] == [
        ("quality-officer", Charge.HANDLING),
        ("quality-head", Charge.HANDLING),
    ]


@rule("PEN-1", "SLA-3")
def test_what_nobody_was_assigned_is_put_to_the_head_of_the_unit_that_gets_the_rest() -> None:
    (raised,) = when(replace(raise_late, persons=(), unit="after-sales"), state.INITIAL)
    assert (raised.person, raised.bears) == ("after-sales-head", Bears.HEAD)


@rule("PEN-1")
def test_somebody_owes_each_decision_and_never_about_their_superior() -> None:
    mine = replace(raise_it, persons=(OFFICER,), unit="quality")
    raised = {each.person: each.owed_by.person for each in when(mine, given(open_it))}
    assert set(raised) == {"quality-officer", "quality-head"}
    for person, owes in raised.items():
        assert owes not in (person, "quality-officer", "quality-deputy")
    refuses(state.JudgeInOwnCause, replace(impose, author="production-officer"), CHARGED)
    below = replace(impose_on_head, author="production-deputy", under=frozenset({"production-head"}))
    refuses(state.JudgeInOwnCause, below, CHARGED)


BELOW = frozenset({"quality-head", "general-manager"})


@rule("ASG-4", "PEN-3", "PEN-5")
@pytest.mark.parametrize("command", [impose, impose_on_head, waive_head, acquit_head, spare_it])
def test_in_a_complaint_about_a_supervisor_neither_they_nor_anybody_below_them_decides(command: Any) -> None:
    refuses(state.JudgeInOwnCause, replace(command, about="quality-officer"), CHARGED)
    refuses(state.JudgeInOwnCause, replace(command, about="quality-head", under=BELOW), CHARGED)
    above = replace(command, about="quality-head", author="deputy-general-manager", under=NOBODY)
    assert when(above, CHARGED)


@rule("ASG-4", "PEN-1")
def test_in_a_complaint_about_a_supervisor_decisions_are_owed_above_them() -> None:
    of_his_unit = replace(raise_it, about="quality-head")
    owed_by = {each.owed_by.person for each in when(of_his_unit, given(open_it))}
    assert owed_by.isdisjoint({"quality-head", "quality-officer", "quality-deputy"})


@rule("ASG-4", "PEN-4")
def test_no_appeal_is_decided_by_whom_the_complaint_is_about() -> None:
    day = date(2026, 11, 23)
    judge_of = sanctions.decides_appeal(POLICY, day, "quality-officer", "production-officer")
    other = sanctions.decides_appeal(POLICY, day, "quality-officer", "production-officer", judge_of.person)
    assert judge_of.person == "human-resources-head"
    assert other.person not in (judge_of.person, "quality-officer", "production-officer")


@rule("PEN-1")
def test_the_same_cause_is_put_to_a_person_once_and_another_one_again() -> None:
    assert when(raise_it, CHARGED) == []
    assert len(when(replace(raise_it, rests_on=MISSED), CHARGED)) == 2


@rule("PEN-2")
@pytest.mark.parametrize(
    ("clause", "facts", "way"),
    [
        ("PEN-L1", {}, SanctionWay.PAY_SHARE),
        ("PEN-C1", {}, SanctionWay.CRITICISM),
        ("PEN-F2", {}, SanctionWay.FINE),
        ("PEN-M3", {}, SanctionWay.MAJOR_DEMERIT),
        ("PEN-E1", {"kind": Kind.PERSONNEL_MISCONDUCT}, SanctionWay.DEMERIT),
        (DISMISSAL, {"kind": Kind.PERSONNEL_MISCONDUCT}, SanctionWay.DISMISSAL),
        (LEGAL_ACTION, {"kind": Kind.PERSONNEL_MISCONDUCT}, SanctionWay.LEGAL_ACTION),
    ],
)
def test_a_sanction_is_fixed_by_a_clause_of_the_schedule(
    clause: str, facts: dict[str, Kind], way: SanctionWay
) -> None:
    found = about_product(**{"kind": Kind.PRODUCT_QUALITY, "loss": Decimal(900), **facts})
    (imposed,) = when(replace(impose, clause=clause, rules=replace(RULES, facts=found)), CHARGED)
    assert (imposed.way, imposed.ground.clause, imposed.ground.policy) == (way, clause, POLICY.reference)


@rule("PEN-2")
def test_a_clause_that_does_not_apply_is_refused_with_those_that_do() -> None:
    refused = refuses(penalize.ClauseDoesNotApply, replace(impose, clause=DISMISSAL), CHARGED)
    assert "PEN-L1" in refused.facts["applicable"]
    head = refuses(penalize.ClauseDoesNotApply, replace(impose_on_head, clause="PEN-M3"), CHARGED)
    assert head.facts["applicable"] == ["PEN-L1", "PEN-C1"]


@rule("PEN-2", "INV-6")
def test_a_repeat_repair_may_cost_a_major_demerit() -> None:
    repeat = about_product(kind=Kind.PRODUCT_QUALITY, repeat_repair=True)
    clause = replace(impose, clause="PEN-M4")
    refuses(penalize.ClauseDoesNotApply, clause, CHARGED)
    assert when(replace(clause, rules=replace(RULES, facts=repeat)), CHARGED)


@rule("PEN-3")
def test_nothing_is_imposed_before_it_was_verified() -> None:
    refuses(responsibility.NothingToAnswerFor, impose, given(open_it))
    (imposed,) = when(impose, CHARGED)
    assert imposed.rests_on == FINDING


@rule("PEN-3")
def test_the_rules_of_the_day_of_the_act_decide() -> None:
    before = replace(RULES, acted_at=NOW - timedelta(days=400))
    refuses(binding.RulesNotInForce, replace(impose, rules=before), CHARGED)


@rule("PEN-3", "LAW-1")
def test_published_rules_bind_whoever_had_acknowledged_them_before_the_act() -> None:
    published = replace(RULES, shipped=False)
    refuses(binding.RulesNotAcknowledged, replace(impose, rules=published), CHARGED)
    too_late = replace(published, acknowledged_at=RULES.acted_at + timedelta(minutes=1))
    refuses(binding.RulesNotAcknowledged, replace(impose, rules=too_late), CHARGED)
    before = replace(published, acknowledged_at=RULES.acted_at - DAY)
    assert when(replace(impose, rules=before), CHARGED)


@rule("LAW-1")
def test_no_month_bears_more_than_the_law_allows_and_the_rest_is_carried_on() -> None:
    grave = about_product(kind=Kind.PRODUCT_QUALITY, loss=Decimal(90_000))
    wage = Wage(month=Decimal(5000), already={date(2026, 11, 1): Decimal(600)})
    (imposed,) = when(replace(impose, rules=replace(RULES, facts=grave), wage=wage), CHARGED)
    assert imposed.amount == cny("1000")
    months = [(each.month, each.money.amount) for each in imposed.installments]
    assert months == [(date(2026, 11, 1), Decimal(400)), (date(2026, 12, 1), Decimal(600))]


@rule("LAW-1")
def test_what_no_month_can_bear_is_said() -> None:
    poor = Wage(month=Decimal(2740))  # the minimum wage: nothing may be deducted
    (imposed,) = when(replace(impose, wage=poor), CHARGED)
    assert imposed.installments == ()
    assert imposed.beyond == imposed.amount


@rule("PEN-4")
def test_only_the_person_states_their_case_and_appeals_in_words_of_their_own() -> None:
    sanctioned = given(open_it, *punish)
    refuses(appeal.NotYours, replace(state_case, author="production-head"), sanctioned)
    refuses(appeal.NotYours, replace(appeal_it, author="quality-officer"), sanctioned)
    (stated,) = when(state_case, sanctioned)
    assert stated.data_subject == "staff:production-officer"


@rule("PEN-4")
def test_another_person_decides_the_appeal_the_one_named_when_it_was_made() -> None:
    appealed = given(open_it, *punish, appeal_it)
    refuses(state.JudgeInOwnCause, replace(reduce_it, author="quality-officer"), appealed)
    refuses(state.JudgeInOwnCause, replace(reduce_it, author="production-officer"), appealed)
    refuses(judge.NotTheJudge, replace(reduce_it, author="sales-head"), appealed)
    refuses(judge.NotYetAppealed, reduce_it, given(open_it, *punish))


@rule("PEN-4")
def test_an_appeal_is_upheld_reduced_or_lifted() -> None:
    appealed = given(open_it, *punish, appeal_it)
    (imposed,) = when(impose, CHARGED)
    (upheld,) = when(replace(reduce_it, outcome=AppealOutcome.UPHELD, amount=None), appealed)
    assert (upheld.amount, upheld.installments) == (imposed.amount, imposed.installments)
    (reduced,) = when(reduce_it, appealed)
    assert [each.money for each in reduced.installments] == [cny("50")]
    (lifted,) = when(replace(reduce_it, outcome=AppealOutcome.LIFTED, amount=None), appealed)
    assert (lifted.way, lifted.amount, lifted.installments) == (None, None, ())
    for wrong in (None, cny("0"), imposed.amount):
        refuses(judge.NotReduced, replace(reduce_it, amount=wrong), appealed)
    decided = given(open_it, *punish, appeal_it, reduce_it)
    refuses(judge.DecidedBefore, replace(reduce_it, amount=cny("60")), decided)


@rule("PEN-4")
def test_a_demerit_is_reduced_to_a_milder_way() -> None:
    demerit = replace(impose, clause="PEN-M3")
    appealed = given(open_it, raise_it, demerit, appeal_it)
    milder = replace(reduce_it, amount=None, way=SanctionWay.CRITICISM)
    (reduced,) = when(milder, appealed)
    assert (reduced.way, reduced.amount) == (SanctionWay.CRITICISM, None)
    refuses(judge.NotReduced, replace(milder, way=SanctionWay.DISMISSAL), appealed)
    refuses(judge.NotReduced, replace(milder, way=None), appealed)


@rule("PEN-2", "PEN-4")
def test_a_cancelled_dealership_can_be_left_at_criticism() -> None:
    returned = about_product(kind=Kind.PRODUCT_QUALITY, channel=Channel.DEALER)
    cancelled = replace(impose, clause="PEN-D2", rules=replace(RULES, facts=returned))
    appealed = given(open_it, raise_it, cancelled, appeal_it)
    (reduced,) = when(replace(reduce_it, amount=None, way=SanctionWay.CRITICISM), appealed)
    assert (reduced.way, reduced.amount) == (SanctionWay.CRITICISM, None)


@rule("PEN-4")
def test_a_sanction_can_be_appealed_after_the_complaint_has_closed() -> None:
    closed = given(*resolve, close_it)
    assert when(appeal_it, closed)
    assert given(*resolve, close_it, appeal_it).appeals
    assert given(*resolve, close_it, appeal_it, reduce_it).appeals == ()


@rule("PEN-5")
def test_a_waiver_and_no_fault_settle_a_responsibility_with_their_reason() -> None:
    for command in (waive_head, acquit_head):
        (decided,) = when(command, CHARGED)
        assert decided.reason == "she had warned of it"
        assert (decided.person, decided.unit) == ("production-head", "production")
        refuses(responsibility.AlreadySettled, impose_on_head, given(open_it, raise_it, command))


@rule("PEN-5")
def test_where_the_company_is_not_the_cause_nobody_is_at_fault_and_no_measure_is_needed() -> None:
    acquitted, spared = when(clear, given(open_it))
    assert (acquitted.person, acquitted.decided_by) == (None, "rule")
    assert spared.author == "rule"


@rule("PEN-6")
def test_a_reward_is_recorded_like_a_sanction_and_nobody_rewards_themselves() -> None:
    (granted,) = when(reward_it, given(open_it))
    assert (granted.person, granted.amount, granted.granted_by) == (
        "station-east-officer",
        cny("200"),
        "after-sales-head",
    )
    refuses(reward.OwnReward, replace(reward_it, author="station-east-officer"), given(open_it))


def test_the_last_decision_says_that_it_is_the_last() -> None:
    (first,) = when(impose, given(open_it, raise_it))
    (second,) = when(waive_head, given(open_it, raise_it, impose))
    assert (first.complete, second.complete) == (False, True)


def test_several_responsibilities_of_one_charge_are_told_apart_by_what_they_rest_on() -> None:
    twice = given(open_it, raise_it, replace(raise_it, rests_on=MISSED))
    (imposed,) = when(replace(impose, rests_on=MISSED), twice)
    assert imposed.rests_on == MISSED
    assert when(impose, twice)[0].rests_on == FINDING


def test_decisions_have_a_due_time_also_when_that_of_the_step_is_over() -> None:
    late = replace(raise_it, now=NOW + 40 * DAY)
    for raised in when(late, given(open_it)):
        assert raised.due.step is Step.PENALIZE
        assert raised.due.due_at > late.now
    assert when(raise_it, given(open_it))[0].due.due_at == NOW + 20 * DAY
    stranger = replace(raise_it, persons=(Answerable(unit="supplier-1", person="nobody-known"),))
    assert [each.person for each in when(stranger, given(open_it))] == ["nobody-known"]
