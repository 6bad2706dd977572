"""Step 3, reassign: a person names somebody else, with a reason; too often is buck-passing (ASG-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import assign as events
from libs.events.contracts.handling import Answerable, Ground, StepDue
from libs.policy.escalation import Escalated
from services.intake import state
from services.intake.handling import Handling
from services.intake.state import (
    Assigned,
    Complaint,
    Enquired,
    Founded,
    Merged,
    NotRecorded,
    Record,
    Recorded,
    Unfounded,
    Withdrawn,
)


class NotYetJudged(errors.Refused):
    """Whether this complaint is founded has yet to be judged: that comes first."""

    code = "not_yet_judged"


class JudgedUnfounded(errors.Refused):
    """This complaint was judged unfounded: it must be contested, or judged founded, first."""

    code = "judged_unfounded"


class CannotAnswer(errors.Refused):
    """This person cannot answer for it: name somebody whom the policy knows in that unit."""

    code = "cannot_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignComplaint:
    """Whom a person names, and why. `obstacle`: why it cannot be them; `own_cause`: because of ASG-4.

    `due` is for a complaint that nobody had: a change of hands moves no deadline. More of them than
    `reassignments_max` are buck-passing, and it goes to `leadership`.
    """

    complaint_id: UUID
    answerable: Answerable
    reason: str
    obstacle: str | None
    own_cause: bool
    due: tuple[StepDue, ...]
    reassignments_max: int
    leadership: Escalated
    ground: Ground
    closed: bool
    now: datetime


def decide(
    command: ReassignComplaint, complaint: Complaint
) -> list[events.ComplaintAssigned | events.ComplaintEscalated]:
    """Possible once it is judged founded, whether the policy has assigned it yet or not."""
    match complaint:
        case Founded(record) | Assigned(record):
            return _hand_over(command, record)
        case Recorded():
            raise NotYetJudged
        case Unfounded():
            raise JudgedUnfounded
        case NotRecorded() | Enquired() | Withdrawn() | Merged():
            raise state.refusal(complaint)
        case _:
            assert_never(complaint)


def _hand_over(
    command: ReassignComplaint, record: Record
) -> list[events.ComplaintAssigned | events.ComplaintEscalated]:
    handling = record.handling
    if command.closed:
        raise state.AlreadyClosed
    if command.answerable == handling.answerable or _said_before(command, handling):
        return []
    if command.own_cause:
        raise state.JudgeInOwnCause
    if command.obstacle is not None:
        raise CannotAnswer(because=command.obstacle)
    assigned = _assigned(command, record)
    if handling.answerable is None or handling.reassigned < command.reassignments_max:
        return [assigned]
    return [assigned, _passed_around(command, record)]


def _said_before(command: ReassignComplaint, handling: Handling) -> bool:
    """Leadership may have it since, because of just that."""
    said = [(past.answerable, past.reason) for past in handling.assignments[-1:]]
    return handling.answerable is not None and (command.answerable, command.reason) in said


def _assigned(command: ReassignComplaint, record: Record) -> events.ComplaintAssigned:
    handling, judgement = record.handling, record.handling.judgement
    assert judgement is not None, "what is founded was judged"
    return events.ComplaintAssigned(
        complaint_id=record.complaint_id,
        data_subject=record.data_subject,
        round=len(handling.assignments) + 1,
        answerable=command.answerable,
        kind=judgement.kind,
        severity=handling.severity,
        incident_id=handling.incident.incident_id if handling.incident else None,
        due=handling.due if handling.answerable else command.due,
        passed_over=(),
        reason=command.reason,
        ground=command.ground,
        assigned_at=command.now,
    )


def _passed_around(command: ReassignComplaint, record: Record) -> events.ComplaintEscalated:
    return events.ComplaintEscalated(
        complaint_id=record.complaint_id,
        data_subject=record.data_subject,
        to=command.leadership.to,
        level=command.leadership.level,
        cause=events.EscalationCause.BUCK_PASSING,
        tried=command.reason,
        ground=command.leadership.ground,
        escalated_at=command.now,
        owed_by=record.handling.answerable,
    )
