"""By when something must have reached somebody, and what the clock says of that: each once, at its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Ground, Step
from libs.events.contracts.term import Breach, MovedDue
from libs.policy import escalation
from libs.policy.pack import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """When it is due, when its person is warned, and what has been said of that so far."""

    due_at: datetime
    warn_at: datetime
    warned: bool = False
    missed: bool = False

    def after(self, event: DeadlineWarned | DeadlineMissed) -> Term:
        """The same, with what the clock has said now."""
        if isinstance(event, DeadlineWarned):
            return replace(self, warned=True)
        return replace(self, missed=True)

    def moved(self, lies: MovedDue) -> Term:
        """Where a policy has it now; what was missed, and is missed there too, was said."""
        said = lies.breach is Breach.STANDS
        return Term(
            due_at=lies.due.due_at,
            warn_at=lies.due.warn_at,
            warned=said and self.warned,
            missed=said and self.missed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtor:
    """Who answers for the complaint (None: nobody yet), escalated how far, and whom it is about (ASG-4)."""

    complaint_id: UUID
    answerable: Answerable | None
    level: int
    about: str | None


def passed(
    term: Term, debtor: Debtor, ground: Ground, policy: Pack, now: datetime
) -> Iterator[DeadlineWarned | DeadlineMissed]:
    """What has fallen due by `now`, with the time it fell due, however late that is noticed (SLA-3..4)."""
    if not term.warned and term.warn_at <= now:
        yield DeadlineWarned(
            complaint_id=debtor.complaint_id,
            step=Step.NOTIFY,
            due_at=term.due_at,
            warned_at=term.warn_at,
            owed_by=debtor.answerable,
            ground=ground,
        )
    yield from missed_by(term, now, debtor, policy, now)


def missed_by(
    term: Term, moment: datetime, debtor: Debtor, policy: Pack, now: datetime
) -> Iterator[DeadlineMissed]:
    """Said, if it had not been, where what was due had not happened by `moment`; it goes up the ladder."""
    if term.missed or term.due_at > moment:
        return
    escalated = escalation.escalate(
        policy,
        EscalationCause.OVERDUE,
        policy.day_of(term.due_at),
        owed_by=debtor.answerable,
        level=debtor.level,
        about=debtor.about,
    )
    yield DeadlineMissed(
        complaint_id=debtor.complaint_id,
        step=Step.NOTIFY,
        due_at=term.due_at,
        missed_at=term.due_at,
        noticed_at=now,
        owed_by=debtor.answerable,
        escalated_to=escalated.to,
        ground=escalated.ground,
    )
