"""Step 1, convert: an enquiry that turns out to be a complaint becomes one, with its first record (REC-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events.contracts import intake as events
from libs.events.contracts.values import Contact
from services.intake import state
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
class ConvertEnquiry:
    """Who found the enquiry to be a complaint, and why."""

    complaint_id: UUID
    author: str
    reason: str
    required_details: state.RequiredDetails
    first_reply_due_at: datetime
    policy: str
    now: datetime


def decide(command: ConvertEnquiry, complaint: Complaint) -> list[events.Event]:
    """The person waits since the first contact, so an earlier deadline stays."""
    match complaint:
        case Enquired(record):
            return [
                events.EnquiryBecameComplaint(
                    complaint_id=record.complaint_id,
                    data_subject=record.data_subject,
                    became_at=command.now,
                    author=command.author,
                    reason=command.reason,
                    missing_details=state.missing_details(
                        Contact.COMPLAINT,
                        record.statement,
                        command.required_details,
                        record.unavailable_details,
                    ),
                    first_reply_due_at=min(record.first_reply_due_at, command.first_reply_due_at),
                    policy=command.policy,
                )
            ]
        case Recorded() | Unfounded() | Founded() | Assigned():
            return []  # it is a complaint
        case NotRecorded() | Withdrawn() | Merged():
            raise state.refusal(complaint)
        case _:
            assert_never(complaint)
