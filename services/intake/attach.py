"""Step 1, attach: keep a photo, an invoice or a signed sheet with the complaint (REC-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import intake as events
from services.intake import state
from services.intake.state import Complaint, Merged, NotRecorded, Open, Record, Withdrawn

ATTACHMENTS_MAX: Final = 200


class TooManyAttachments(errors.Refused):
    """This complaint has as many attachments as one can have."""

    code = "too_many_attachments"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAttachment:
    """Content that was checked and stored: `media_type` is what it is, `sha256` (hex) is of its bytes."""

    complaint_id: UUID
    attachment_id: UUID
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    author: str
    now: datetime


def decide(command: AddAttachment, complaint: Complaint) -> list[events.Event]:
    """The same content is attached once."""
    match complaint:
        case Open(record) | Withdrawn(record):
            return _attach(command, record)
        case Merged(into=other):
            raise state.AlreadyMerged(merged_into=str(other))
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)


def _attach(command: AddAttachment, record: Record) -> list[events.Event]:
    if any(kept.sha256 == command.sha256 for kept in record.attachments):
        return []
    if len(record.attachments) >= ATTACHMENTS_MAX:
        raise TooManyAttachments(most=ATTACHMENTS_MAX)
    return [
        events.AttachmentAdded(
            complaint_id=record.complaint_id,
            data_subject=record.data_subject,
            attachment_id=command.attachment_id,
            filename=command.filename,
            media_type=command.media_type,
            size_bytes=command.size_bytes,
            sha256=command.sha256,
            added_at=command.now,
            author=command.author,
        )
    ]
