"""What falls due in intake, and how it is passed: judging a complaint, and assigning it (SLA-3, SLA-4)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from libs.events.contracts import assign, classify, intake, term
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step
from libs.events.decider import transact
from libs.events.store import Context
from libs.service.clock import Clock
from libs.service.deadlines import (
    Change,
    Deadline,
    Deadlines,
    Ended,
    Missed,
    SqlDeadlines,
    Started,
    Warned,
)
from libs.service.wiring import Resources
from services.intake import overdue, plan
from services.intake.desk import STREAM


def changes(event: Any) -> Iterator[Change]:
    """What an event of a complaint's stream does to its deadlines."""
    match event:
        case classify.ComplaintClassified(due=due):
            for step in (Step.CLASSIFY, Step.ASSIGN):
                if all(each.step is not step for each in due):
                    yield Ended(step)
            for each in due:
                yield Started(each.step, each.due_at, each.warn_at)
        case assign.ComplaintEscalated(due=due) | term.ClockStopped(due=due) | term.ClockResumed(due=due):
            for each in due:
                yield Started(each.step, each.due_at, each.warn_at)
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


def clock(resources: Resources, kept: Deadlines) -> Clock:
    """The clock over deadlines kept anywhere."""

    async def pass_deadline(deadline: Deadline) -> None:
        now = resources.now()
        policy = await resources.policies.in_force(deadline.log, now)
        await transact(
            resources.store,
            deadline.log,
            STREAM,
            deadline.key,
            plan.planned(partial(plan.passing, Step(deadline.step)), overdue.decide),
            plan.Moment(policy=policy, now=now),
            Context(actor="intake", complaint_id=deadline.key),
        )

    return Clock("intake", kept, pass_deadline)
