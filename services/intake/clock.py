"""What falls due in intake, and how it is passed: judging a complaint, and assigning it (SLA-3, SLA-4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from libs.events.contracts import assign, classify, intake, term
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step
from libs.events.contracts.policy import PolicyPublished
from libs.events.decider import transact
from libs.events.store import Context
from libs.service.clock import Clock
from libs.service.deadlines import (
    PAGE_DEADLINES,
    RECOMPUTE,
    Change,
    Deadline,
    Deadlines,
    Ended,
    Missed,
    SqlDeadlines,
    Started,
    Warned,
    coming,
    follow,
)
from libs.service.wiring import Resources
from services.intake import done, history, overdue, plan, recompute, state
from services.intake.desk import STREAM
from services.intake.lookups import SqlNeighbours
from services.intake.neighbours import Neighbours

Decide = Callable[[plan.Moment, state.Complaint], list[Any]]


def changes(event: Any) -> Iterator[Change]:
    """What an event of a complaint's stream does to its deadlines; and when a policy comes into force."""
    match event:
        case PolicyPublished():
            yield from coming(event)
        case classify.ComplaintClassified(due=due):
            for step in (Step.CLASSIFY, Step.ASSIGN):
                if all(each.step is not step for each in due):
                    yield Ended(step)
            for each in due:
                yield Started(each.step, each.due_at, each.warn_at)
        case assign.ComplaintEscalated(due=due) | term.ClockStopped(due=due) | term.ClockResumed(due=due):
            for each in due:
                yield Started(each.step, each.due_at, each.warn_at)
        case term.DeadlinesRecomputed(moved=moved):
            for lies in moved:
                if lies.due.step in (Step.CLASSIFY, Step.ASSIGN):
                    yield from follow(lies, lies.due.step)
        case assign.ComplaintAssigned():  # which was judged before
            yield Ended(Step.ASSIGN)
        case intake.ComplaintWithdrawn() | intake.ComplaintMerged():
            yield Ended(Step.CLASSIFY)
            yield Ended(Step.ASSIGN)
        case DeadlineWarned(step=step):
            yield Warned(step)
        case DeadlineMissed(step=step):
            yield Missed(step)


def of(resources: Resources) -> tuple[Clock, ...]:
    """The clocks of this service."""
    return (clock(resources, deadlines(resources)),)


def deadlines(resources: Resources) -> SqlDeadlines:
    """What falls due, in the service's table."""
    return SqlDeadlines("intake", STREAM.category, changes, resources.reading)


def clock(resources: Resources, kept: Deadlines, known: Neighbours | None = None) -> Clock:
    """The clock over deadlines kept anywhere; `known` are the complaints, in this service's tables or not."""
    register = known or SqlNeighbours(resources.reading)

    async def pass_deadline(deadline: Deadline) -> None:
        now, log, key = resources.now(), deadline.log, deadline.key
        moment = plan.Moment(policy=await resources.policies.in_force(log, now), now=now)
        if deadline.step == RECOMPUTE:
            closed = await history.is_closed(resources.store, log, key)
            moment = replace(moment, closed=closed)
            planned = partial(plan.recomputed, await done.steps(resources.store, log, key))
            decide: Decide = plan.planned(planned, recompute.decide)
        else:
            decide = plan.planned(partial(plan.passing, Step(deadline.step)), overdue.decide)
        context = Context(actor="intake", complaint_id=key)
        await transact(resources.store, log, STREAM, key, decide, moment, context)

    async def recomputed(log: str) -> AsyncIterator[Sequence[Deadline]]:
        """Every open complaint, in the order of their recording."""
        after, now = 0, resources.now()
        while page := await register.clocked(log, after, PAGE_DEADLINES):
            yield [Deadline(log, complaint_id, RECOMPUTE, now) for _, complaint_id in page]
            after = page[-1][0]

    return Clock("intake", kept, pass_deadline, recomputed)
