"""What resolution knows of a measure against a cause: planned, completed, found effective or not (IMP)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import improve as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable

Event = (
    events.ImprovementPlanned
    | events.ImprovementExtended
    | events.ImprovementProgressed
    | events.ImprovementCompleted
    | events.ImprovementVerified
    | events.ImprovementReopened
    | DeadlineWarned
    | DeadlineMissed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The measure and whom it serves; `due_at` is when it must be complete, or then its effect checked.

    `recurred` are the findings that reopened it. `warned` and `missed` hold the times the clock has told of.
    """

    improvement_id: UUID
    complaint_ids: tuple[UUID, ...]
    cause_code: str
    lesson: str
    measure: str
    owner: Answerable
    due_at: datetime
    warn_at: datetime
    progress: tuple[events.ImprovementProgressed, ...] = ()
    recurred: frozenset[UUID] = frozenset()
    done_by: frozenset[str] = frozenset()
    checked: events.ImprovementVerified | None = None
    warned: frozenset[datetime] = frozenset()
    missed: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class NotPlanned:
    """There is no such measure."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Its owner owes its completion."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Completed:
    """It is in place and observed; then its verifier owes the check of its effect."""

    plan: Plan
    completed: events.ImprovementCompleted


@dataclass(frozen=True, slots=True)
class Verified:
    """Another person found it effective."""

    plan: Plan
    completed: events.ImprovementCompleted
    verified: events.ImprovementVerified


Existing = Planned | Completed | Verified
Improvement = NotPlanned | Existing
INITIAL: Final = NotPlanned()


class NotYetPlanned(errors.NotFound):
    """There is no such improvement."""


def evolve(improvement: Improvement, event: Event) -> Improvement:
    """The situation after `event`."""
    if isinstance(event, events.ImprovementPlanned):
        return Planned(_plan(event))
    if isinstance(improvement, NotPlanned):
        raise errors.ContractError("A measure's first event must be ImprovementPlanned.")
    plan = improvement.plan
    match event:
        case events.ImprovementExtended(complaint_id=complaint_id):
            return replace(improvement, plan=_joined(plan, complaint_id))
        case events.ImprovementProgressed(author=author):
            progress = (*plan.progress, event)
            return replace(
                improvement, plan=replace(plan, progress=progress, done_by=plan.done_by | {author})
            )
        case events.ImprovementCompleted(author=author):
            return Completed(replace(_due(plan, event), done_by=plan.done_by | {author}), event)
        case events.ImprovementVerified(effective=True) if not isinstance(improvement, Planned):
            return Verified(plan, improvement.completed, event)
        case events.ImprovementVerified():
            return Planned(replace(_due(plan, event), checked=event))
        case events.ImprovementReopened(complaint_id=complaint_id, finding_id=finding_id):
            joined = _joined(_due(plan, event), complaint_id)
            return Planned(replace(joined, recurred=plan.recurred | {finding_id}))
        case DeadlineWarned(due_at=due_at):
            return replace(improvement, plan=replace(plan, warned=plan.warned | {due_at}))
        case DeadlineMissed(due_at=due_at):
            return replace(improvement, plan=replace(plan, missed=plan.missed | {due_at}))
        case _:
            assert_never(event)


def _plan(event: events.ImprovementPlanned) -> Plan:
    return Plan(
        improvement_id=event.improvement_id,
        complaint_ids=event.complaint_ids,
        cause_code=event.cause_code,
        lesson=event.lesson,
        measure=event.measure,
        owner=event.owner,
        due_at=event.due_at,
        warn_at=event.warn_at,
    )


def _joined(plan: Plan, complaint_id: UUID) -> Plan:
    if complaint_id in plan.complaint_ids:
        return plan
    return replace(plan, complaint_ids=(*plan.complaint_ids, complaint_id))


def _due(
    plan: Plan, event: events.ImprovementCompleted | events.ImprovementVerified | events.ImprovementReopened
) -> Plan:
    return replace(plan, due_at=event.due_at or plan.due_at, warn_at=event.warn_at or plan.warn_at)
