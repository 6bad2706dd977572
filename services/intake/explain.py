"""Why a complaint's steps are due when they are: the deadlines that were fixed, each day by day (trap 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.events.contracts.handling import Severity, Step, StepDue
from libs.policy import deadlines
from libs.policy.calendar import Span
from libs.policy.pack import Pack
from libs.service.policies import Policies
from services.intake import forms
from services.intake.forms import DeadlinesAnswer
from services.intake.state import Record


@dataclass(frozen=True, slots=True)
class Fixed:
    """A deadline as events hold it: since when it counts, without which pauses, and when it was fixed."""

    due: StepDue
    severity: Severity
    started_at: datetime
    fixed_at: datetime
    pauses: Sequence[Span] = ()


async def deadlines_of(policies: Policies, log: str, record: Record) -> DeadlinesAnswer:
    """All of them, explained by the policy that was in force when each was fixed."""
    explained = []
    for each in fixed(record):
        policy = await policies.in_force(log, each.fixed_at)
        start, found = each.started_at, explain(policy, each)
        if found.due.due_at != each.due.due_at:  # its time was up before it could begin: it had it from then
            start = each.fixed_at
            found = deadlines.explain(policy, each.due.step, each.severity, start)
        explained.append(forms.deadline(each.due, start, found))
    order = list(Step)
    return DeadlinesAnswer(
        complaint_id=record.complaint_id,
        first_reply_due_at=record.first_reply_due_at,
        deadlines=tuple(sorted(explained, key=lambda each: order.index(each.step))),
    )


def explain(policy: Pack, each: Fixed) -> deadlines.Explanation:
    """The sum that led to it."""
    return deadlines.explain(policy, each.due.step, each.severity, each.started_at, each.pauses)


def fixed(record: Record) -> Iterator[Fixed]:
    """The deadlines that hold: intake's own, and those that the assignment fixed for later steps."""
    handling = record.handling
    if handling.term is not None:
        yield _own(record, handling.term.due)
    if handling.answerable is None:
        return
    last = handling.assignments[-1]
    # A change of hands moves no deadline: they are those of the first assignment that had them.
    first = next(each for each in handling.assignments if each.due == last.due)
    for due in last.due:
        yield Fixed(due, first.severity, first.assigned_at, first.assigned_at)


def _own(record: Record, due: StepDue) -> Fixed:
    handling = record.handling
    for escalation in handling.escalations:
        if due in escalation.due:  # leadership has its own time
            return Fixed(due, handling.severity, escalation.escalated_at, escalation.escalated_at)
    judged = next(each for each in handling.judgements if due in each.due)
    pauses = handling.stood_still
    if due.step is Step.ASSIGN:
        pauses = (*pauses, *handling.waited)
    return Fixed(due, handling.severity, handling.counted_from, judged.classified_at, pauses)
