"""What falls due in a case or of a measure, and how it is passed (SLA-3, SLA-4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.events import history as events_history
from libs.events.contracts import improve, penalize, propose
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step, StepDue
from libs.events.contracts.policy import PolicyPublished
from libs.events.contracts.registry import contract_of
from libs.events.contracts.term import DeadlinesRecomputed, MovedDue
from libs.events.decider import Stream, transact
from libs.events.store import Context
from libs.service.clock import Clock
from libs.service.deadlines import (
    RECOMPUTE,
    Change,
    Deadline,
    Deadlines,
    Ended,
    Missed,
    Moved,
    SqlDeadlines,
    Started,
    Warned,
    all_open,
    coming,
    follow,
)
from libs.service.wiring import Resources
from services.resolution import history, measure, overdue, owed, plan, recompute, state

CASE: Final[Stream[state.Case]] = Stream("resolution", state.INITIAL, state.evolve)
MEASURE: Final[Stream[measure.Improvement]] = Stream("resolution", measure.INITIAL, measure.evolve)
SOLUTION, DECISION, IMPROVEMENT, APPEAL = Step.PROPOSE, Step.PENALIZE, Step.IMPROVE, "appeal"
PLANNED: Final = contract_of(improve.ImprovementPlanned).name  # how a measure's stream begins
ACTOR: Final = "resolution"


def changes(event: Any) -> Iterator[Change]:
    """What an event of a case's or a measure's stream does to its deadlines; when a policy is in force."""
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
        case penalize.SanctionImposed() | penalize.ResponsibilityWaived() | penalize.NoFaultFound():
            yield Ended(_of(DECISION, state.name_of(event)))
        case improve.ComplaintJoinedImprovement() | improve.ImprovementNotNeeded():
            yield Ended(IMPROVEMENT)
        case propose.ComplaintClosed():
            yield from (Ended(SOLUTION), Ended(IMPROVEMENT))
        case _:
            yield from _measured(event)


def _measured(event: Any) -> Iterator[Change]:
    """What an event of a measure's stream does, and what the clock and the policy say of either's."""
    match event:
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
        case PolicyPublished():
            yield from coming(event)
        case DeadlinesRecomputed(moved=moved):
            for each in moved:
                yield from follow(each, _lies(each), warns=not _is_appeal(each))


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
        if deadline.step == RECOMPUTE:
            await _recompute(resources, log, key)
            return
        policy = await resources.policies.in_force(log, now)
        first = (await resources.store.log.read_stream(log, CASE.name(key)))[0]
        about: UUID = first.complaint_id or key
        command = overdue.PassDeadline(complaint_id=about, policy=policy, now=now)
        context = Context(actor=ACTOR, complaint_id=about)
        if first.type == PLANNED:
            await transact(resources.store, log, MEASURE, key, overdue.decide_measure, command, context)
        else:
            await transact(resources.store, log, CASE, key, overdue.decide, command, context)

    async def recomputed(log: str) -> AsyncIterator[Sequence[Deadline]]:
        async for page in all_open(kept, log, resources.now()):
            yield page

    return Clock("resolution", kept, pass_deadline, recomputed)


async def _recompute(resources: Resources, log: str, key: UUID) -> None:
    """A case's deadlines, or a measure's."""
    now, store = resources.now(), resources.store
    policy = await resources.policies.in_force(log, now)
    past = await store.read_stream(log, CASE.name(key))
    context = Context(actor=ACTOR, complaint_id=past[0].envelope.complaint_id or key)
    if past[0].envelope.type != PLANNED:
        complaint = await events_history.of(store, history.follow).now(log, key)
        assert complaint is not None, "a case is of a complaint"
        moving = plan.recomputing(complaint, policy, now)
        await transact(store, log, CASE, key, recompute.decide, moving, context)
        return
    found = MEASURE.fold(MEASURE.initial, [each.event for each in past])
    assert not isinstance(found, measure.NotPlanned), "its first event planned it"
    fixed = found.plan
    served = await events_history.of(store, history.follow).now(log, fixed.owed_to)
    assert served is not None, "a measure is for complaints"
    command = recompute.RecomputeMeasure(
        complaint_id=context.complaint_id or fixed.owed_to,
        severity=served.case.severity_at(fixed.fixed_at),
        planned_by=await resources.policies.named(log, fixed.planned_by) if fixed.planned_by else None,
        policy=policy,
        now=now,
    )
    await transact(store, log, MEASURE, key, recompute.decide_measure, command, context)


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


def _is_appeal(moved: MovedDue) -> bool:
    return moved.due.step is Step.PENALIZE and (moved.about or "").startswith(f"{APPEAL}/")


def _lies(moved: MovedDue) -> str:
    """Which of the clocks has moved; a measure's stream has one."""
    if _is_appeal(moved):
        return str(moved.about)
    return IMPROVEMENT if moved.due.step is Step.IMPROVE else _of(moved.due.step, moved.about)


def _of(step: Step, about: str | None) -> str:
    """Which of the clocks of a step."""
    return step if about is None else f"{step}/{about}"
