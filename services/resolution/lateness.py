"""What was not done in time, or not well: a matter for the penalty step (PEN-1, SLA-3, INV-2, INV-5).

Whoever said so. That a complaint was not handled to satisfaction shows when it has to be reopened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Answerable, Step
from libs.events.contracts.investigate import ContributionOverdue, FieldVisitMade, SupplierOverdue
from libs.events.contracts.penalize import AppealOverdue
from libs.events.contracts.propose import ComplaintClosed, ComplaintReopened, Outcome
from libs.events.envelope import Recorded

LATE: Final = (DeadlineMissed, ContributionOverdue, SupplierOverdue, AppealOverdue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """Something of a step was late, or not good enough, since `late_at`, as the event `rests_on` says.

    `owed_by` is whose it was; None where nobody was assigned yet, or where only the `person` is known.
    """

    rests_on: UUID
    step: Step
    owed_by: Answerable | None
    late_at: datetime
    person: str | None = None


def of(recorded: Recorded[Any], answerable: Answerable | None) -> Lateness:
    """The lateness that an event of `LATE` tells of; a supplier's is whose the complaint is."""
    event = recorded.event
    match event:
        case DeadlineMissed(step=step, owed_by=owed_by):
            pass
        case ContributionOverdue(owed_by=owed_by):
            step = Step.INVESTIGATE
        case AppealOverdue(owed_by=owed_by):
            step = Step.PENALIZE
        case _:
            step, owed_by = Step.INVESTIGATE, answerable
    return Lateness(rests_on=recorded.envelope.event_id, step=step, owed_by=owed_by, late_at=event.due_at)


def of_visit(recorded: Recorded[FieldVisitMade], person: str | None) -> Lateness:
    """Who came late to a customer, whatever they might have helped (INV-3)."""
    return Lateness(
        rests_on=recorded.envelope.event_id,
        step=Step.INVESTIGATE,
        owed_by=None,
        late_at=recorded.event.arrived_at,
        person=person or recorded.event.author,
    )


def of_reopening(
    recorded: Recorded[ComplaintReopened], closed: ComplaintClosed | None, had: Answerable | None
) -> Iterator[Lateness]:
    """What was resolved and is not: put to whoever had it, as of when it was taken for resolved."""
    if closed is not None and closed.outcome is Outcome.RESOLVED:
        yield Lateness(
            rests_on=recorded.envelope.event_id, step=Step.PROPOSE, owed_by=had, late_at=closed.closed_at
        )


def charged(lates: Iterable[Lateness]) -> Iterator[Lateness]:
    """Those that somebody answers for: with late decisions about that, nobody is charged more than once."""
    known: set[Answerable | None] = set()
    for late in lates:
        if late.step is Step.PENALIZE:
            if late.owed_by in known:
                continue
            known.add(late.owed_by)
        yield late
