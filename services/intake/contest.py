"""Step 2, contest: the customer contests an unfounded judgement with new facts, for another judge (CLS-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import classify as events
from libs.events.contracts.handling import Ground
from services.intake import state
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


class NotUnfounded(errors.Refused):
    """Only a complaint that was judged unfounded can be contested."""

    code = "not_unfounded"


class AlreadyContested(errors.Refused):
    """This complaint was contested as often as the policy allows: the judgement is final."""

    code = "already_contested"


class NothingNew(errors.Refused):
    """These facts are on record already: a contest needs new ones."""

    code = "nothing_new"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestClassification:
    """The new facts, who took them down, and how often the policy lets a customer contest."""

    complaint_id: UUID
    new_facts: str
    author: str
    times_max: int
    ground: Ground
    now: datetime


def decide(command: ContestClassification, complaint: Complaint) -> list[events.ClassificationContested]:
    """It is open to another judge again, also when it was closed since."""
    match complaint:
        case Unfounded(record):
            return [_contested(command, record)]
        case Recorded(record) | Founded(record) | Assigned(record):
            if command.new_facts in _contested_with(record):
                return []  # said before
            raise NotUnfounded
        case NotRecorded() | Enquired() | Withdrawn() | Merged():
            raise state.refusal(complaint)
        case _:
            assert_never(complaint)


def _contested(command: ContestClassification, record: Record) -> events.ClassificationContested:
    if len(record.handling.contests) >= command.times_max:
        raise AlreadyContested(times_max=command.times_max)
    statement = record.statement
    if command.new_facts in (statement.narrative, *statement.supplements, *_contested_with(record)):
        raise NothingNew
    judgement = record.handling.judgement
    assert judgement is not None, "somebody or some rule judged it unfounded"
    return events.ClassificationContested(
        complaint_id=record.complaint_id,
        data_subject=record.data_subject,
        new_facts=command.new_facts,
        judged_before_by=judgement.ground.person,
        author=command.author,
        ground=command.ground,
        contested_at=command.now,
    )


def _contested_with(record: Record) -> list[str]:
    return [contest.new_facts for contest in record.handling.contests]
