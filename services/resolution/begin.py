"""Before step 5, begin: a case opens for whoever answers for the complaint, and is handed over with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events.contracts import propose as events
from libs.events.contracts.handling import Answerable, Ground, Kind, Severity, StepDue
from services.resolution.state import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Who answers by the assignment or escalation at seq `as_of`, and by when later steps are due (ASG-7).

    `due` is as the assignment at seq `due_as_of` gave it: an escalation gives nobody more time.
    """

    complaint_id: UUID
    answerable: Answerable
    kind: Kind
    severity: Severity
    due: tuple[StepDue, ...]
    ground: Ground
    due_as_of: int
    as_of: int
    now: datetime


def decide(command: OpenCase, case: Case) -> list[events.CaseOpened | events.CaseHandedOver]:
    """The newest assignment holds, in whichever order they are heard; a closed case is nobody's any more."""
    if case.closed is not None:
        return []
    if case.handling is None:
        return [
            events.CaseOpened(
                complaint_id=command.complaint_id,
                answerable=command.answerable,
                kind=command.kind,
                severity=command.severity,
                due=command.due,
                ground=command.ground,
                acted_on=command.as_of,
                opened_at=command.now,
            )
        ]
    before = case.handling
    if command.as_of <= before.acted_on:
        return []
    return [
        events.CaseHandedOver(
            complaint_id=command.complaint_id,
            answerable=command.answerable,
            kind=command.kind,
            severity=command.severity,
            due=command.due if command.due_as_of > before.acted_on else before.due,
            ground=command.ground,
            acted_on=command.as_of,
            handed_over_at=command.now,
        )
    ]
