"""Steps 2 and 3, overdue: what the clock says of a late judgement or assignment (SLA-3, SLA-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.events import errors
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Ground, Step
from libs.policy.escalation import Escalated
from services.intake.handling import Term
from services.intake.state import Complaint, NotRecorded, Open, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDeadline:
    """It is `now`, and this step may have fallen due; `leadership` is who takes it on then."""

    step: Step
    leadership: Escalated
    ground: Ground
    now: datetime


def decide(command: PassDeadline, complaint: Complaint) -> list[DeadlineWarned | DeadlineMissed]:
    """Each is said once, with the time it fell due, however late that is noticed."""
    if isinstance(complaint, NotRecorded):
        raise errors.NotFound
    term = complaint.record.handling.term
    if not isinstance(complaint, Open) or term is None or term.due.step is not command.step:
        return []  # nothing is owed here any more
    passed: list[DeadlineWarned | DeadlineMissed] = []
    if not term.warned and term.due.warn_at <= command.now:
        passed.append(_warned(command, complaint.record, term))
    if not term.missed and term.due.due_at <= command.now:
        passed.append(_missed(command, complaint.record, term))
    return passed


def _warned(command: PassDeadline, record: Record, term: Term) -> DeadlineWarned:
    return DeadlineWarned(
        complaint_id=record.complaint_id,
        step=term.due.step,
        due_at=term.due.due_at,
        warned_at=term.due.warn_at,
        owed_by=term.owed_by,
        ground=command.ground,
    )


def _missed(command: PassDeadline, record: Record, term: Term) -> DeadlineMissed:
    return DeadlineMissed(
        complaint_id=record.complaint_id,
        step=term.due.step,
        due_at=term.due.due_at,
        missed_at=term.due.due_at,
        noticed_at=command.now,
        owed_by=term.owed_by,
        escalated_to=command.leadership.to,
        ground=command.leadership.ground,
    )
