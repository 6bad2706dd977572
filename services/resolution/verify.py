"""Step 8, verify: another person checks a measure's effect; its cause coming back reopens it (IMP-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import improve as events
from libs.events.contracts.handling import Ground
from services.resolution import state
from services.resolution.measure import Completed, Improvement, NotPlanned, NotYetPlanned, Planned, Verified


class NotYetCompleted(errors.Refused):
    """The measure must be completed, and then observed, before its effect is checked."""

    code = "not_yet_completed"


class StillObserved(errors.Refused):
    """The measure is still observed: it can only be found effective when that time is over."""

    code = "still_observed"


class OwnMeasure(errors.Refused):
    """Nobody verifies their own measure: another person than its owner and who did it must."""

    code = "own_measure"


class VerifiedBefore(errors.Refused):
    """The measure was found effective before; only the cause coming back puts that in doubt."""

    code = "verified_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyImprovement:
    """Effective or not; if not, its owner owes more, by `due_at`."""

    improvement_id: UUID
    effective: bool
    text: str
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: frozenset[str]  # everybody whom a complaint that the measure answers is about
    due_at: datetime
    warn_at: datetime
    ground: Ground
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRecurrence:
    """A finding of the same cause, in a complaint that was recorded at `recorded_at`."""

    improvement_id: UUID
    complaint_id: UUID
    finding_id: UUID
    cause_code: str
    recorded_at: datetime
    due_at: datetime
    warn_at: datetime
    ground: Ground
    now: datetime


Command = VerifyImprovement | NoteRecurrence
Event = events.ImprovementVerified | events.ImprovementReopened


def decide(command: Command, improvement: Improvement) -> list[Event]:
    """Whether the measure has the effect it was meant to have."""
    match command:
        case VerifyImprovement():
            return _verify(command, improvement)
        case NoteRecurrence():
            return _recur(command, improvement)
        case _:
            assert_never(command)


def _verify(command: VerifyImprovement, improvement: Improvement) -> list[Event]:
    match improvement:
        case NotPlanned():
            raise NotYetPlanned
        case Planned(plan):
            if plan.checked and (plan.checked.text, plan.checked.verified_by) == (
                command.text,
                command.author,
            ):
                return []  # found ineffective before
            raise NotYetCompleted
        case Verified():
            if command.effective:
                return []
            raise VerifiedBefore
        case Completed(plan, completed):
            if command.author in {plan.owner.person, *plan.done_by}:
                raise OwnMeasure
            for person in command.about:
                state.judge_in_own_cause(person, command.author, command.under)
            if command.effective and command.now < completed.observed_until:
                raise StillObserved(observed_until=completed.observed_until.isoformat())
            return [
                events.ImprovementVerified(
                    improvement_id=plan.improvement_id,
                    complaint_ids=plan.complaint_ids,
                    effective=command.effective,
                    text=command.text,
                    verified_by=command.author,
                    verified_at=command.now,
                    due_at=None if command.effective else command.due_at,
                    warn_at=None if command.effective else command.warn_at,
                    ground=command.ground,
                )
            ]
        case _:
            assert_never(improvement)


def _recur(command: NoteRecurrence, improvement: Improvement) -> list[Event]:
    """Only what came in while the measure was in place and observed says anything about it."""
    match improvement:
        case NotPlanned() | Planned():
            return []
        case Completed(plan, completed) | Verified(plan, completed):
            observed = completed.completed_at <= command.recorded_at <= completed.observed_until
            known = command.finding_id in plan.recurred or command.complaint_id in plan.complaint_ids
            if not observed or known or command.cause_code != plan.cause_code:
                return []
            return [
                events.ImprovementReopened(
                    improvement_id=plan.improvement_id,
                    complaint_id=command.complaint_id,
                    cause_code=command.cause_code,
                    finding_id=command.finding_id,
                    due_at=command.due_at,
                    warn_at=command.warn_at,
                    reopened_at=command.now,
                    ground=command.ground,
                )
            ]
        case _:
            assert_never(improvement)
