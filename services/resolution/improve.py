"""Step 8, improve: a measure against a cause, with owner and due date, for one complaint or many (IMP).

Once the cause is found; or a person says why no measure is needed (`spare`). Its owner completes it
(`complete`), it is observed, and another person checks its effect (`verify`): the last thing that may keep
a complaint open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import improve as events
from libs.events.contracts.handling import Answerable, Ground
from services.resolution import state
from services.resolution.measure import Completed, Improvement, NotPlanned, NotYetPlanned, Planned, Verified


class AlreadyPlanned(errors.Refused):
    """This improvement is planned otherwise."""

    code = "already_planned"


class AlreadyVerified(errors.Refused):
    """This measure proved effective: plan another one, or say why none is needed."""

    code = "already_verified"


class VerifierComplainedOf(errors.Refused):
    """Who is to check this measure's effect may not for that complaint: plan one of its own for it."""

    code = "verifier_complained_of"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanImprovement:
    """Lesson, countermeasure, owner, and by when it must be complete (IMP-1).

    `cause_code` is None where the cause of a complaint is not known yet. `about`: the persons complained of.
    """

    improvement_id: UUID
    complaint_ids: tuple[UUID, ...]
    cause_code: str | None
    lesson: str
    measure: str
    owner: Answerable
    due_at: datetime
    warn_at: datetime
    ground: Ground
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: frozenset[str]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendImprovement:
    """It answers one more complaint (IMP-3); `about`: whom it is about, `below`: who answers to them."""

    improvement_id: UUID
    complaint_id: UUID
    author: str
    under: frozenset[str]
    about: frozenset[str]
    below: frozenset[str]
    now: datetime


Command = PlanImprovement | ExtendImprovement
Event = events.ImprovementPlanned | events.ImprovementExtended


def decide(command: Command, improvement: Improvement) -> list[Event]:
    """A measure is planned once; complaints may join it until it has proved effective."""
    for person in command.about:
        state.judge_in_own_cause(person, command.author, command.under)
    match command:
        case PlanImprovement():
            return _plan(command, improvement)
        case ExtendImprovement():
            return _extend(command, improvement)
        case _:
            assert_never(command)


def _plan(command: PlanImprovement, improvement: Improvement) -> list[Event]:
    if command.cause_code is None:
        raise state.NotYetFound
    if isinstance(improvement, NotPlanned):
        return [
            events.ImprovementPlanned(
                improvement_id=command.improvement_id,
                complaint_ids=command.complaint_ids,
                cause_code=command.cause_code,
                lesson=command.lesson,
                measure=command.measure,
                owner=command.owner,
                due_at=command.due_at,
                warn_at=command.warn_at,
                ground=command.ground,
                author=command.author,
                planned_at=command.now,
            )
        ]
    plan = improvement.plan
    if (plan.measure, plan.owner, plan.cause_code) == (command.measure, command.owner, command.cause_code):
        return []
    raise AlreadyPlanned


def _extend(command: ExtendImprovement, improvement: Improvement) -> list[Event]:
    match improvement:
        case NotPlanned():
            raise NotYetPlanned
        case Planned(plan) | Completed(plan) | Verified(plan) if command.complaint_id in plan.complaint_ids:
            return []
        case Verified():
            raise AlreadyVerified
        case Completed(_, completed) if completed.verifier.person in command.about | command.below:
            raise VerifierComplainedOf(verifier=completed.verifier.person)  # or nobody would owe the check
        case Planned() | Completed():
            return [
                events.ImprovementExtended(
                    improvement_id=command.improvement_id,
                    complaint_id=command.complaint_id,
                    author=command.author,
                    extended_at=command.now,
                )
            ]
        case _:
            assert_never(improvement)
