"""Step 2, incident: the same part or batch came back too often, one investigation does for all (CLS-7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events.contracts import classify as events
from libs.policy.incidents import BatchIncident, Likeness


@dataclass(frozen=True, slots=True)
class NotRaised:
    """There is no such incident."""


@dataclass(frozen=True, slots=True)
class Raised:
    """It is on record; complaints join it."""

    raised: events.IncidentRaised


Incident = NotRaised | Raised
INITIAL: Final = NotRaised()


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseIncident:
    """The complaints alike, and what the policy makes of so many; the id follows from the likeness."""

    incident_id: UUID
    likeness: Likeness
    complaint_ids: tuple[UUID, ...]
    batch: BatchIncident
    now: datetime


def evolve(_: Incident, event: events.IncidentRaised) -> Incident:
    """The situation after `event`."""
    return Raised(event)


def decide(command: RaiseIncident, incident: Incident) -> list[events.IncidentRaised]:
    """Whoever counts first raises it; for all others it is there."""
    match incident:
        case NotRaised():
            return [
                events.IncidentRaised(
                    incident_id=command.incident_id,
                    matched_on=command.likeness.matched_on,
                    reference=command.likeness.reference,
                    complaint_ids=command.complaint_ids,
                    threshold=command.batch.threshold,
                    window_days=command.batch.window_days,
                    leader=command.batch.leader,
                    ground=command.batch.ground,
                    raised_at=command.now,
                )
            ]
        case Raised():
            return []
        case _:
            assert_never(incident)
