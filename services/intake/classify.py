"""Step 2, classify: kind, nature, severity, founded or not, demand reasonable or not (CLS).

By a rule as soon as it is recorded or amended, by a person at any time. What is founded goes on to
`assign`; what is unfounded is answered with the reason (step 6) and closed, unless the customer contests
(`contest`); what lacks details waits for them (`wait`). So many alike are an `incident`, which its
complaints `join`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import classify as events
from libs.events.contracts.handling import Answerable, Ground, Judgement, Kind, Nature, Severity, StepDue
from services.intake import state
from services.intake.state import (
    Assigned,
    Complaint,
    Enquired,
    Founded,
    Merged,
    NotRecorded,
    OpenComplaint,
    Record,
    Recorded,
    Unfounded,
    Withdrawn,
)


class DetailsMissing(errors.Refused):
    """Details are missing: supply them, or mark them unavailable, before it is judged founded (REC-2)."""

    code = "details_missing"


class JudgedBefore(errors.Refused):
    """The customer contested your judgement: somebody who has not judged this complaint must judge it now."""

    code = "judged_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyComplaint:
    """A judgement, by a clause of the policy or by the person that `ground` names.

    `due` is what comes next, judging or assigning, with who owes it. `own_cause`: the person judges a
    complaint about themselves or their superior. `closed`: every step had its outcome on record.
    """

    complaint_id: UUID
    kind: Kind
    nature: Nature
    severity: Severity
    founded: Judgement | None
    demand_reasonable: Judgement | None
    ground: Ground
    owed_by: Answerable | None
    due: tuple[StepDue, ...]
    own_cause: bool = False
    closed: bool = False
    now: datetime


def decide(command: ClassifyComplaint, complaint: Complaint) -> list[events.ComplaintClassified]:
    """A person may judge at any time; a rule judges only what nobody has judged yet (CLS-6)."""
    by_rule = command.ground.person is None
    match complaint:
        case Recorded() if by_rule:
            return _by_rule(command, complaint.record)
        case Recorded() | Unfounded() | Founded() | Assigned() if not by_rule:
            return _by_person(command, complaint)
        case NotRecorded():
            raise errors.NotFound
        case Enquired() | Withdrawn() | Merged() if not by_rule:
            raise state.refusal(complaint)
        case state.Open() | Withdrawn() | Merged():
            return []  # nothing that a rule could still judge
        case _:
            assert_never(complaint)


def _by_rule(command: ClassifyComplaint, record: Record) -> list[events.ComplaintClassified]:
    handling, before = record.handling, record.handling.judgement
    if command.founded is not None and (record.missing_details or handling.round > 1):
        return []  # details come first (REC-2); what was contested is for another judge, a person (CLS-5)
    same = before is not None and _same(before, command)
    running = handling.term is not None or not command.due  # a merge, undone since, stops the clock
    if (same and running) or (handling.judged_by_person and not same):
        return []  # judged so before, or otherwise by a person
    return [_classified(command, record)]


def _by_person(command: ClassifyComplaint, complaint: OpenComplaint) -> list[events.ComplaintClassified]:
    record, before = complaint.record, complaint.record.handling.judgement
    if command.closed:
        raise state.AlreadyClosed
    if command.own_cause:
        raise state.JudgeInOwnCause
    if command.ground.person in record.handling.judges_before:
        raise JudgedBefore
    if command.founded and command.founded.value and record.missing_details:
        raise DetailsMissing(missing_details=list(record.missing_details))
    if before is not None and before.ground.person == command.ground.person and _same(before, command):
        return []  # they said so before
    return [_classified(command, record)]


def _same(before: events.ComplaintClassified, command: ClassifyComplaint) -> bool:
    said = (command.kind, command.nature, command.severity, command.founded, command.demand_reasonable)
    return said == (before.kind, before.nature, before.severity, before.founded, before.demand_reasonable)


def _classified(command: ClassifyComplaint, record: Record) -> events.ComplaintClassified:
    return events.ComplaintClassified(
        complaint_id=record.complaint_id,
        data_subject=record.data_subject,
        round=record.handling.round,
        kind=command.kind,
        nature=command.nature,
        severity=command.severity,
        founded=command.founded,
        demand_reasonable=command.demand_reasonable,
        ground=command.ground,
        classified_at=command.now,
        owed_by=command.owed_by,
        due=command.due,
    )
