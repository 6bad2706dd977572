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
from libs.events.contracts.term import Breach, DeadlinesRecomputed, MovedDue
from libs.policy.schema.deadlines import Errand

Event = (
    events.ImprovementPlanned
    | events.ImprovementExtended
    | events.ImprovementProgressed
    | events.ImprovementCompleted
    | events.ImprovementVerified
    | events.ImprovementReopened
    | DeadlineWarned
    | DeadlineMissed
    | DeadlinesRecomputed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The measure and whom it serves; `due_at` is when it must be complete, or then its effect checked.

    That is the time of an errand, `what`, `since` then, as it was fixed at `fixed_at` for the complaint
    `owed_to`; by the policy `planned_by`, or by a person, until it is fixed anew or a policy moves it.
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
    what: Errand
    since: datetime
    fixed_at: datetime
    owed_to: UUID
    planned_by: str | None
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
            fixed = _fixed(plan, event, Errand.VERIFICATION, event.observed_until, event.completed_at)
            return Completed(replace(fixed, done_by=plan.done_by | {author}), event)
        case events.ImprovementVerified(effective=True) if not isinstance(improvement, Planned):
            return Verified(plan, improvement.completed, event)
        case events.ImprovementVerified():
            fixed = _fixed(plan, event, Errand.MEASURE, event.verified_at, event.verified_at)
            return Planned(replace(fixed, checked=event))
        case events.ImprovementReopened(complaint_id=complaint_id, finding_id=finding_id):
            fixed = _fixed(plan, event, Errand.MEASURE, event.reopened_at, event.reopened_at)
            joined = _joined(replace(fixed, owed_to=complaint_id), complaint_id)
            return Planned(replace(joined, recurred=plan.recurred | {finding_id}))
        case DeadlineWarned(due_at=due_at):
            return replace(improvement, plan=replace(plan, warned=plan.warned | {due_at}))
        case DeadlineMissed(due_at=due_at):
            return replace(improvement, plan=replace(plan, missed=plan.missed | {due_at}))
        case DeadlinesRecomputed(moved=(moved,)):
            return replace(improvement, plan=_moved(plan, moved))
        case DeadlinesRecomputed():
            raise errors.ContractError("A measure has one deadline.")
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
        what=Errand.MEASURE,
        since=event.planned_at,
        fixed_at=event.planned_at,
        owed_to=event.complaint_ids[0],
        planned_by=event.ground.policy,
    )


def _joined(plan: Plan, complaint_id: UUID) -> Plan:
    if complaint_id in plan.complaint_ids:
        return plan
    return replace(plan, complaint_ids=(*plan.complaint_ids, complaint_id))


def _fixed(
    plan: Plan,
    event: events.ImprovementCompleted | events.ImprovementVerified | events.ImprovementReopened,
    what: Errand,
    since: datetime,
    at: datetime,
) -> Plan:
    if event.due_at is None or event.warn_at is None:
        return plan
    return replace(
        plan,
        due_at=event.due_at,
        warn_at=event.warn_at,
        what=what,
        since=since,
        fixed_at=at,
        owed_to=plan.complaint_ids[0],
        planned_by=None,
    )


def _moved(plan: Plan, moved: MovedDue) -> Plan:
    """It lies there now; what was missed, and is missed there too, was said."""
    at = frozenset({moved.due.due_at} if moved.breach is Breach.STANDS else ())
    return replace(
        plan,
        due_at=moved.due.due_at,
        warn_at=moved.due.warn_at,
        planned_by=None,
        warned=plan.warned | (at if moved.before_at in plan.warned else frozenset()),
        missed=plan.missed | (at if moved.before_at in plan.missed else frozenset()),
    )
