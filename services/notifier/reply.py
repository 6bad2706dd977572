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
from services.notifier.promise import Event, Given, NotOwed, Owed, Promise, Released, owe
from services.notifier.term import Debtor, Term, missed_by, passed

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


Command = FollowComplaint | PassReply


def decide(command: Command, promise: Promise) -> list[Event]:
    """Whatever is heard first, or twice: each is said once, and at the time it fell due."""
    match command:
        case FollowComplaint():
            return _follow(command, promise)
        case PassReply():
            return _pass(command, promise)
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
            begun, owed = owe(promise, command.debtor.complaint_id, command.term, command.as_of, command.now)
            if command.answer is None:
                return begun
            late = missed_by(owed.term, command.answer.at, command.debtor, command.policy, command.now)
            return [*begun, *late, _given_by(command, command.answer)]
        case _:
            assert_never(promise)


def _pass(command: PassReply, promise: Promise) -> list[Event]:
    match promise:
        case Owed(term=term):
            ground = command.policy.ground(command.policy.deadlines.of(Step.NOTIFY).clause)
            return list(passed(term, command.debtor, ground, command.policy, command.now))
        case NotOwed() | Given() | Released():
            return []
        case _:
            assert_never(promise)


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
