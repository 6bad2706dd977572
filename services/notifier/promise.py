"""What notifier knows of the first reply that a customer is owed: owed, given, or owed no more (SLA-1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import notify as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from services.notifier.term import Term

Event = (
    events.FirstReplyOwed
    | events.FirstReplyGiven
    | events.FirstReplyReleased
    | events.CustomerTold
    | DeadlineWarned
    | DeadlineMissed
)


@dataclass(frozen=True, slots=True)
class NotOwed:
    """Nothing is on record yet that calls for a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """The customer waits for an answer."""

    term: Term
    acted_on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The customer has one; what the clock said before then stays said."""

    term: Term
    acted_on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The customer waits no more: the complaint is withdrawn, merged or closed."""

    term: Term
    acted_on: int


Promise = NotOwed | Owed | Given | Released
INITIAL: Final = NotOwed()


def evolve(promise: Promise, event: Event) -> Promise:
    """The situation after `event`."""
    if isinstance(event, events.FirstReplyOwed):
        return Owed(term=_term(event, promise), acted_on=event.acted_on)
    if isinstance(promise, NotOwed):
        raise errors.ContractError("What is not owed can be neither given nor missed.")
    match event:
        case events.FirstReplyGiven():
            return Given(term=promise.term, acted_on=event.acted_on)
        case events.FirstReplyReleased():
            return Released(term=promise.term, acted_on=event.acted_on)
        case events.CustomerTold():
            return promise
        case DeadlineWarned() | DeadlineMissed():
            return replace(promise, term=promise.term.after(event))
        case _:
            assert_never(event)


def owe(
    promise: Promise, complaint_id: UUID, term: Term, as_of: int, now: datetime
) -> tuple[list[Event], Owed]:
    """The promise as it is owed by that term, and the event that makes it so where it was not."""
    if isinstance(promise, Owed) and promise.term.due_at == term.due_at:
        return [], promise
    event = events.FirstReplyOwed(
        complaint_id=complaint_id,
        due_at=term.due_at,
        warn_at=term.warn_at,
        acted_on=as_of,
        owed_at=now,
    )
    return [event], Owed(term=_term(event, promise), acted_on=as_of)


def _term(event: events.FirstReplyOwed, before: Promise) -> Term:
    """What the clock has said stays said while the due time is the same (trap 1)."""
    if not isinstance(before, NotOwed) and before.term.due_at == event.due_at:
        return before.term
    return Term(due_at=event.due_at, warn_at=event.warn_at)
