"""The events of step 6, notify (NTF), and of the first reply that every customer is owed (SLA-1).

What is said is sealed under the complaint's data subject, also where staff are told: it quotes the customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from libs.events.contracts.handling import Answerable
from libs.events.contracts.registry import contract
from libs.events.contracts.values import Language, PersonalText


class NoticeKind(StrEnum):
    """Why somebody is told something (NTF-1, NTF-2, NTF-5)."""

    ACKNOWLEDGEMENT = "acknowledgement"
    DETAILS_WANTED = "details_wanted"
    PROGRESS = "progress"
    APPRAISAL = "appraisal"
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
    """What is to be said, to whom, in which words and by which template; kept before it is sent (NTF-4).

    `person` is who inside is told; None for a customer. `to` is the address, number or person it goes to,
    `channels` the ways there in turn. `cause` is the event that it tells of. Where it has to arrive promptly,
    `due_at` says by when, and `warn_at` when its sender is warned (NTF-1).
    """

    notice_id: UUID
    complaint_id: UUID | None
    data_subject: str
    kind: NoticeKind
    recipient: Recipient
    person: str | None
    to: PersonalText
    language: Language
    channels: tuple[str, ...]
    template: str
    policy: str
    subject: PersonalText
    text: PersonalText
    cause: UUID
    due_at: datetime | None
    warn_at: datetime | None
    written_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDelivered:
    """The notice arrived over `channel` (step 6). `attempt` counts all tries of the notice, from 1."""

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
    """One attempt over one channel failed, and what follows (NTF-3).

    At `retry_at` it is tried again, over `next_channel` if that is given, else over the same one. Without
    `retry_at` no channel is left, and a person takes over.
    """

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
    recipient: Recipient
    owed_by: Answerable
    raised_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeResent:
    """A person had it sent once more, over all channels anew, to where the recipient is reached (NTF-3)."""

    notice_id: UUID
    complaint_id: UUID | None
    data_subject: str
    to: PersonalText
    channels: tuple[str, ...]
    author: str
    resent_at: datetime


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


class Reply(StrEnum):
    """What answered the customer first (SLA-1)."""

    NOTICE = "notice"
    PERSON = "person"


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstReplyOwed:
    """The customer must have an answer by `due_at`, on the clock (SLA-1); an acknowledgement is none.

    `acted_on`: the seq of the newest upstream event this answers; older ones change nothing.
    """

    complaint_id: UUID
    due_at: datetime
    warn_at: datetime
    acted_on: int
    owed_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstReplyGiven:
    """The customer has an answer: by the notice `notice_id` when it arrived, or in a person's own words."""

    complaint_id: UUID
    by: Reply
    notice_id: UUID | None
    author: str | None
    acted_on: int
    given_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstReplyReleased:
    """Withdrawn, merged or closed: nobody waits for an answer any more, and the clock stops (trap 6)."""

    complaint_id: UUID
    acted_on: int
    released_at: datetime


@contract("notifier")
@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTold:
    """What somebody told the customer in their own words, without a template: on the phone, in person."""

    complaint_id: UUID
    data_subject: str
    text: PersonalText
    author: str
    told_at: datetime


Event = (
    NoticeWritten
    | NoticeDelivered
    | NoticeFailed
    | NoticeTaskRaised
    | NoticeResent
    | NoticeHandedOver
    | FirstReplyOwed
    | FirstReplyGiven
    | FirstReplyReleased
    | CustomerTold
)
