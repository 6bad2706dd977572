"""Step 2, join: a complaint belongs to a batch incident; that makes it major (CLS-7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import classify as events
from services.intake.state import (
    Assigned,
    Complaint,
    Enquired,
    Founded,
    Merged,
    NotRecorded,
    Recorded,
    Unfounded,
    Withdrawn,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinIncident:
    """The incident, as it was raised."""

    complaint_id: UUID
    incident: events.IncidentRaised
    now: datetime


def decide(command: JoinIncident, complaint: Complaint) -> list[events.ComplaintJoinedIncident]:
    """A complaint joins one incident, the first; nobody joins with what is unfounded or taken back."""
    match complaint:
        case Recorded(record) | Founded(record) | Assigned(record):
            if record.handling.incident is not None:
                return []
            return [
                events.ComplaintJoinedIncident(
                    complaint_id=record.complaint_id,
                    incident_id=command.incident.incident_id,
                    leader=command.incident.leader,
                    ground=command.incident.ground,
                    joined_at=command.now,
                )
            ]
        case Enquired() | Unfounded() | Withdrawn() | Merged():
            return []
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)
