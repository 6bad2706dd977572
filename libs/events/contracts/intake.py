"""The events of intake, steps 1 to 3."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events.contracts.registry import contract
from libs.events.contracts.values import (
    Channel,
    Complainant,
    Contact,
    Demand,
    Detail,
    PersonalText,
    Product,
    Respondent,
    Source,
    Suspicion,
)


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintRecorded:
    """Step 1 done: everything the complainant said is on record (REC-1)."""

    complaint_id: UUID
    data_subject: str
    number: str
    contact: Contact
    source: Source | None
    channel: Channel
    received_at: datetime
    occurred_at: datetime | None
    recorded_at: datetime
    complainant: Complainant
    respondent: Respondent
    product: Product | None
    narrative: PersonalText
    demand: Demand
    missing_details: tuple[Detail, ...]
    possible_duplicates: tuple[Suspicion, ...]
    first_reply_due_at: datetime
    policy: str


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintAmended:
    """A correction or supplement; what is None stands as it was, earlier versions stay visible (REC-6)."""

    complaint_id: UUID
    data_subject: str
    amended_at: datetime
    author: str
    reason: PersonalText
    occurred_at: datetime | None = None
    complainant: Complainant | None = None
    respondent: Respondent | None = None
    product: Product | None = None
    narrative: PersonalText | None = None
    supplement: PersonalText | None = None
    demand: Demand | None = None
    unavailable_details: tuple[Detail, ...] = ()
    missing_details: tuple[Detail, ...] = ()


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class EnquiryBecameComplaint:
    """A contact registered as an enquiry turned out to be a complaint; its first record stays (REC-4)."""

    complaint_id: UUID
    data_subject: str
    became_at: datetime
    author: str
    reason: PersonalText
    missing_details: tuple[Detail, ...]
    first_reply_due_at: datetime
    policy: str


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentAdded:
    """A photo, invoice or signed sheet is kept (REC-10); `sha256` (hex) is of the content as received."""

    complaint_id: UUID
    data_subject: str
    attachment_id: UUID
    filename: PersonalText
    media_type: str
    size_bytes: int
    sha256: str
    added_at: datetime
    author: str


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateSuspected:
    """Another open complaint of the same customer concerns the same product or order (REC-9)."""

    complaint_id: UUID
    suspicion: Suspicion
    suspected_at: datetime


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintMerged:
    """A person found this complaint to be the same as another, which carries on for both (REC-9)."""

    complaint_id: UUID
    data_subject: str
    merged_into: UUID
    merged_at: datetime
    author: str
    reason: PersonalText


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintSeparated:
    """A person found this complaint to be another one's no duplicate, or undid a merge (REC-9)."""

    complaint_id: UUID
    data_subject: str
    separated_from: UUID
    separated_at: datetime
    author: str
    reason: PersonalText


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintWithdrawn:
    """The complainant took the complaint back."""

    complaint_id: UUID
    data_subject: str
    withdrawn_at: datetime
    author: str
    reason: PersonalText


Event = (
    ComplaintRecorded
    | ComplaintAmended
    | EnquiryBecameComplaint
    | AttachmentAdded
    | DuplicateSuspected
    | ComplaintMerged
    | ComplaintSeparated
    | ComplaintWithdrawn
)
