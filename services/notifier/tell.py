"""Step 6, tell: somebody answered the customer in their own words, on the phone or in person (SLA-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.events.contracts import notify as events
from libs.events.contracts.notify import Reply
from libs.policy.pack import Pack
from services.notifier import state
from services.notifier.promise import Event, Given, Promise, owe
from services.notifier.term import Debtor, Term, missed_by


@dataclass(frozen=True, slots=True, kw_only=True)
class TellCustomer:
    """What was said and by whom; `term` is by when a first reply was owed, whether heard of yet or not."""

    debtor: Debtor
    data_subject: str
    term: Term
    as_of: int
    text: str
    author: str
    under: frozenset[str]  # everybody the author answers to
    policy: Pack
    now: datetime


def decide(command: TellCustomer, promise: Promise) -> list[Event]:
    """It is on record each time; the first time it is also the reply that the customer was owed."""
    state.judge_in_own_cause(command.debtor.about, command.author, command.under)
    told = events.CustomerTold(
        complaint_id=command.debtor.complaint_id,
        data_subject=command.data_subject,
        text=command.text,
        author=command.author,
        told_at=command.now,
    )
    if isinstance(promise, Given):
        return [told]
    begun, owed = owe(promise, command.debtor.complaint_id, command.term, command.as_of, command.now)
    late = missed_by(owed.term, command.now, command.debtor, command.policy, command.now)
    given = events.FirstReplyGiven(
        complaint_id=command.debtor.complaint_id,
        by=Reply.PERSON,
        notice_id=None,
        author=command.author,
        acted_on=command.as_of,
        given_at=command.now,
    )
    return [*begun, *late, told, given]
