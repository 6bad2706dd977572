"""What falls due in a case or of a measure, and how it is passed (SLA-3, SLA-4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.events.contracts import improve, penalize, propose
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step, StepDue
from libs.events.contracts.registry import contract_of
from libs.events.decider import Stream, transact
from libs.events.store import Context
from libs.service.clock import Clock
from libs.service.deadlines import (
    Change,
    Deadline,
    Deadlines,
    Ended,
    Missed,
    Moved,
    SqlDeadlines,
    Started,
    Warned,
)
from libs.service.wiring import Resources
from services.resolution import measure, overdue, owed, state

CASE: Final[Stream[state.Case]] = Stream("resolution", state.INITIAL, state.evolve)
MEASURE: Final[Stream[measure.Improvement]] = Stream("resolution", measure.INITIAL, measure.evolve)
SOLUTION, DECISION, IMPROVEMENT, APPEAL = Step.PROPOSE, Step.PENALIZE, Step.IMPROVE, "appeal"
PLANNED: Final = contract_of(improve.ImprovementPlanned).name  # how a measure's stream begins
ACTOR: Final = "resolution"


def changes(event: Any) -> Iterator[Change]:
    """What an event of a case's or a measure's stream does to its deadlines."""
    match event:
        case propose.CaseOpened(due=due):
            yield from _started(due)
        case propose.CaseHandedOver(due=due):
            yield from _moved(due)
        case propose.ComplaintReopened(due=due):
            yield from _started(due)
        case propose.SolutionProposed(approvals=()) | propose.SolutionApproved(complete=True):
            yield Ended(SOLUTION)  # while the customer is waited for, no clock runs (SLA-9)
        case propose.SolutionProposed(due=StepDue() as due):
            yield Ended(SOLUTION)  # now it is up to those who approve, each with a clock of their own
            for needed in event.approvals:
                yield Started(_of(SOLUTION, owed.approval(event, needed.office)), due.due_at, due.warn_at)
        case propose.SolutionApproved(proposal=proposal, office=office):
            yield Ended(_of(SOLUTION, f"{proposal}/{office}"))
        case propose.SolutionRejected(due=StepDue() as due):
            yield Ended(SOLUTION)
            yield Started(_of(SOLUTION, str(event.proposal)), due.due_at, due.warn_at)
        case propose.CustomerAnswered(due=due) | propose.DisputeSettled(due=due):
            yield Started(_of(SOLUTION, str(event.proposal)), due.due_at, due.warn_at)
        case propose.ExecutionAdvanced(complete=True):
            yield Ended(SOLUTION)
        case penalize.ResponsibilityRaised(due=due):
            yield Started(_of(DECISION, state.name_of(event)), due.due_at, due.warn_at)
        case penalize.SanctionAppealed(sanction=sanction, due=due):
            yield Started(f"{APPEAL}/{sanction}", due.due_at)
        case penalize.AppealOverdue(sanction=sanction):
            yield Missed(f"{APPEAL}/{sanction}")
        case penalize.AppealDecided(sanction=sanction):
            yield Ended(f"{APPEAL}/{sanction}")
        case improve.ComplaintJoinedImprovement() | improve.ImprovementNotNeeded():
            yield Ended(IMPROVEMENT)
        case propose.ComplaintClosed():
            yield from (Ended(SOLUTION), Ended(IMPROVEMENT))
        case improve.ImprovementVerified(effective=True):
            yield Ended(IMPROVEMENT)
        case (
            improve.ImprovementPlanned(due_at=datetime() as due_at)
            | improve.ImprovementCompleted(due_at=datetime() as due_at)
            | improve.ImprovementVerified(due_at=datetime() as due_at)
            | improve.ImprovementReopened(due_at=datetime() as due_at)
        ):
            yield Started(IMPROVEMENT, due_at, event.warn_at)
        case DeadlineWarned():
            yield Warned(_of(event.step, event.about))
        case DeadlineMissed():
            yield Missed(_of(event.step, event.about))
        case penalize.SanctionImposed() | penalize.ResponsibilityWaived() | penalize.NoFaultFound():
            yield Ended(_of(DECISION, state.name_of(event)))


def of(resources: Resources) -> tuple[Clock, ...]:
    """The clocks of this service."""
    return (clock(resources, deadlines(resources)),)


def deadlines(resources: Resources) -> SqlDeadlines:
    """What falls due, in the service's table."""
    return SqlDeadlines("resolution", CASE.category, changes, resources.engine)


def clock(resources: Resources, kept: Deadlines) -> Clock:
    """The clock over deadlines kept anywhere."""

    async def pass_deadline(deadline: Deadline) -> None:
        log, key, now = deadline.log, deadline.key, resources.now()
        policy = await resources.policies.in_force(log, now)
        first = (await resources.store.log.read_stream(log, CASE.name(key)))[0]
        about: UUID = first.complaint_id or key
        command = overdue.PassDeadline(complaint_id=about, policy=policy, now=now)
        context = Context(actor=ACTOR, complaint_id=about)
        if first.type == PLANNED:
            await transact(resources.store, log, MEASURE, key, overdue.decide_measure, command, context)
        else:
            await transact(resources.store, log, CASE, key, overdue.decide, command, context)

    return Clock("resolution", kept, pass_deadline)


def _started(due: Iterable[StepDue]) -> Iterator[Change]:
    """A decision is only owed once somebody is responsible, so its time begins with that."""
    for each in due:
        if each.step in (Step.PROPOSE, Step.IMPROVE):
            yield Started(each.step, each.due_at, each.warn_at)


def _moved(due: Iterable[StepDue]) -> Iterator[Change]:
    """Whoever takes over gets its times; what waits for the customer, or is done, does not run for that."""
    for each in due:
        if each.step in (Step.PROPOSE, Step.IMPROVE):
            yield Moved(each.step, each.due_at, each.warn_at)


def _of(step: Step, about: str | None) -> str:
    """Which of the clocks of a step."""
    return step if about is None else f"{step}/{about}"
