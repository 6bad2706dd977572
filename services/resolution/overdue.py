"""Steps 5, 7 and 8, overdue: what the clock says of a late solution, decision or measure (SLA-3, SLA-4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step
from libs.events.contracts.penalize import AppealOverdue
from libs.policy import escalation
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from services.resolution import owed
from services.resolution.measure import Improvement, NotPlanned
from services.resolution.owed import Owed, Want
from services.resolution.state import Case, Said

Event = DeadlineWarned | DeadlineMissed | AppealOverdue


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDeadline:
    """It is `now`, and something may have fallen due; `policy` says to whom that is escalated."""

    complaint_id: UUID
    policy: Pack
    now: datetime


def decide(command: PassDeadline, case: Case) -> list[Event]:
    """Each deadline is said once, with the time it fell due, however late that is noticed."""
    wanted = list(owed.of_responsibilities(case))  # owed whatever became of the complaint
    if case.handling is not None and case.closed is None:
        wanted = [
            *owed.of_solution(case, case.handling, command.policy),
            *wanted,
            *owed.of_case_measure(case, case.handling),
        ]
    clocked = [each for each in wanted if each.what is not Want.APPEAL_DECISION and each.due_at is not None]
    clocked.sort(key=lambda each: each.due_at or command.now)  # the oldest first
    return [*_said(command, clocked, case.warned, case.missed), *_late_appeals(command, case)]


def decide_measure(command: PassDeadline, improvement: Improvement) -> list[Event]:
    """The same for a measure: its completion, then the check of its effect."""
    if isinstance(improvement, NotPlanned):
        return []
    plan = improvement.plan
    warned = frozenset((Step.IMPROVE, at, None) for at in plan.warned)
    missed = frozenset((Step.IMPROVE, at, None) for at in plan.missed)
    return list(_said(command, list(owed.of_improvement(improvement)), warned, missed))


def _said(
    command: PassDeadline, wanted: list[Owed], warned: frozenset[Said], missed: frozenset[Said]
) -> Iterator[Event]:
    for each in wanted:
        if each.due_at is None or each.warn_at is None:
            continue
        said = (each.step, each.due_at, each.term)
        clause = command.policy.deadlines.of(each.step).clause
        if each.warn_at <= command.now and said not in warned:
            yield DeadlineWarned(
                complaint_id=command.complaint_id,
                step=each.step,
                due_at=each.due_at,
                warned_at=each.warn_at,
                owed_by=each.owed_by,
                ground=command.policy.ground(clause),
                about=each.term,
            )
        if each.due_at <= command.now and said not in missed:
            above = _above(command, each)
            yield DeadlineMissed(
                complaint_id=command.complaint_id,
                step=each.step,
                due_at=each.due_at,
                missed_at=each.due_at,
                noticed_at=command.now,
                owed_by=each.owed_by,
                escalated_to=above.to,
                ground=above.ground,
                about=each.term,
            )


def _late_appeals(command: PassDeadline, case: Case) -> Iterator[AppealOverdue]:
    late = {each.imposed.sanction for each in case.appeals if not each.overdue}
    for each in owed.of_responsibilities(case):
        waiting = each.what is Want.APPEAL_DECISION and each.due_at is not None
        if waiting and each.due_at and each.due_at <= command.now and int(each.about or 0) in late:
            yield AppealOverdue(
                complaint_id=command.complaint_id,
                sanction=int(each.about or 0),
                owed_by=each.owed_by,
                due_at=each.due_at,
                noticed_at=command.now,
                escalated_to=_above(command, each).to,
                ground=command.policy.ground(command.policy.deadlines.of(Errand.APPEAL).clause),
            )


def _above(command: PassDeadline, each: Owed) -> escalation.Escalated:
    on = command.policy.day_of(each.due_at or command.now)
    return escalation.escalate(command.policy, EscalationCause.OVERDUE, on, owed_by=each.owed_by)
