"""Steps 2 and 3, recompute: a policy that came into force moves deadlines, and says which (SLA-2, trap 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import term as events
from libs.events.contracts.handling import Ground
from services.intake.state import Complaint, Merged, NotRecorded, Open, Withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadlines:
    """The deadlines that the policy in force has elsewhere than they lie."""

    complaint_id: UUID
    moved: tuple[events.MovedDue, ...]
    ground: Ground
    closed: bool
    now: datetime


def decide(command: RecomputeDeadlines, complaint: Complaint) -> list[events.DeadlinesRecomputed]:
    """Only of what is open; once they lie there, there is nothing to say."""
    match complaint:
        case Open():
            if command.closed or not command.moved:
                return []
            return [
                events.DeadlinesRecomputed(
                    complaint_id=command.complaint_id,
                    moved=command.moved,
                    ground=command.ground,
                    recomputed_at=command.now,
                )
            ]
        case Withdrawn() | Merged():
            return []
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)
