"""Step 6, first reply: the customer must have an answer within the policy's hours, on the clock (SLA-1).

An answer is what a person, or the policy in their place, has to say about the case: who looks after it, what
is wanted, what was found or is offered. An acknowledgement only promises one, and a delay notice puts it off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events.contracts import notify as events
from libs.events.contracts.handling import Step
from libs.events.contracts.notify import NoticeKind, Reply
from libs.policy.pack import Pack
from services.notifier.promise import Event, Given, NotOwed, Owed, Promise, Released, evolve
from services.notifier.term import Debtor, Term, missed, passed

ANSWERS: Final = frozenset(
    {
        NoticeKind.DETAILS_WANTED,
        NoticeKind.PROGRESS,
        NoticeKind.APPRAISAL,
        NoticeKind.SOLUTION,
        NoticeKind.UNFOUNDED_REPLY,
        NoticeKind.CLOSING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The first answer that reached the customer: the notice, when it did."""

    notice_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowComplaint:
    """What the complaint's history says: by when, whether still waited for, what answered it.

    `as_of` is the seq of the newest event in all this.
    """

    debtor: Debtor
    term: Term
    over: bool
    answer: Answer | None
    as_of: int
    policy: Pack
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReply:
    """It is `now`, and the first reply may be overdue."""

    debtor: Debtor
    policy: Pack
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TellCustomer:
    """Somebody told the customer in their own words; `term` is what was owed, heard of or not."""

    debtor: Debtor
    data_subject: str
    term: Term
    as_of: int
    text: str
    author: str
    policy: Pack
    now: datetime


Command = FollowComplaint | PassReply | TellCustomer


def decide(command: Command, promise: Promise) -> list[Event]:
    """Whatever is heard first, or twice: each is said once, and at the time it fell due."""
    match command:
        case FollowComplaint():
            return _follow(command, promise)
        case PassReply():
            return _pass(command, promise)
        case TellCustomer():
            return _tell(command, promise)
        case _:
            assert_never(command)


def _follow(command: FollowComplaint, promise: Promise) -> list[Event]:
    if not isinstance(promise, NotOwed) and command.as_of <= promise.acted_on:
        return []  # older than what was acted on
    match promise:
        case Given():
            return []
        case Released() | NotOwed() if command.over and command.answer is None:
            return []
        case Owed() if command.over and command.answer is None:
            return [_released(command)]
        case NotOwed() | Owed() | Released():
            begun, owed = _owed(command, promise)
            if command.answer is None:
                return begun
            late = command.answer.at > owed.term.due_at and not owed.term.missed
            missing = [missed(owed.term, command.debtor, command.policy, command.now)] if late else []
            return [*begun, *missing, _given_by(command, command.answer)]
        case _:
            assert_never(promise)


def _tell(command: TellCustomer, promise: Promise) -> list[Event]:
    told = events.CustomerTold(
        complaint_id=command.debtor.complaint_id,
        data_subject=command.data_subject,
        text=command.text,
        author=command.author,
        told_at=command.now,
    )
    if isinstance(promise, Given):
        return [told]  # it was no first reply, and yet it is on record
    begun, owed = _owed(command, promise)
    late = command.now > owed.term.due_at and not owed.term.missed
    missing = [missed(owed.term, command.debtor, command.policy, command.now)] if late else []
    given = events.FirstReplyGiven(
        complaint_id=command.debtor.complaint_id,
        by=Reply.PERSON,
        notice_id=None,
        author=command.author,
        acted_on=command.as_of,
        given_at=command.now,
    )
    return [*begun, *missing, told, given]


def _pass(command: PassReply, promise: Promise) -> list[Event]:
    match promise:
        case Owed(term=term):
            ground = command.policy.ground(command.policy.deadlines.of(Step.NOTIFY).clause)
            return list(passed(term, command.debtor, ground, command.policy, command.now))
        case NotOwed() | Given() | Released():
            return []
        case _:
            assert_never(promise)


def _owed(command: FollowComplaint | TellCustomer, promise: Promise) -> tuple[list[Event], Owed]:
    """The promise as it is owed now, and the event that makes it so where it was not."""
    if isinstance(promise, Owed) and promise.term.due_at == command.term.due_at:
        return [], promise
    event = events.FirstReplyOwed(
        complaint_id=command.debtor.complaint_id,
        due_at=command.term.due_at,
        warn_at=command.term.warn_at,
        acted_on=command.as_of,
        owed_at=command.now,
    )
    owed = evolve(promise, event)
    assert isinstance(owed, Owed), "that is what the event says"
    return [event], owed


def _given_by(command: FollowComplaint, answer: Answer) -> events.FirstReplyGiven:
    return events.FirstReplyGiven(
        complaint_id=command.debtor.complaint_id,
        by=Reply.NOTICE,
        notice_id=answer.notice_id,
        author=None,
        acted_on=command.as_of,
        given_at=answer.at,
    )


def _released(command: FollowComplaint) -> events.FirstReplyReleased:
    return events.FirstReplyReleased(
        complaint_id=command.debtor.complaint_id, acted_on=command.as_of, released_at=command.now
    )
