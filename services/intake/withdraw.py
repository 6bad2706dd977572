"""Step 1, withdraw: the complainant takes the complaint back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import intake as events
from services.intake import state
from services.intake.state import Complaint, Merged, NotRecorded, Open, Withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawComplaint:
    """Who says that the complainant withdrew, and what the complainant gave as the reason."""

    complaint_id: UUID
    author: str
    reason: str
    now: datetime


def decide(command: WithdrawComplaint, complaint: Complaint) -> list[events.Event]:
    """What was withdrawn stays on record."""
    match complaint:
        case Open(record):
            return [
                events.ComplaintWithdrawn(
                    complaint_id=record.complaint_id,
                    data_subject=record.data_subject,
                    withdrawn_at=command.now,
                    author=command.author,
                    reason=command.reason,
                )
            ]
        case Withdrawn():
            return []  # said before
        case Merged(into=other):
            raise state.AlreadyMerged(merged_into=str(other))
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)
