"""Step 3, escalate: what a person cannot solve, or nobody did in time, goes to leadership (ASG-6, SLA-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import assign as events
from libs.events.contracts.handling import Answerable, Step, StepDue
from libs.policy.escalation import Escalated
from services.intake import state
from services.intake.state import (
    Assigned,
    Complaint,
    Enquired,
    Founded,
    Merged,
    NotRecorded,
    Open,
    Record,
    Recorded,
    Unfounded,
    Withdrawn,
)


class NotYetAssigned(errors.Refused):
    """Nobody answers for this complaint yet: it must be judged founded and assigned first."""

    code = "not_yet_assigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateComplaint:
    """What a person tried in vain, and to whom the policy then gives it; `ground` names both."""

    complaint_id: UUID
    tried: str
    leadership: Escalated
    closed: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateOverdue:
    """A deadline passed: of which step, when it was due, and who owed it then.

    `due` is the time that leadership has for a step of intake's own.
    """

    complaint_id: UUID
    step: Step
    due_at: datetime
    owed_by: Answerable | None
    leadership: Escalated
    due: tuple[StepDue, ...]
    closed: bool
    now: datetime


def decide(
    command: EscalateComplaint | EscalateOverdue, complaint: Complaint
) -> list[events.ComplaintEscalated]:
    """A complaint need not be assigned to be escalated for being late (SLA-3)."""
    match command:
        case EscalateComplaint():
            return _unsolved(command, complaint)
        case EscalateOverdue():
            return _overdue(command, complaint)
        case _:
            assert_never(command)


def _unsolved(command: EscalateComplaint, complaint: Complaint) -> list[events.ComplaintEscalated]:
    match complaint:
        case Assigned(record):
            if command.closed:
                raise state.AlreadyClosed
            last = record.handling.escalations[-1:]
            if record.handling.level and last[0].tried == command.tried:
                return []  # said before
            return [_unsolved_by(command, record)]
        case Recorded() | Founded() | Unfounded():
            raise NotYetAssigned
        case NotRecorded() | Enquired() | Withdrawn() | Merged():
            raise state.refusal(complaint)
        case _:
            assert_never(complaint)


def _unsolved_by(command: EscalateComplaint, record: Record) -> events.ComplaintEscalated:
    return events.ComplaintEscalated(
        complaint_id=record.complaint_id,
        data_subject=record.data_subject,
        to=command.leadership.to,
        level=command.leadership.level,
        cause=events.EscalationCause.UNSOLVED,
        tried=command.tried,
        ground=command.leadership.ground,
        escalated_at=command.now,
        owed_by=record.handling.answerable,
    )


def _overdue(command: EscalateOverdue, complaint: Complaint) -> list[events.ComplaintEscalated]:
    if isinstance(complaint, NotRecorded):
        raise errors.NotFound
    if not isinstance(complaint, Open) or command.closed:
        return []  # nothing more happens to it
    record = complaint.record
    if any(
        (past.step, past.due_at) == (command.step, command.due_at) for past in record.handling.escalations
    ):
        return []  # that was escalated before
    term = record.handling.term
    own = term is not None and (term.due.step, term.due.due_at) == (command.step, command.due_at)
    return [
        events.ComplaintEscalated(
            complaint_id=record.complaint_id,
            data_subject=record.data_subject,
            to=command.leadership.to,
            level=command.leadership.level,
            cause=events.EscalationCause.OVERDUE,
            tried=None,
            ground=command.leadership.ground,
            escalated_at=command.now,
            owed_by=command.owed_by,
            step=command.step,
            due_at=command.due_at,
            due=command.due if own else (),
        )
    ]
