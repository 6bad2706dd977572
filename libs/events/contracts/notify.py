"""The events of step 6, notify (NTF)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from libs.events.contracts.registry import contract
from libs.events.contracts.values import Language, PersonalText


class NoticeKind(StrEnum):
    """Why somebody is told something (NTF-1, NTF-2, NTF-5)."""

    ACKNOWLEDGEMENT = "acknowledgement"
    DETAILS_WANTED = "details_wanted"
    PROGRESS = "progress"
    SOLUTION = "solution"
    UNFOUNDED_REPLY = "unfounded_reply"
    DELAY = "delay"
    CLOSING = "closing"
    IMPROVEMENT = "improvement"
    ASSIGNMENT = "assignment"
    DEADLINE_WARNING = "deadline_warning"
    ESCALATION = "escalation"
    DESIGN_DEFECT = "design_defect"
    BATCH_INCIDENT = "batch_incident"
    QUALITY_ANALYSIS = "quality_analysis"


class Recipient(StrEnum):
    """Who is told."""

    CUSTOMER = "customer"
    STAFF = "staff"


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWritten:
    """What is to be said, to whom, in which words and by which template; kept before it is sent (NTF-4)."""

    notice_id: UUID
    complaint_id: UUID | None
    data_subject: str
    kind: NoticeKind
    recipient: Recipient
    to: PersonalText
    language: Language
    channels: tuple[str, ...]
    template: str
    policy: str
    subject: PersonalText
    text: PersonalText
    cause: UUID
    written_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDelivered:
    """The notice arrived over `channel` (step 6)."""

    notice_id: UUID
    complaint_id: UUID | None
    kind: NoticeKind
    recipient: Recipient
    channel: str
    attempt: int
    delivered_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFailed:
    """One attempt over one channel failed; `next_channel` follows, or else a person takes over (NTF-3)."""

    notice_id: UUID
    complaint_id: UUID | None
    channel: str
    attempt: int
    reason: str
    retry_at: datetime | None
    next_channel: str | None
    failed_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTaskRaised:
    """No channel reached the recipient: a person must (NTF-3, trap 13)."""

    notice_id: UUID
    complaint_id: UUID | None
    kind: NoticeKind
    owed_by: str
    raised_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeHandedOver:
    """A person told the recipient by hand, so the task is done (NTF-3)."""

    notice_id: UUID
    complaint_id: UUID | None
    data_subject: str
    kind: NoticeKind
    recipient: Recipient
    how: PersonalText
    author: str
    handed_over_at: datetime
