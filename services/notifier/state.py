"""What notifier knows of one notice: written, on its way, arrived, left to a person, told by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import notify as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable
from libs.events.contracts.term import DeadlinesRecomputed
from services.notifier.term import Term

Event = (
    events.NoticeWritten
    | events.NoticeDelivered
    | events.NoticeFailed
    | events.NoticeTaskRaised
    | events.NoticeResent
    | events.NoticeHandedOver
    | DeadlineWarned
    | DeadlineMissed
    | DeadlinesRecomputed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What was written, where it goes now, and how many attempts were made at it.

    `term` says by when it has to arrive, where it must be prompt (NTF-1).
    """

    written: events.NoticeWritten
    to: str
    channels: tuple[str, ...]
    attempts: int = 0
    term: Term | None = None

    @property
    def notice_id(self) -> UUID:
        """The notice's own id: stable, whoever receives it discards repeats by it (NTF-6)."""
        return self.written.notice_id


@dataclass(frozen=True, slots=True)
class NotWritten:
    """There is no such notice."""


@dataclass(frozen=True, slots=True)
class Sending:
    """It goes out over `channel` at `next_at`; `tries` of this channel have failed so far."""

    letter: Letter
    channel: str
    tries: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class LeftToPerson:
    """No channel reached the recipient: a person owes it (NTF-3, trap 13)."""

    letter: Letter
    owed_by: Answerable | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """It was delivered over `channel`."""

    letter: Letter
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A person told the recipient by hand."""

    letter: Letter
    author: str
    at: datetime


Known = Sending | LeftToPerson | Arrived | HandedOver
Notice = NotWritten | Known
INITIAL: Final = NotWritten()


class JudgeInOwnCause(errors.Refused):
    """The complaint is about you, or somebody you answer to: another person must answer the customer."""

    code = "judge_in_own_cause"


def judge_in_own_cause(about: str | None, author: str, under: frozenset[str]) -> None:
    """Refused to the person complained of, and to whoever answers to them (ASG-4)."""
    if about is not None and about in {author, *under}:
        raise JudgeInOwnCause


def evolve(notice: Notice, event: Event) -> Notice:
    """The situation after `event`."""
    if isinstance(event, events.NoticeWritten):
        return _written(event)
    if isinstance(notice, NotWritten):
        raise errors.ContractError("A notice's first event must be its writing.")
    letter = notice.letter
    match event:
        case events.NoticeDelivered():
            return Arrived(_tried(letter, event.attempt), event.channel, event.delivered_at)
        case events.NoticeFailed():
            return _failed(event, notice)
        case events.NoticeTaskRaised():
            return LeftToPerson(letter, event.owed_by)
        case events.NoticeResent():
            # What has arrived once was in time, or was not: sending it once more changes nothing of that.
            term = None if isinstance(notice, Arrived | HandedOver) else letter.term
            again = replace(letter, to=event.to, channels=event.channels, term=term)
            return Sending(again, event.channels[0], 0, event.resent_at)
        case events.NoticeHandedOver():
            return HandedOver(letter, event.author, event.handed_over_at)
        case DeadlineWarned() | DeadlineMissed():
            assert letter.term is not None, "only what is due is warned of"
            return replace(notice, letter=replace(letter, term=letter.term.after(event)))
        case DeadlinesRecomputed(moved=moved):
            term = letter.term
            for each in moved:
                term = term and term.moved(each)
            return replace(notice, letter=replace(letter, term=term))
        case _:
            assert_never(event)


def _written(event: events.NoticeWritten) -> Sending:
    term = None
    if event.due_at is not None:
        term = Term(due_at=event.due_at, warn_at=event.warn_at or event.due_at)
    letter = Letter(written=event, to=event.to, channels=event.channels, term=term)
    return Sending(letter, event.channels[0], 0, event.written_at)


def _failed(event: events.NoticeFailed, notice: Known) -> Notice:
    letter = _tried(notice.letter, event.attempt)
    if event.retry_at is None:
        return LeftToPerson(letter, None)  # the task that follows says whose it is
    same = isinstance(notice, Sending) and event.next_channel is None
    tries = notice.tries + 1 if isinstance(notice, Sending) and same else 0
    return Sending(letter, event.next_channel or event.channel, tries, event.retry_at)


def _tried(letter: Letter, attempt: int) -> Letter:
    return replace(letter, attempts=max(letter.attempts, attempt))
