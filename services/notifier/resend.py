"""Step 6, resend and hand over: what a person does about a notice that did not get through (NTF-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from libs.events import errors
from libs.events.contracts import notify as events
from libs.events.contracts.personal import Erased
from services.notifier import state
from services.notifier.state import Arrived, HandedOver, LeftToPerson, Notice, NotWritten, Sending


class RecipientErased(errors.Refused):
    """The recipient's personal data was erased on request; hand the notice over by other means."""

    code = "recipient_erased"


class AlreadyDelivered(errors.Refused):
    """The notice arrived, so there is nothing to tell by hand; have it resent to send it once more."""

    code = "already_delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendNotice:
    """Send it once more over `channels` in turn, to where the recipient is reached now.

    `about`: the person complained of.
    """

    to: str
    channels: tuple[str, ...]
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: str | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverNotice:
    """A person told the recipient by hand; `how` says by which means and what came of it.

    `about`: as in `ResendNotice`.
    """

    how: str
    author: str
    under: frozenset[str]
    about: str | None
    now: datetime


Command = ResendNotice | HandOverNotice
Event = events.NoticeResent | events.NoticeHandedOver


def decide(command: Command, notice: Notice) -> list[Event]:
    """What is about to go out anyway is not sent twice; what was handed over once is."""
    if isinstance(notice, NotWritten):
        raise errors.NotFound
    match command:
        case ResendNotice():
            return _resend(command, notice)
        case HandOverNotice():
            return _hand_over(command, notice)
        case _:
            assert_never(command)


def _resend(command: ResendNotice, notice: Sending | LeftToPerson | Arrived | HandedOver) -> list[Event]:
    letter = notice.letter
    if isinstance(command.to, Erased) or isinstance(letter.written.text, Erased):
        raise RecipientErased
    first_try = isinstance(notice, Sending) and (notice.channel, notice.tries) == (letter.channels[0], 0)
    if first_try and (letter.to, letter.channels) == (command.to, command.channels):
        return []  # it is on its way already
    state.judge_in_own_cause(command.about, command.author, command.under)
    return [
        events.NoticeResent(
            notice_id=letter.notice_id,
            complaint_id=letter.written.complaint_id,
            data_subject=letter.written.data_subject,
            to=command.to,
            channels=command.channels,
            author=command.author,
            resent_at=command.now,
        )
    ]


def _hand_over(command: HandOverNotice, notice: Sending | LeftToPerson | Arrived | HandedOver) -> list[Event]:
    match notice:
        case Sending(letter) | LeftToPerson(letter):
            state.judge_in_own_cause(command.about, command.author, command.under)
            return [
                events.NoticeHandedOver(
                    notice_id=letter.notice_id,
                    complaint_id=letter.written.complaint_id,
                    data_subject=letter.written.data_subject,
                    kind=letter.written.kind,
                    recipient=letter.written.recipient,
                    how=command.how,
                    author=command.author,
                    handed_over_at=command.now,
                )
            ]
        case HandedOver():
            return []  # told by hand before
        case Arrived():
            raise AlreadyDelivered
        case _:
            assert_never(notice)
