"""Step 8, complete: progress of a measure, until it is in place and its observation begins (IMP-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import improve as events
from libs.events.contracts.handling import Answerable
from services.resolution.measure import (
    Completed,
    Improvement,
    NotPlanned,
    NotYetPlanned,
    Plan,
    Planned,
    Verified,
)


class AlreadyCompleted(errors.Refused):
    """This measure is complete; it must be found ineffective before anything more is done to it."""

    code = "already_completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProgress:
    """What has been done so far."""

    improvement_id: UUID
    text: str
    author: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteImprovement:
    """It is in place, observed until then; `verifier` checks its effect afterwards, by `due_at`."""

    improvement_id: UUID
    author: str
    observed_until: datetime
    verifier: Answerable
    due_at: datetime
    warn_at: datetime
    now: datetime


Command = ReportProgress | CompleteImprovement
Event = events.ImprovementProgressed | events.ImprovementCompleted


def decide(command: Command, improvement: Improvement) -> list[Event]:
    """What its owner, or somebody for them, does to a measure."""
    match improvement:
        case NotPlanned():
            raise NotYetPlanned
        case Planned(plan):
            return _go_on(command, plan)
        case Completed(plan) | Verified(plan):
            if isinstance(command, CompleteImprovement) or _reported(command, plan):
                return []  # said before
            raise AlreadyCompleted
        case _:
            assert_never(improvement)


def _go_on(command: Command, plan: Plan) -> list[Event]:
    match command:
        case ReportProgress():
            if _reported(command, plan):
                return []
            return [
                events.ImprovementProgressed(
                    improvement_id=plan.improvement_id,
                    text=command.text,
                    author=command.author,
                    progressed_at=command.now,
                )
            ]
        case CompleteImprovement():
            return [
                events.ImprovementCompleted(
                    improvement_id=plan.improvement_id,
                    complaint_ids=plan.complaint_ids,
                    author=command.author,
                    completed_at=command.now,
                    observed_until=command.observed_until,
                    verifier=command.verifier,
                    due_at=command.due_at,
                    warn_at=command.warn_at,
                )
            ]
        case _:
            assert_never(command)


def _reported(command: ReportProgress, plan: Plan) -> bool:
    return any((each.text, each.author) == (command.text, command.author) for each in plan.progress)
