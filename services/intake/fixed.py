"""Where deadlines come from: since when each counts, without which pauses, and when that was fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.events.contracts.handling import Severity, Step, StepDue
from libs.events.contracts.term import MovedDue
from libs.policy import deadlines, recomputation
from libs.policy.calendar import Span
from libs.policy.pack import Pack
from libs.policy.recomputation import Running
from services.intake.handling import Handling, Term
from services.intake.state import Record


@dataclass(frozen=True, slots=True)
class Fixed:
    """A deadline as events hold it: fixed at `fixed_at`, and where it lies now since `moved_at`."""

    due: StepDue
    severity: Severity
    started_at: datetime
    fixed_at: datetime
    moved_at: datetime
    pauses: Sequence[Span] = ()


def all_of(record: Record) -> Iterator[Fixed]:
    """The deadlines that hold: intake's own, and those that the assignment fixed for later steps."""
    handling = record.handling
    if handling.term is not None:
        yield own(handling, handling.term)
    if handling.answerable is None:
        return
    first = handling.first  # a change of hands moves no deadline
    assert first is not None, "somebody answers for it, so it was assigned"
    at = first.assigned_at
    for due in handling.due:
        yield Fixed(due, first.severity, at, at, handling.due_moved_at or at)


def own(handling: Handling, term: Term) -> Fixed:
    """That of a term of intake's own, present or past."""
    for escalation in handling.escalations:
        if term.fixed in escalation.due:  # leadership has its own time
            at = escalation.escalated_at
            severity = _severity(handling, at)
            return Fixed(term.due, severity, at, at, term.moved_at or at, handling.pauses)
    at = next(each.classified_at for each in handling.judgements if term.fixed in each.due)
    pauses = handling.pauses
    if term.due.step is Step.ASSIGN:
        pauses = (*pauses, *handling.waited)
    severity = _severity(handling, at)
    return Fixed(term.due, severity, handling.counted_from, at, term.moved_at or at, pauses)


def _severity(handling: Handling, at: datetime) -> Severity:
    """As it was known then: a batch incident that it joined later moves no deadline."""
    if handling.incident is not None and handling.incident.joined_at <= at:
        return Severity.MAJOR
    return next(each.severity for each in reversed(handling.judgements) if each.classified_at <= at)


def start(policy: Pack, of: Fixed) -> datetime:
    """When it counts from; what could only begin after its time was up has it from when it was fixed."""
    found = deadlines.due(policy, of.due.step, of.severity, of.started_at, of.pauses)
    return of.fixed_at if found.due_at <= of.fixed_at else of.started_at


def lies(policy: Pack, of: Fixed) -> StepDue:
    """Where the policy has it, by what is known of pauses now."""
    found = deadlines.due(policy, of.due.step, of.severity, start(policy, of), of.pauses)
    return StepDue(step=of.due.step, due_at=found.due_at, warn_at=found.warn_at)


def moved(policy: Pack, record: Record, done: Mapping[Step, datetime], now: datetime) -> Iterator[MovedDue]:
    """What the policy has elsewhere than it lies; `done`: the later steps that are, and since when."""
    handling = record.handling
    ended, judged = dict(done), handling.judgement
    if judged is not None and judged.founded is not None:
        ended[Step.CLASSIFY] = judged.classified_at
    if handling.first is not None:
        ended[Step.ASSIGN] = handling.first.assigned_at
    for term in handling.late:
        yield from _moved(policy, own(handling, term), ended, now, running=False)
    for each in all_of(record):
        done_at = ended.get(each.due.step)
        if done_at is None or done_at >= each.due.due_at:  # nobody looks back at what was done in time
            yield from _moved(policy, each, ended, now, running=done_at is None)


def _moved(
    policy: Pack, of: Fixed, ended: Mapping[Step, datetime], now: datetime, *, running: bool
) -> Iterator[MovedDue]:
    before = Running(
        what=of.due.step,
        severity=of.severity,
        started_at=start(policy, of),
        due_at=of.due.due_at,
        ended_at=ended.get(of.due.step),
        pauses=tuple(of.pauses),
    )
    yield from recomputation.told(policy, of.due.step, before, now, running=running)
