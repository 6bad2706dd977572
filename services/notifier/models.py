"""What callers send to notifier and what is answered; limits stand in the types."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.values import Language
from libs.service.body import RequestModel
from libs.service.fields import Words
from services.notifier.views import Status


class HandOverBody(RequestModel):
    """How somebody told the recipient by hand (NTF-3)."""

    how: Words
    """By which means, and what came of it."""


class ReplyBody(RequestModel):
    """What somebody told the customer in their own words (SLA-1)."""

    text: Words


class NoticeLine(BaseModel):
    """One notice of a list: what was said to whom, over which channel, when, and whether it arrived."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    complaint_id: UUID | None
    kind: NoticeKind
    recipient: Recipient
    person: str | None
    """Who inside is told; null for the customer."""
    status: Status
    version: int
    language: Language
    template: str
    channel: str
    attempts: int
    failure: str | None
    retry_at: datetime | None
    owed_by: str | None
    """Who has to tell the recipient by hand, since no channel reached them."""
    due_at: datetime | None
    written_at: datetime
    settled_at: datetime | None


class NoticeAnswer(BaseModel):
    """One notice in its words."""

    notice_id: UUID
    complaint_id: UUID | None
    kind: NoticeKind
    recipient: Recipient
    person: str | None
    status: Status
    version: int
    language: Language
    template: str
    channels: tuple[str, ...]
    attempts: int
    owed_by: str | None
    to: str
    subject: str
    text: str
    due_at: datetime | None
    written_at: datetime


class ReplyAnswer(BaseModel):
    """The first reply that the customer is owed, after somebody told them something."""

    complaint_id: UUID
    version: int
    replied: bool
    due_at: datetime
