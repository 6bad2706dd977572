"""Step 3, assign: the unit and the named person whom the policy makes answer for a complaint (ASG)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import assign as events
from libs.events.contracts.handling import Answerable, Ground, StepDue
from services.intake.state import (
    Assigned,
    Complaint,
    Enquired,
    Founded,
    Merged,
    NotRecorded,
    Record,
    Recorded,
    Unfounded,
    Withdrawn,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignComplaint:
    """Whom the policy names, whom it passed over, and by when each later step is due (ASG-7)."""

    complaint_id: UUID
    answerable: Answerable
    passed_over: tuple[events.PassedOver, ...]
    due: tuple[StepDue, ...]
    ground: Ground
    now: datetime


def decide(command: AssignComplaint, complaint: Complaint) -> list[events.ComplaintAssigned]:
    """What is founded and has nobody gets somebody."""
    match complaint:
        case Founded(record):
            return [_assigned(command, record)]
        case Enquired() | Recorded() | Unfounded() | Assigned() | Withdrawn() | Merged():
            return []
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)


def _assigned(command: AssignComplaint, record: Record) -> events.ComplaintAssigned:
    handling, judgement = record.handling, record.handling.judgement
    assert judgement is not None, "what is founded was judged"
    return events.ComplaintAssigned(
        complaint_id=record.complaint_id,
        data_subject=record.data_subject,
        round=len(handling.assignments) + 1,
        answerable=command.answerable,
        kind=judgement.kind,
        severity=handling.severity,
        incident_id=handling.incident.incident_id if handling.incident else None,
        due=command.due,
        passed_over=command.passed_over,
        reason=None,
        ground=command.ground,
        assigned_at=command.now,
    )
