"""What falls due in an investigation, and how it is passed: finding, contributions, suppliers (SLA-3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from libs.events.contracts import investigate as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.policy import PolicyPublished
from libs.events.contracts.term import DeadlinesRecomputed
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
    SqlDeadlines,
    Started,
    Warned,
    all_open,
    coming,
    follow,
)
from libs.service.wiring import Resources
from services.investigation import overdue, recompute, state

STREAM: Final[Stream[state.Investigation]] = Stream("investigation", state.INITIAL, state.evolve)
FINDING, CONTRIBUTION, SUPPLIER = state.FINDING, state.CONTRIBUTION, state.SUPPLIER


def changes(event: Any) -> Iterator[Change]:
    """What an event of an investigation's stream does to its deadlines; when a policy comes into force."""
    match event:
        case PolicyPublished():
            yield from coming(event)
        case DeadlinesRecomputed(moved=moved):
            for each in moved:
                name = each.about or FINDING
                if name != FINDING or event.complaint_id is not None:
                    yield from follow(each, name, warns=name == FINDING)
        case events.InvestigationOpened():
            yield Ended(CONTRIBUTION)  # those of the round before
            yield Started(FINDING, event.due_at, event.warn_at)
            if event.complaint_id is None:
                yield Missed(FINDING)  # open, so that it is recomputed; its complaints have their own clocks
            yield from _asked(event.duties)
        case events.InvestigationJoined():
            yield Ended(CONTRIBUTION)
            yield Started(FINDING, event.due_at, event.warn_at)
        case events.InvestigationHandedOver():
            if event.complaint_id is not None:
                yield Started(FINDING, event.due_at, event.warn_at)
        case events.InvestigationReclassified():
            for unit in event.dropped:
                yield Ended(f"{CONTRIBUTION}/{unit}")
            yield from _asked(event.asked)
        case events.InvestigationResumed():
            yield Started(FINDING, event.due_at, event.warn_at)
            yield from _asked(event.duties)
        case events.InvestigationStopped() | events.FindingRecorded():
            yield Ended(FINDING)
            yield Ended(CONTRIBUTION)
        case events.ContributionGiven(unit=unit):
            yield Ended(f"{CONTRIBUTION}/{unit}")
        case events.ContributionOverdue(unit=unit):
            yield Missed(f"{CONTRIBUTION}/{unit}")
        case events.SupplierNotified():
            yield Started(f"{SUPPLIER}/{event.notice}", event.due_at)
        case events.SupplierOverdue(notice=notice):
            yield Missed(f"{SUPPLIER}/{notice}")
        case events.SupplierSolved(notice=notice):
            yield Ended(f"{SUPPLIER}/{notice}")
        case DeadlineWarned():
            yield Warned(FINDING)
        case DeadlineMissed():
            yield Missed(FINDING)


def of(resources: Resources) -> tuple[Clock, ...]:
    """The clocks of this service."""
    return (clock(resources, deadlines(resources)),)


def deadlines(resources: Resources) -> SqlDeadlines:
    """What falls due, in the service's table."""
    return SqlDeadlines("investigation", STREAM.category, changes, resources.engine)


def clock(resources: Resources, kept: Deadlines) -> Clock:
    """The clock over deadlines kept anywhere."""

    async def pass_deadline(deadline: Deadline) -> None:
        now, log, key = resources.now(), deadline.log, deadline.key
        policy = await resources.policies.in_force(log, now)
        context = Context(actor="investigation", complaint_id=await _complaint_id(resources, deadline))
        if deadline.step == RECOMPUTE:
            moving = recompute.RecomputeDeadlines(policy=policy, now=now)
            await transact(resources.store, log, STREAM, key, recompute.decide, moving, context)
        else:
            command = overdue.PassDeadline(step=deadline.step, policy=policy, now=now)
            await transact(resources.store, log, STREAM, key, overdue.decide, command, context)

    async def recomputed(log: str) -> AsyncIterator[Sequence[Deadline]]:
        async for page in all_open(kept, log, resources.now()):
            yield page

    return Clock("investigation", kept, pass_deadline, recomputed)


def _asked(duties: tuple[events.Duty, ...]) -> Iterator[Change]:
    for duty in duties:
        yield Started(f"{CONTRIBUTION}/{duty.unit}", duty.due_at)


async def _complaint_id(resources: Resources, deadline: Deadline) -> UUID | None:
    """The complaint it is about; an incident's contributions and suppliers are about no single one."""
    if deadline.step == FINDING:
        return deadline.key
    stored = await resources.store.log.read_stream(deadline.log, STREAM.name(deadline.key))
    return stored[0].complaint_id if stored else None
