"""Cases, measures and outcomes as they are answered."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from libs.policy.deadlines import Spent
from services.resolution import execute, measure, state
from services.resolution.models import (
    ApprovalWanted,
    CaseAnswer,
    EntryAnswer,
    ImprovementAnswer,
    MissingAnswer,
    OutcomeAnswer,
    SanctionAnswer,
    SolutionAnswer,
    StepAnswer,
    TimeAnswer,
    Undecided,
)
from services.resolution.outcome import Outcome, StepOutcome
from services.resolution.sanctioned import Sanction
from services.resolution.solution import (
    Agreed,
    CarriedOut,
    NothingProposed,
    Offered,
    Proposed,
    Solution,
    TurnedDown,
)
from services.resolution.views import MeasureStatus, SolutionStatus

_STATUS: Final[dict[type[Solution], SolutionStatus]] = {
    NothingProposed: SolutionStatus.NOTHING_PROPOSED,
    Proposed: SolutionStatus.PROPOSED,
    Offered: SolutionStatus.OFFERED,
    TurnedDown: SolutionStatus.TURNED_DOWN,
    Agreed: SolutionStatus.AGREED,
    CarriedOut: SolutionStatus.CARRIED_OUT,
}
_MEASURE_STATUS: Final[dict[type[measure.Existing], MeasureStatus]] = {
    measure.Planned: MeasureStatus.PLANNED,
    measure.Completed: MeasureStatus.COMPLETED,
    measure.Verified: MeasureStatus.VERIFIED,
}


def case(complaint_id: UUID, found: state.Case, version: int) -> CaseAnswer:
    """A complaint's case."""
    return CaseAnswer(
        complaint_id=complaint_id,
        version=version,
        round=found.round,
        answerable=found.handling.answerable if found.handling else None,
        solution=_solution(found),
        undecided=tuple(
            Undecided(
                person=each.person,
                unit=each.unit,
                charge=each.charge,
                bears=each.bears,
                rests_on=each.rests_on,
                acted_at=each.acted_at,
                owed_by=each.owed_by,
                due_at=each.due.due_at,
            )
            for each in found.unsettled
        ),
        sanctions=tuple(_sanction(each) for each in found.sanctions),
        rewards=len(found.rewards),
        improvement_not_needed=found.spared is not None,
        improvement_ids=found.improvements,
        outcome=found.closed.outcome if found.closed else None,
    )


def _solution(found: state.Case) -> SolutionAnswer:
    solution = found.solution
    proposal = None if isinstance(solution, NothingProposed) else solution.proposal
    waiting = solution.waiting_for if isinstance(solution, Proposed) else ()
    agreed = solution if isinstance(solution, Agreed) else None
    return SolutionAnswer(
        status=_STATUS[type(solution)],
        proposal=found.proposals,
        warranty=proposal.warranty if proposal else None,
        quote=proposal.quote if proposal else None,
        cost_bearer=proposal.cost_bearer if proposal else None,
        waiting_for=tuple(
            ApprovalWanted(office=each.office, person=each.person, clause=each.clause) for each in waiting
        ),
        stage=agreed.stage if agreed else None,
        next_stage=execute.next_stage(agreed) if agreed else None,
    )


def _sanction(found: Sanction) -> SanctionAnswer:
    imposed, decided = found.imposed, found.decided
    holds = decided or imposed
    appeal = "pending" if found.appealed else None
    return SanctionAnswer(
        sanction=imposed.sanction,
        person=imposed.person,
        charge=imposed.charge,
        clause=imposed.ground.clause,
        policy=imposed.ground.policy,
        way=holds.way,
        share=imposed.share,
        amount=holds.amount,
        installments={each.month: each.money.amount for each in holds.installments},
        appeal=decided.outcome if decided else appeal,
        judge=found.appealed.judge.person if found.appealed else None,
    )


def improvement(found: measure.Existing, version: int) -> ImprovementAnswer:
    """A measure."""
    plan = found.plan
    completed = None if isinstance(found, measure.Planned) else found.completed
    again = isinstance(found, measure.Planned) and (plan.recurred or plan.checked)
    return ImprovementAnswer(
        improvement_id=plan.improvement_id,
        version=version,
        status=MeasureStatus.REOPENED if again else _MEASURE_STATUS[type(found)],
        cause_code=plan.cause_code,
        lesson=plan.lesson,
        measure=plan.measure,
        owner=plan.owner,
        verifier=completed.verifier if completed else None,
        due_at=plan.due_at,
        observed_until=completed.observed_until if completed else None,
        complaint_ids=plan.complaint_ids,
    )


def outcome(found: Outcome, time: Spent) -> OutcomeAnswer:
    """The eight steps, and the time they took."""
    return OutcomeAnswer(
        complaint_id=found.complaint_id,
        path=found.path,
        round=found.round,
        closed=found.closed is not None,
        closed_at=found.closed.closed_at if found.closed else None,
        time=TimeAnswer(
            elapsed_seconds=int(time.elapsed.total_seconds()),
            working_seconds=int(time.working.total_seconds()),
            waited_seconds=int(time.paused.total_seconds()),
        ),
        steps=tuple(_step(each) for each in found.steps),
    )


def _step(found: StepOutcome) -> StepAnswer:
    return StepAnswer(
        step=found.step,
        wanted=found.wanted,
        done=found.wanted and not found.missing,
        on_record=tuple(EntryAnswer(what=each.what, by=each.by, at=each.at) for each in found.on_record),
        missing=tuple(
            MissingAnswer(
                what=each.what,
                owed_by=each.owed_by,
                due_at=each.due_at,
                about=each.about,
                charge=each.charge,
                rests_on=each.rests_on,
            )
            for each in found.missing
        ),
    )
