"""Steps 5, 7 and 8, recompute: a policy that came into force moves what was fixed here (SLA-2, trap 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events.contracts.handling import Severity, Step, StepDue
from libs.events.contracts.term import DeadlinesRecomputed, MovedDue
from libs.policy import deadlines, recomputation
from libs.policy.pack import Pack
from libs.policy.recomputation import Running
from libs.policy.schema.deadlines import Errand
from services.resolution import owed, state
from services.resolution.measure import Completed, Improvement, Planned
from services.resolution.solution import Agreed, NothingProposed, Proposed, TurnedDown
from services.resolution.state import Case, Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadlines:
    """The policy in force; `moves`: where what the assignment gave lies now, `done`: the steps that are."""

    complaint_id: UUID
    moves: Mapping[tuple[Step, datetime], StepDue]
    done: frozenset[Step]
    policy: Pack
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeMeasure:
    """The policy in force; `planned_by`: the one by which the measure's date is a policy's, or a person's."""

    complaint_id: UUID
    severity: Severity
    planned_by: Pack | None
    policy: Pack
    now: datetime


Command = RecomputeDeadlines | RecomputeMeasure


def decide(command: RecomputeDeadlines, case: Case) -> list[DeadlinesRecomputed]:
    """Only of what is still owed; once it lies where the policy has it, there is nothing to say."""
    moved = [*_decisions(command, case), *_appeals(command, case)]  # owed whatever became of the complaint
    if case.handling is not None and case.closed is None:
        moved = [*_again(command, case, case.handling), *_solution(command, case, case.handling), *moved]
    return _told(command, moved)


def decide_measure(command: RecomputeMeasure, improvement: Improvement) -> list[DeadlinesRecomputed]:
    """The same for a measure; a date that a person set is theirs."""
    if not isinstance(improvement, Planned | Completed):
        return []
    plan, severity = improvement.plan, command.severity
    if command.planned_by is not None:
        by_policy = deadlines.due(command.planned_by, plan.what, severity, plan.since)
        if plan.due_at != by_policy.due_at:
            return []
    what = Running(what=plan.what, severity=severity, started_at=plan.since, due_at=plan.due_at)
    return _told(command, list(_moved(command, Step.IMPROVE, what, str(plan.improvement_id))))


def _told(command: Command, moved: list[MovedDue]) -> list[DeadlinesRecomputed]:
    if not moved:
        return []
    return [
        DeadlinesRecomputed(
            complaint_id=command.complaint_id,
            moved=tuple(moved),
            ground=command.policy.ground(),
            recomputed_at=command.now,
        )
    ]


def _moved(command: Command, step: Step, what: Running, about: str | None) -> Iterator[MovedDue]:
    return recomputation.told(command.policy, step, what, command.now, about)


def _since(case: Case, what: Step | Errand, since: datetime, due: StepDue) -> Running:
    return Running(what=what, severity=case.severity_at(since), started_at=since, due_at=due.due_at)


def _again(command: RecomputeDeadlines, case: Case, handling: Handling) -> Iterator[MovedDue]:
    """The times that a reopening gave."""
    done = set(command.done)
    if not isinstance(case.solution, NothingProposed):
        done.add(Step.PROPOSE)
    if case.spared or case.improvements:
        done.add(Step.IMPROVE)
    for due in handling.due:
        if case.again_since is not None and due.step not in done:
            yield from _moved(command, due.step, _since(case, due.step, case.again_since, due), None)


def _solution(command: RecomputeDeadlines, case: Case, handling: Handling) -> Iterator[MovedDue]:
    due, at = handling.due_of(Step.PROPOSE), case.answered_at
    match case.solution:
        case Proposed(proposal) as proposed if proposal.due is not None:
            asked = _since(case, Errand.APPROVAL, proposal.proposed_at, proposal.due)
            for needed in proposed.waiting_for:
                yield from _moved(command, Step.PROPOSE, asked, owed.approval(proposal, needed.office))
        case Agreed() if due is not None and at is not None:
            agreed = _since(case, Errand.EXECUTION, at, due)
            yield from _moved(command, Step.PROPOSE, agreed, str(case.proposals))
        case TurnedDown() if due is not None and at is not None:
            anew = _anew(command.policy, case, at, due)
            yield from _moved(command, Step.PROPOSE, anew, str(case.proposals))


def _anew(policy: Pack, case: Case, at: datetime, due: StepDue) -> Running:
    """Another proposal had what was left of the time, or as long again: whichever this is nearer to."""
    severity, since = case.severity_at(at), case.since or at
    left = deadlines.due(policy, Step.PROPOSE, severity, since, case.waits)
    again = deadlines.due(policy, Step.PROPOSE, severity, at)
    if abs(again.due_at - due.due_at) < abs(left.due_at - due.due_at):
        return Running(what=Step.PROPOSE, severity=severity, started_at=at, due_at=due.due_at)
    return Running(
        what=Step.PROPOSE, severity=severity, started_at=since, due_at=due.due_at, pauses=case.waits
    )


def _decisions(command: RecomputeDeadlines, case: Case) -> Iterator[MovedDue]:
    """By the time of step 7 where they were given that: it moves as the step does."""
    for raised in case.unsettled:
        about, due = state.name_of(raised), raised.due
        if about not in case.with_step:
            own = _since(case, Step.PENALIZE, raised.raised_at, due)
            yield from _moved(command, Step.PENALIZE, own, about)
        elif lies := command.moves.get((Step.PENALIZE, due.due_at)):
            yield recomputation.followed(lies, due.due_at, command.now, about)


def _appeals(command: RecomputeDeadlines, case: Case) -> Iterator[MovedDue]:
    for sanction in case.appeals:
        if appealed := sanction.appealed:
            what = _since(case, Errand.APPEAL, appealed.appealed_at, appealed.due)
            yield from _moved(command, Step.PENALIZE, what, sanction.appeal)
