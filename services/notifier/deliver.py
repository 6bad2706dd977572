"""Step 6, deliver: what became of an attempt, and what follows: again, the next channel, a person (NTF-3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from libs.events.contracts import notify as events
from libs.policy import notices
from libs.policy.pack import Pack
from services.notifier.state import Arrived, HandedOver, LeftToPerson, Notice, NotWritten, Sending


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAttempt:
    """Attempt number `attempt` went out over `channel`; `failure` says why it did not arrive, None: it did.

    `final`: no other try, over whatever channel, can do better. `policy` says when it is tried again, and who
    tells by hand what never arrived: not the person that the complaint is `about` (ASG-4).
    """

    channel: str
    attempt: int
    failure: str | None
    final: bool
    about: str | None = None
    policy: Pack
    now: datetime


Event = events.NoticeDelivered | events.NoticeFailed | events.NoticeTaskRaised


def decide(command: RecordAttempt, notice: Notice) -> list[Event]:
    """An attempt counts once. That it arrived counts whatever else was recorded meanwhile: it is the fact."""
    match notice:
        case Sending() if command.failure is not None:
            return list(_failed(command, command.failure, notice))
        case Sending(letter) | LeftToPerson(letter) if command.failure is None:
            return [
                events.NoticeDelivered(
                    notice_id=letter.notice_id,
                    complaint_id=letter.written.complaint_id,
                    kind=letter.written.kind,
                    recipient=letter.written.recipient,
                    channel=command.channel,
                    attempt=command.attempt,
                    delivered_at=command.now,
                )
            ]
        case Sending() | LeftToPerson() | Arrived() | HandedOver() | NotWritten():
            return []
        case _:
            assert_never(notice)


def _failed(command: RecordAttempt, reason: str, notice: Sending) -> Iterator[Event]:
    letter, written = notice.letter, notice.letter.written
    if command.attempt != letter.attempts + 1:
        return  # somebody else recorded this attempt
    pause = None if command.final else notices.retry_after(command.policy, notice.tries + 1)
    behind = () if command.final else letter.channels[letter.channels.index(notice.channel) + 1 :]
    following = behind[0] if behind and pause is None else None
    yield events.NoticeFailed(
        notice_id=letter.notice_id,
        complaint_id=written.complaint_id,
        channel=command.channel,
        attempt=command.attempt,
        reason=reason,
        retry_at=command.now + pause if pause is not None else command.now if following else None,
        next_channel=following,
        failed_at=command.now,
    )
    if pause is None and following is None:
        yield events.NoticeTaskRaised(
            notice_id=letter.notice_id,
            complaint_id=written.complaint_id,
            kind=written.kind,
            recipient=written.recipient,
            owed_by=notices.takes_over(command.policy, command.policy.day_of(command.now), command.about),
            raised_at=command.now,
        )
