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
    """Who says that the complainant withdrew, and what the complainant gave as the reason.

    `own_cause`: who says so is complained of, or below whom is (ASG-4). `closed`: it has ended already.
    """

    complaint_id: UUID
    author: str
    reason: str
    own_cause: bool = False
    closed: bool = False
    now: datetime


def decide(command: WithdrawComplaint, complaint: Complaint) -> list[events.Event]:
    """What was withdrawn stays on record."""
    match complaint:
        case Open(record):
            state.may_end(own_cause=command.own_cause, closed=command.closed)
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
