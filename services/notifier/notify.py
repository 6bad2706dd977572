"""Step 6, notify: a notice is written once, in the policy's words, and kept before it is sent (NTF).

Upon what a customer has to hear of (recording, missing details, each further step, the solution, a delay,
the end) and what a colleague has to. Then it is sent, tried again, or left to a person (`deliver`,
`resend`); `reply` watches that a first answer comes in time, and `tell` records what somebody said
themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events.contracts import notify as events
from libs.events.contracts.handling import Answerable
from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.personal import Erased
from libs.events.contracts.values import Language
from libs.policy.notices import Written
from services.notifier.state import Arrived, HandedOver, LeftToPerson, Notice, NotWritten, Sending
from services.notifier.term import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteNotice:
    """What is to be said, rendered by `policy`; `notice_id` comes of what it tells of and to whom.

    `term`: by when it has to arrive (NTF-1). `stands_in` is who tells the recipient by hand where nothing
    else can.
    """

    notice_id: UUID
    complaint_id: UUID | None
    data_subject: str
    kind: NoticeKind
    person: str | None
    to: str
    language: Language
    written: Written
    policy: str
    cause: UUID
    term: Term | None
    stands_in: Answerable
    now: datetime


def decide(command: WriteNotice, notice: Notice) -> list[events.NoticeWritten | events.NoticeTaskRaised]:
    """Said once; whose address was erased on request no channel can reach, so it is left to a person."""
    match notice:
        case NotWritten():
            written = _written(command)
            return [written, _left_to_person(command, written)] if _unreachable(command) else [written]
        case Sending() | LeftToPerson() | Arrived() | HandedOver():
            return []  # written before
        case _:
            assert_never(notice)


def _unreachable(command: WriteNotice) -> bool:
    return isinstance(command.to, Erased) or not command.to


def _written(command: WriteNotice) -> events.NoticeWritten:
    return events.NoticeWritten(
        notice_id=command.notice_id,
        complaint_id=command.complaint_id,
        data_subject=command.data_subject,
        kind=command.kind,
        recipient=Recipient.CUSTOMER if command.person is None else Recipient.STAFF,
        person=command.person,
        to=command.to,
        language=command.language,
        channels=command.written.channels,
        template=command.written.template,
        policy=command.policy,
        subject=command.written.subject,
        text=command.written.text,
        cause=command.cause,
        due_at=command.term.due_at if command.term else None,
        warn_at=command.term.warn_at if command.term else None,
        written_at=command.now,
    )


def _left_to_person(command: WriteNotice, written: events.NoticeWritten) -> events.NoticeTaskRaised:
    return events.NoticeTaskRaised(
        notice_id=written.notice_id,
        complaint_id=written.complaint_id,
        kind=written.kind,
        recipient=written.recipient,
        owed_by=command.stands_in,
        raised_at=command.now,
    )
