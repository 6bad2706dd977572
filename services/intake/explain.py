"""Why a complaint's steps are due when they are: the deadlines that were fixed, each day by day (trap 9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from libs.events.contracts.handling import Step
from libs.policy import deadlines
from libs.service.policies import Policies
from services.intake import fixed, forms
from services.intake.forms import DeadlinesAnswer
from services.intake.state import Record


async def deadlines_of(policies: Policies, log: str, record: Record, now: datetime) -> DeadlinesAnswer:
    """All of them, each explained by the policy that it was fixed by, and the time that was spent so far."""
    explained = []
    for each in fixed.all_of(record):
        policy = await policies.in_force(log, each.moved_at)
        start = fixed.start(policy, each)
        found = deadlines.explain(policy, each.due.step, each.severity, start, each.pauses)
        explained.append(forms.deadline(each.due, start, found))
    order = list(Step)
    policy = await policies.in_force(log, now)
    return DeadlinesAnswer(
        complaint_id=record.complaint_id,
        first_reply_due_at=record.first_reply_due_at,
        deadlines=tuple(sorted(explained, key=lambda each: order.index(each.step))),
        waits=forms.waits(record),
        spent=tuple(
            forms.spent(
                step, begun, ended, deadlines.spent(policy, begun, ended or now, record.handling.pauses)
            )
            for step, begun, ended in _own_steps(record)
        ),
    )


def _own_steps(record: Record) -> Iterator[tuple[Step, datetime, datetime | None]]:
    """The steps of this service, since when they have been worked on, and until when if they are done."""
    handling = record.handling
    judged, assigned = handling.judgement, handling.assignments
    over = handling.stopped_since  # taken back, or merged into another
    founded_at = judged.classified_at if judged and judged.founded else None
    yield Step.CLASSIFY, handling.counted_from, founded_at or over
    if handling.founded:
        first = next((each for each in assigned if each.assigned_at >= handling.counted_from), None)
        yield Step.ASSIGN, handling.counted_from, first.assigned_at if first else over
