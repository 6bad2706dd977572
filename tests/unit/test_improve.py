"""Step 8, rule by rule: measures, their completion, the check of their effect, recurrence (IMP)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from libs.events import errors
from services.resolution import complete, improve, measure, spare, state, verify
from services.resolution.owed import Want, of_improvement
from tests.unit.resolution_situations import (
    AGAIN,
    DAY,
    FINDING,
    NOW,
    OTHER,
    THIS,
    complete_it,
    effective,
    extend_it,
    given,
    ineffective,
    join_measure,
    measured,
    open_it,
    plan_it,
    progress,
    recur,
    spare_it,
    when,
)

rule = pytest.mark.rule


def refuses(refusal: type[errors.Failure], command: object, before: object) -> None:
    with pytest.raises(refusal):
        when(command, before)


def plan_of(improvement: measure.Improvement) -> measure.Plan:
    assert not isinstance(improvement, measure.NotPlanned)
    return improvement.plan


@rule("IMP-1")
def test_a_measure_has_lesson_countermeasure_owner_and_due_date() -> None:
    (planned,) = when(plan_it, measure.INITIAL)
    assert (planned.lesson, planned.measure) == (plan_it.lesson, plan_it.measure)
    assert (planned.owner, planned.due_at) == (plan_it.owner, plan_it.due_at)
    refuses(state.NotYetFound, replace(plan_it, cause_code=None), measure.INITIAL)


@rule("IMP-1")
def test_it_progresses_is_completed_and_then_observed() -> None:
    assert len(plan_of(measured(plan_it, progress)).progress) == 1
    completed = measured(plan_it, progress, complete_it)
    assert isinstance(completed, measure.Completed)
    assert completed.completed.observed_until == complete_it.observed_until
    refuses(complete.AlreadyCompleted, progress, measured(plan_it, complete_it))


@rule("IMP-1")
def test_another_person_than_who_did_it_checks_the_effect() -> None:
    """Trap 19: corrective actions verified by the person who did them."""
    completed = measured(plan_it, progress, complete_it)
    for author in ("production-head", "production-officer"):  # who owns it and completed it, who worked on it
        refuses(verify.OwnMeasure, replace(effective, author=author), completed)
    assert when(effective, completed)


@rule("ASG-4", "IMP-1")
@pytest.mark.parametrize("about", ["quality-officer", "quality-head"])
def test_whom_it_is_about_neither_plans_the_measure_nor_adds_the_complaint_to_one(about: str) -> None:
    """Nor anybody below them; what one of many complaints is about is enough."""
    among = frozenset({"sales-head", about})
    refuses(state.JudgeInOwnCause, replace(plan_it, about=among), measured())
    refuses(state.JudgeInOwnCause, replace(extend_it, about=among, under=plan_it.under), measured(plan_it))


@rule("ASG-4", "IMP-1")
@pytest.mark.parametrize("about", ["quality-head", "general-manager"])
def test_whom_it_is_about_does_not_check_the_effect(about: str) -> None:
    """What one of many complaints is about is enough."""
    among = frozenset({"sales-head", about})
    refuses(state.JudgeInOwnCause, replace(effective, about=among), measured(plan_it, complete_it))


@rule("ASG-4", "IMP-3")
@pytest.mark.parametrize(
    ("about", "below"), [("quality-head", "somebody"), ("general-manager", "quality-head")]
)
def test_nothing_joins_a_measure_that_its_verifier_could_not_check_then(about: str, below: str) -> None:
    joining = replace(extend_it, about=frozenset({about}), below=frozenset({below}))
    with pytest.raises(improve.VerifierComplainedOf) as refused:
        when(joining, measured(plan_it, complete_it))
    assert refused.value.facts["verifier"] == "quality-head"
    assert when(joining, measured(plan_it)), "who is to check it is named when it is complete"


@rule("IMP-1")
def test_it_is_found_effective_only_once_it_was_observed_long_enough() -> None:
    refuses(verify.NotYetCompleted, effective, measured(plan_it))
    early = replace(effective, now=complete_it.observed_until - DAY)
    refuses(verify.StillObserved, early, measured(plan_it, complete_it))
    assert when(ineffective, measured(plan_it, complete_it)), "that it failed shows sooner"


@rule("IMP-1")
def test_somebody_owes_the_next_step_of_a_measure_until_it_proved_effective() -> None:
    owed: dict[Want, tuple[str, list[tuple[Any, ...]]]] = {
        Want.COMPLETION: (
            "production-head",
            [(), (progress,), (complete_it, ineffective), (complete_it, recur)],
        ),
        Want.VERIFICATION: ("quality-head", [(complete_it,)]),
    }
    for want, (person, histories) in owed.items():
        for happened in histories:
            (missing,) = of_improvement(measured(plan_it, *happened))
            assert (missing.what, missing.owed_by.person) == (want, person)
    assert list(of_improvement(measured(plan_it, complete_it, effective))) == []


@rule("IMP-2")
def test_the_same_cause_coming_back_while_it_is_observed_reopens_it() -> None:
    reopened = measured(plan_it, complete_it, recur)
    assert isinstance(reopened, measure.Planned)
    assert plan_of(reopened).due_at == recur.due_at
    assert plan_of(reopened).complaint_ids == (THIS, AGAIN)
    assert isinstance(measured(plan_it, complete_it, effective, recur), measure.Planned)


@rule("IMP-2")
@pytest.mark.parametrize(
    "other",
    [
        replace(recur, cause_code="another"),
        replace(recur, recorded_at=complete_it.now - DAY),
        replace(recur, recorded_at=complete_it.observed_until + DAY),
        replace(recur, complaint_id=THIS),
    ],
    ids=["another cause", "before it was in place", "after it was observed", "what it was made for"],
)
def test_nothing_else_reopens_it(other: verify.NoteRecurrence) -> None:
    assert when(other, measured(plan_it, complete_it)) == []


@rule("IMP-2")
def test_one_finding_reopens_a_measure_once() -> None:
    again = replace(complete_it, now=NOW + 60 * DAY, observed_until=NOW + 150 * DAY)
    late = replace(recur, recorded_at=NOW + 61 * DAY)
    assert when(late, measured(plan_it, complete_it, recur, again)) == []
    another = replace(late, finding_id=UUID(int=99), complaint_id=UUID(int=98))
    assert when(another, measured(plan_it, complete_it, recur, again))
    assert another.finding_id != FINDING


@rule("IMP-3")
def test_one_measure_answers_many_complaints_until_it_proved_effective() -> None:
    assert plan_of(measured(plan_it, extend_it)).complaint_ids == (THIS, OTHER)
    (completed,) = when(complete_it, measured(plan_it, extend_it))
    assert completed.complaint_ids == (THIS, OTHER), "so that all their customers hear of it"
    refuses(improve.AlreadyVerified, extend_it, measured(plan_it, complete_it, effective))


def test_none_is_needed_only_once_the_cause_is_known_and_no_measure_is_planned() -> None:
    refuses(state.NotYetFound, replace(spare_it, found=False), given(open_it))
    refuses(spare.MeasurePlanned, spare_it, given(open_it, join_measure))
    (spared,) = when(spare_it, given(open_it))
    assert spared.reason == spare_it.reason
