"""Step 3, assign: the unit and the named person whom the policy makes answer for a complaint (ASG).

Upon a judgement that it is founded. An investigation then opens (step 4, `investigate`), and a case for
steps 5, 7 and 8 (`begin`). People hand it on by `reassign`; what is late or cannot be solved goes up by
`escalate`.

A person may find later that it is of another kind. Then nobody passed it on: it goes, by the policy, to
whom that kind belongs, which is no buck-passing, and moves no deadline (ASG-1, ASG-5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import assign as events
from libs.events.contracts.handling import Answerable, Ground, StepDue
from libs.policy.pack import Pack
from libs.policy.terms import KINDS, Speaker, Spoken
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

OF_ANOTHER_KIND: Final[Spoken] = (
    "经判断属于“{now}”，不再属于“{before}”。",
    "It was judged to be of kind {now}, no longer {before}.",
)
WITH_SUPPLIER: Final[Spoken] = (
    "外购件，与{supplier}共同处理。",
    "A purchased part, dealt with together with: {supplier}.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignComplaint:
    """Whom the policy names, whom it passed over, and by when each later step is due (ASG-7).

    `keeps_it`: whoever has a complaint that turned out to be of another kind is of the unit it belongs to;
    `reason` says so, and with which supplier it is dealt with, in the complainant's language.
    """

    complaint_id: UUID
    answerable: Answerable
    passed_over: tuple[events.PassedOver, ...]
    due: tuple[StepDue, ...]
    keeps_it: bool = False
    reason: str | None = None
    ground: Ground
    now: datetime


def why(policy: Pack, record: Record, supplier: str | None) -> str | None:
    """What there is to say of it in the complainant's language: that it turned out to be of another kind than
    when it was assigned, and which `supplier` deals with it together with the unit (ASG-1).
    """
    handling, said = record.handling, []
    say = Speaker(policy, record.statement.complainant.language)
    kind, before = handling.judgement and handling.judgement.kind, handling.assignments[-1:]
    if kind and before and kind is not before[0].kind:
        names = {"now": say.one(KINDS, kind), "before": say.one(KINDS, before[0].kind)}
        said.append(say.said(OF_ANOTHER_KIND).format(**names))
    if supplier is not None:
        title = next(each.title for each in policy.purchased_parts if each.supplier == supplier)
        said.append(say.said(WITH_SUPPLIER).format(supplier=title.in_language(say.language)))
    return say.said(("", " ")).join(said) or None


def decide(command: AssignComplaint, complaint: Complaint) -> list[events.ComplaintAssigned]:
    """What is founded and has nobody gets somebody; so does what is of another kind than when it got them."""
    match complaint:
        case Founded(record):
            return [_assigned(command, record)]
        case Assigned(record) if _of_another_kind(record):
            return [_assigned_anew(command, record)]
        case Enquired() | Recorded() | Unfounded() | Assigned() | Withdrawn() | Merged():
            return []
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)


def _of_another_kind(record: Record) -> bool:
    """A person found so. What leadership has meanwhile is for leadership to hand on (ASG-6)."""
    handling = record.handling
    kind = handling.judgement.kind if handling.judgement else None
    return not handling.level and kind is not None and kind is not handling.assignments[-1].kind


def _assigned_anew(command: AssignComplaint, record: Record) -> events.ComplaintAssigned:
    return replace(
        _assigned(command, record),
        answerable=(record.handling.answerable if command.keeps_it else None) or command.answerable,
        passed_over=() if command.keeps_it else command.passed_over,
        due=record.handling.due,
    )


def _assigned(command: AssignComplaint, record: Record) -> events.ComplaintAssigned:
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
        due=command.due,
        passed_over=command.passed_over,
        reason=command.reason,
        ground=command.ground,
        assigned_at=command.now,
    )
