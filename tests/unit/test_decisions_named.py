"""Every decision names the version of the policy that it was made by (GOV-1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from libs.events.contracts import improve, penalize, propose
from libs.events.contracts.handling import Ground
from services.resolution import measure, state
from tests.unit.resolution_situations import (
    GROUND,
    POLICY,
    acquit_head,
    appeal_it,
    approve_it,
    clear,
    complete_it,
    effective,
    given,
    impose,
    ineffective,
    measured,
    open_it,
    plan_it,
    propose_it,
    punish,
    raise_it,
    recur,
    reduce_it,
    reject_it,
    reward_it,
    spare_it,
    waive_head,
    when,
)

proposed, charged = given(open_it, propose_it), given(open_it, raise_it)
appealed = given(open_it, *punish, appeal_it)
observed = measured(plan_it, complete_it)
DECISIONS: list[tuple[type[Any], Any, state.Case | measure.Improvement]] = [
    (propose.SolutionProposed, propose_it, given(open_it)),
    (propose.SolutionApproved, approve_it, proposed),
    (propose.SolutionRejected, reject_it, proposed),
    (penalize.SanctionImposed, impose, charged),
    (penalize.ResponsibilityWaived, waive_head, charged),
    (penalize.NoFaultFound, acquit_head, charged),
    (penalize.NoFaultFound, clear, given(open_it)),
    (penalize.AppealDecided, reduce_it, appealed),
    (penalize.RewardGranted, reward_it, given(open_it)),
    (improve.ImprovementPlanned, plan_it, measured()),
    (improve.ImprovementVerified, effective, observed),
    (improve.ImprovementVerified, ineffective, observed),
    (improve.ImprovementReopened, recur, observed),
    (improve.ImprovementNotNeeded, spare_it, given(open_it)),
]


@pytest.mark.rule("GOV-1")
@pytest.mark.parametrize(("decided", "command", "before"), DECISIONS)
def test_a_decision_names_the_version_it_was_made_by(decided: type[Any], command: Any, before: Any) -> None:
    named = [each.ground for each in when(command, before) if isinstance(each, decided)]
    assert named
    assert {ground.policy for ground in named if ground} == {POLICY.reference}


@pytest.mark.rule("GOV-1", "PRO-3")
def test_an_approval_is_given_by_the_matrix_that_asked_for_it() -> None:
    """Whichever version is in force by then."""
    by_then = replace(approve_it, policy=POLICY.model_copy(update={"version": POLICY.version + 1}))
    (approved,) = when(by_then, proposed)
    assert approved.ground == Ground(policy=POLICY.reference, clause="PRO-M3")


@pytest.mark.rule("GOV-1", "PEN-4")
def test_an_appeal_is_decided_by_the_clause_of_the_sanction() -> None:
    (decided,) = when(reduce_it, appealed)
    assert decided.ground == POLICY.ground("PEN-L1")


@pytest.mark.rule("GOV-1", "PEN-5")
def test_that_nobody_is_at_fault_rests_on_what_the_finding_was_weighed_by() -> None:
    assert [each.ground for each in when(clear, given(open_it))] == [GROUND, GROUND]
