"""A day off announced late moves what was fixed for a case or a measure, whatever it is (SLA-2, trap 7)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Severity, Step, StepDue
from libs.events.contracts.penalize import AppealOverdue
from libs.events.contracts.term import Breach, MovedDue
from libs.policy import deadlines
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from services.resolution import measure, state
from tests.packs import changed
from tests.unit.resolution_situations import (
    DAY,
    MEASURE,
    NOW,
    POLICY,
    accept,
    after,
    appeal_it,
    close_it,
    complete_it,
    decline,
    given,
    hand_over,
    impose,
    ineffective,
    measured,
    offer,
    open_it,
    pass_all,
    plan_it,
    propose_it,
    punish,
    raise_it,
    reject_it,
    reopen_it,
    resolve,
    waive_head,
    when,
)
from tests.unit.resolution_tables import SNOWED, recompute_it, recompute_measure

SERIOUS = Severity.SERIOUS
MORE_SNOW = changed(
    ("version: 1", "version: 3"),
    (
        "single_days: []",
        "single_days: [{day: 2026-11-25, name: {zh: 雪, en: snow}},"
        " {day: 2026-11-26, name: {zh: 雪, en: snow}}]",
    ),
)
rule = pytest.mark.rule
SHORT = timedelta(microseconds=1)


def due(what: Step | Errand, since: datetime = NOW, policy: Pack = POLICY) -> StepDue:
    """By when it is due that counts from then, as part of some step."""
    found = deadlines.due(policy, what, SERIOUS, since)
    return StepDue(step=Step.PROPOSE, due_at=found.due_at, warn_at=found.warn_at)


def moved(command: Any, before: Any) -> dict[tuple[Step, str | None], MovedDue]:
    said = when(command, before)
    return {(each.due.step, each.about): each for event in said for each in event.moved}


TUESDAY = NOW + DAY
proposed = given(open_it, replace(propose_it, approvals_due=due(Errand.APPROVAL, TUESDAY), now=TUESDAY))
OFFICE = when(propose_it, given(open_it))[0].approvals[0].office
agreed = given(*offer, replace(accept, due=due(Errand.EXECUTION)))
rejected = given(open_it, propose_it, replace(reject_it, due=due(Step.PROPOSE)))
declined = given(*offer, replace(decline, due=due(Step.PROPOSE)))
charged = given(replace(open_it, due=()), replace(raise_it, persons=raise_it.persons[:1]))
appealed = given(open_it, *punish, replace(appeal_it, due=due(Errand.APPEAL)))
# When something is due that was asked for on Monday the 23rd or Tuesday the 24th; snow falls on the 25th.
OWED: dict[str, tuple[state.Case, Step, str, Step | Errand, datetime]] = {
    "an approval": (proposed, Step.PROPOSE, f"1/{OFFICE}", Errand.APPROVAL, TUESDAY),
    "carrying it out": (agreed, Step.PROPOSE, "1", Errand.EXECUTION, NOW),
    "another proposal, rejected": (rejected, Step.PROPOSE, "1", Step.PROPOSE, NOW),
    "another proposal, declined": (declined, Step.PROPOSE, "1", Step.PROPOSE, NOW),
    "a decision": (charged, Step.PENALIZE, state.name_of(charged.raised[0]), Step.PENALIZE, NOW),
    "an appeal": (appealed, Step.PENALIZE, "appeal/1", Errand.APPEAL, NOW),
}
every_kind = pytest.mark.parametrize(("case", "step", "about", "what", "since"), OWED.values(), ids=OWED)


@rule("SLA-2")
@every_kind
def test_it_is_due_a_working_day_later_and_late_only_then(
    case: state.Case, step: Step, about: str, what: Step | Errand, since: datetime
) -> None:
    lies = moved(recompute_it, case)[step, about]
    at = due(what, since, SNOWED).due_at
    assert (lies.before_at, lies.due.due_at) == (due(what, since).due_at, at)
    assert (lies.breach, lies.running) == (None, True)
    later = after(case, when(recompute_it, case))
    assert (step, about) not in moved(recompute_it, later)
    clock = replace(pass_all, policy=SNOWED)
    said = [_of(each) for each in when(replace(clock, now=lies.before_at), later)]
    assert (step, about, at) not in said
    assert (step, about, lies.before_at) not in said
    assert [_of(each) for each in when(replace(clock, now=at), later)].count((step, about, at)) == 1


@rule("SLA-2", "SLA-3")
@every_kind
def test_what_was_late_by_the_old_calendar_only_is_lifted_and_what_is_late_all_the_same_is_not_said_again(
    case: state.Case, step: Step, about: str, what: Step | Errand, since: datetime
) -> None:
    before, at = due(what, since).due_at, due(what, since, SNOWED).due_at
    missed = after(case, when(replace(pass_all, now=before), case))
    assert moved(replace(recompute_it, now=at), missed)[step, about].breach is Breach.STANDS
    in_time = replace(recompute_it, now=at - SHORT)
    assert moved(in_time, missed)[step, about].breach is Breach.LIFTED
    lifted = after(missed, when(in_time, missed))
    again = [_of(each) for each in when(replace(pass_all, policy=SNOWED, now=at), lifted)]
    assert (step, about, at) in again
    late = at + 10 * DAY
    assert moved(replace(recompute_it, now=late), missed)[step, about].breach is Breach.STANDS
    stands = after(missed, when(replace(recompute_it, now=late), missed))
    said = [_of(each) for each in when(replace(pass_all, policy=SNOWED, now=late), stands)]
    assert (step, about, at) not in said


def _of(said: Any) -> tuple[Step, str | None, datetime] | None:
    match said:
        case DeadlineMissed():
            return said.step, said.about, said.due_at
        case AppealOverdue():
            return Step.PENALIZE, f"appeal/{said.sanction}", said.due_at
        case _:
            return None


@rule("SLA-2", "SLA-9")
def test_what_another_proposal_had_left_moves_by_what_it_counts_from() -> None:
    """Two working days after the case began another one is owed, in what is left of its eight."""
    asked = NOW + 2 * DAY
    since_begun = given(open_it, propose_it, replace(reject_it, due=due(Step.PROPOSE), now=asked))
    lies = moved(recompute_it, since_begun)[Step.PROPOSE, "1"]
    assert (lies.before_at, lies.due.due_at) == (
        due(Step.PROPOSE).due_at,
        due(Step.PROPOSE, NOW, SNOWED).due_at,
    )


@rule("SLA-2", "PEN-1")
def test_a_decision_that_was_due_with_its_step_moves_as_the_step_did_once() -> None:
    case = given(open_it, replace(raise_it, persons=raise_it.persons[:1]))
    name = state.name_of(case.raised[0])
    assert case.raised[0].due == open_it.due[1]
    lies = moved(recompute_it, case)[Step.PENALIZE, name]
    assert (lies.before_at, lies.due) == (open_it.due[1].due_at, next(iter(recompute_it.moves.values())))
    later = after(case, when(recompute_it, case))
    assert moved(recompute_it, later) == {}
    assert moved(replace(recompute_it, moves={}), case) == {}  # until the step itself has moved


@rule("SLA-2")
def test_an_appeal_moves_in_a_closed_complaint_too_and_nothing_else_does() -> None:
    closed = given(*resolve, replace(appeal_it, due=due(Errand.APPEAL)), close_it)
    assert set(moved(recompute_it, closed)) == {(Step.PENALIZE, "appeal/1")}


@rule("SLA-2")
def test_the_times_of_a_reopening_move_and_those_of_a_later_assignment_are_not_ours_to_move() -> None:
    at = NOW + DAY
    times = tuple(
        replace(due(step, at), step=step) for step in (Step.INVESTIGATE, Step.PROPOSE, Step.IMPROVE)
    )
    reopened = given(*resolve, close_it, replace(reopen_it, due=times, now=at))
    assert set(moved(recompute_it, reopened)) == {(each.step, None) for each in times}
    found = replace(recompute_it, done=frozenset({Step.INVESTIGATE}))
    assert set(moved(found, reopened)) == {(Step.PROPOSE, None), (Step.IMPROVE, None)}
    later = after(reopened, when(recompute_it, reopened))
    assert later.handling is not None
    assert later.handling.due == tuple(replace(due(s.step, at, SNOWED), step=s.step) for s in times)
    taken_over = after(later, when(replace(hand_over, due=later.handling.due), later))
    assert set(moved(replace(recompute_it, policy=MORE_SNOW), taken_over)) == {(e.step, None) for e in times}
    anew = after(later, when(replace(hand_over, due_as_of=20), later))
    assert moved(replace(recompute_it, policy=MORE_SNOW), anew) == {}


@rule("SLA-2")
def test_what_the_assignment_gave_is_not_moved_twice() -> None:
    """Intake says it; the case follows (ASG-7)."""
    assert when(recompute_it, given(open_it)) == []


@rule("SLA-2", "SLA-3")
def test_a_step_that_is_late_where_intake_has_moved_it_is_not_said_to_be_late_again() -> None:
    was, *others = open_it.due
    missed = given(open_it, replace(pass_all, now=was.due_at))
    lies = replace(was, due_at=was.due_at + DAY, warn_at=was.warn_at + DAY)
    for now, late in ((lies.due_at + DAY, []), (was.due_at, [lies.due_at])):
        moving = replace(hand_over, answerable=open_it.answerable, due=(lies, *others), due_as_of=20, now=now)
        later = after(missed, when(moving, missed))
        said = when(replace(pass_all, now=lies.due_at + DAY), later)
        assert [each.due_at for each in said if isinstance(each, DeadlineMissed)] == late


@rule("SLA-2", "IMP-1")
def test_a_measure_is_due_later_unless_a_person_set_its_date() -> None:
    by_policy = due(Errand.MEASURE)
    planned = measured(replace(plan_it, due_at=by_policy.due_at, warn_at=by_policy.warn_at))
    lies = moved(recompute_measure, planned)[Step.IMPROVE, str(MEASURE)]
    assert lies.due.due_at == due(Errand.MEASURE, NOW, SNOWED).due_at
    later = after(planned, when(recompute_measure, planned))
    assert isinstance(later, measure.Planned)
    assert (later.plan.due_at, later.plan.planned_by) == (lies.due.due_at, None)
    again = replace(recompute_measure, planned_by=None, policy=MORE_SNOW)
    twice = moved(again, later)[Step.IMPROVE, str(MEASURE)]
    assert twice.due.due_at == due(Errand.MEASURE, NOW, MORE_SNOW).due_at
    assert when(recompute_measure, measured(plan_it)) == []


@rule("SLA-2", "IMP-1")
def test_the_check_of_its_effect_and_what_follows_when_there_was_none_move_too() -> None:
    observed = NOW + DAY  # so that the snow falls within the time of the check
    check = due(Errand.VERIFICATION, observed)
    complete = replace(
        complete_it, observed_until=observed, due_at=check.due_at, warn_at=check.warn_at, now=NOW
    )
    done, fixed_anew = measured(plan_it, complete), replace(recompute_measure, planned_by=None)
    assert moved(fixed_anew, done)[Step.IMPROVE, str(MEASURE)].due.due_at == (
        due(Errand.VERIFICATION, observed, SNOWED).due_at
    )
    more = due(Errand.MEASURE, TUESDAY)
    failed = replace(ineffective, due_at=more.due_at, warn_at=more.warn_at, now=TUESDAY)
    again = measured(plan_it, complete, failed)
    assert moved(fixed_anew, again)[Step.IMPROVE, str(MEASURE)].due.due_at == (
        due(Errand.MEASURE, TUESDAY, SNOWED).due_at
    )


@rule("SLA-2", "SLA-3")
def test_a_late_measure_is_lifted_and_can_be_late_again_or_stands_and_is_not_said_again() -> None:
    by_policy, at = due(Errand.MEASURE), due(Errand.MEASURE, NOW, SNOWED).due_at
    planned = measured(replace(plan_it, due_at=by_policy.due_at, warn_at=by_policy.warn_at))
    missed = after(planned, when(replace(pass_all, now=by_policy.due_at), planned))
    for now, breach, expected in ((at - SHORT, Breach.LIFTED, [at]), (at, Breach.STANDS, [])):
        moving = replace(recompute_measure, now=now)
        assert moved(moving, missed)[Step.IMPROVE, str(MEASURE)].breach is breach
        lies = after(missed, when(moving, missed))
        said = when(replace(pass_all, policy=SNOWED, now=at), lies)
        assert [each.due_at for each in said if isinstance(each, DeadlineMissed)] == expected


@rule("SLA-2")
def test_what_is_settled_is_told_nothing_of() -> None:
    settled = given(open_it, raise_it, impose, waive_head)
    assert when(recompute_it, settled) == []
