"""Step 4, investigate: an investigation opens and changes hands as its complaint does (INV-2, ASG-7).

Upon the assignment. Then people gather `evidence` and what units contribute, agree a `visit`, put a
`supplier` on notice, and conclude (`finding`). In a batch incident a complaint `join`s and `adopt`s what is
found for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events.contracts import investigate as events
from libs.events.contracts.handling import Answerable, Ground, Kind, Severity
from services.investigation.state import File, Found, Investigating, Investigation, Joined, NotOpened, Stopped
from services.investigation.term import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvestigation:
    """Who answers for an open complaint (or incident) now, by when, and what the units owe by policy (INV-2).

    `round` is what the complaint's history makes it. `due` leaves out the time it stood still; after a missed
    deadline the next level has until `extended`. `as_of` is the seq of the newest upstream event in all this.
    """

    investigation_id: UUID
    complaint_id: UUID | None
    incident_id: UUID | None
    round: int
    answerable: Answerable
    level: int
    about: str | None
    kind: Kind
    severity: Severity
    part_number: str | None
    serial_number: str | None
    customer_id: str | None
    duties: tuple[events.Duty, ...]
    due: Term
    extended: Term
    ground: Ground
    as_of: int
    now: datetime


def decide(command: OpenInvestigation, investigation: Investigation) -> list[events.Event]:
    """What the newest upstream event asks for; an older one than was acted on asks for nothing."""
    if not isinstance(investigation, NotOpened) and command.as_of <= investigation.file.acted_on:
        return []
    match investigation:
        case NotOpened():
            return [_opened(command)]
        case Investigating(file) | Found(file) | Joined(file) | Stopped(file) if command.round > file.round:
            return [_opened(command)]  # contested or reopened: it is investigated again
        case Investigating(file):
            return [*_reclassified(command, file), *_handed_over(command, file)]
        case Stopped(file):
            return [*_reclassified(command, file), _resumed(command, file)]
        case Found() | Joined():
            return []  # step 4 is done, or an incident does it
        case _:
            assert_never(investigation)


def _opened(command: OpenInvestigation) -> events.InvestigationOpened:
    return events.InvestigationOpened(
        investigation_id=command.investigation_id,
        complaint_id=command.complaint_id,
        incident_id=command.incident_id,
        round=command.round,
        answerable=command.answerable,
        level=command.level,
        about=command.about,
        kind=command.kind,
        severity=command.severity,
        part_number=command.part_number,
        serial_number=command.serial_number,
        customer_id=command.customer_id,
        duties=command.duties,
        due_at=command.due.due_at,
        warn_at=command.due.warn_at,
        reckoned=command.due.reckoned,
        ground=command.ground,
        acted_on=command.as_of,
        opened_at=command.now,
    )


def _reclassified(command: OpenInvestigation, file: File) -> list[events.Event]:
    """Of another kind than it was opened as: other units owe something; what was given stays (INV-2)."""
    if command.kind is file.kind:
        return []
    given = {each.unit for each in file.contributions}
    wanted = {duty.unit: duty.duty for duty in command.duties if duty.unit not in given}
    kept = {duty.unit for duty in file.owed if wanted.get(duty.unit) == duty.duty}
    return [
        events.InvestigationReclassified(
            investigation_id=file.investigation_id,
            complaint_id=file.complaint_id,
            kind=command.kind,
            severity=command.severity,
            asked=tuple(duty for duty in command.duties if duty.unit in wanted.keys() - kept),
            dropped=tuple(duty.unit for duty in file.owed if duty.unit not in kept),
            acted_on=command.as_of,
            reclassified_at=command.now,
        )
    ]


def _handed_over(command: OpenInvestigation, file: File) -> list[events.Event]:
    """A new assignment brings its own due time; an escalation only where the old one has passed (trap 1)."""
    goes_on = (command.level and file.term.level) or file.term.counts_as(command.due)
    due = file.term if goes_on else command.due  # where a policy has it elsewhere, that is recomputed
    if file.term.missed and command.level > file.level:
        due = command.extended
    if (command.answerable, due.due_at) == (file.answerable, file.term.due_at):
        return []
    return [
        events.InvestigationHandedOver(
            investigation_id=file.investigation_id,
            complaint_id=file.complaint_id,
            answerable=command.answerable,
            level=command.level,
            due_at=due.due_at,
            warn_at=due.warn_at,
            reckoned=due.reckoned,
            acted_on=command.as_of,
            handed_over_at=command.now,
        )
    ]


def _resumed(command: OpenInvestigation, file: File) -> events.InvestigationResumed:
    owed = {duty.unit for duty in (file.owed if command.kind is file.kind else command.duties)}
    owed -= {each.unit for each in file.contributions}
    return events.InvestigationResumed(
        investigation_id=file.investigation_id,
        complaint_id=file.complaint_id,
        answerable=command.answerable,
        level=command.level,
        duties=tuple(duty for duty in command.duties if duty.unit in owed),
        due_at=command.due.due_at,
        warn_at=command.due.warn_at,
        reckoned=command.due.reckoned,
        acted_on=command.as_of,
        resumed_at=command.now,
    )
