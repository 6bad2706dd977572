"""Step 4, join: a batch incident is investigated once for all the complaints that belong to it (CLS-7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events.contracts import investigate as events
from libs.events.contracts.handling import Answerable, Ground, Kind, Severity
from services.investigation.state import (
    File,
    Found,
    Investigating,
    Investigation,
    Joined,
    NotOpened,
    NotYetAssigned,
    Stopped,
)
from services.investigation.term import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinIncident:
    """To the complaint: an incident is investigated for it, led by `answerable`, or escalated to them.

    After a missed deadline the next level has until `extended`.
    """

    complaint_id: UUID
    incident_id: UUID
    round: int
    answerable: Answerable
    level: int
    about: str | None
    kind: Kind
    severity: Severity
    part_number: str | None
    serial_number: str | None
    customer_id: str | None
    due: Term
    extended: Term
    ground: Ground
    as_of: int
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendInvestigation:
    """To the incident: it covers one more complaint, whose evidence so far counts for all."""

    complaint_id: UUID
    evidence_ids: tuple[UUID, ...]
    now: datetime


def decide(command: JoinIncident | ExtendInvestigation, investigation: Investigation) -> list[events.Event]:
    """Each may come more than once, and in any order."""
    match command:
        case JoinIncident():
            return _join(command, investigation)
        case ExtendInvestigation():
            return _extend(command, investigation)
        case _:
            assert_never(command)


def _join(command: JoinIncident, investigation: Investigation) -> list[events.Event]:
    if not isinstance(investigation, NotOpened) and command.as_of <= investigation.file.acted_on:
        return []  # older than what was acted on
    match investigation:
        case NotOpened() | Investigating() | Stopped():
            return [_joined(command)]
        case Joined(file) | Found(file) if command.round > file.round:
            return [_joined(command)]
        case Joined(file, incident_id):
            if (incident_id, file.answerable) == (command.incident_id, command.answerable):
                return []
            return [_joined(command)] if incident_id != command.incident_id else [_handed_over(command, file)]
        case Found():
            return []  # it has a finding of its own
        case _:
            assert_never(investigation)


def _extend(command: ExtendInvestigation, investigation: Investigation) -> list[events.Event]:
    match investigation:
        case Investigating(file) | Found(file):
            if command.complaint_id in file.complaint_ids:
                return []  # it covers it already
            return [
                events.InvestigationExtended(
                    investigation_id=file.investigation_id,
                    complaint_id=command.complaint_id,
                    evidence_ids=command.evidence_ids,
                    extended_at=command.now,
                )
            ]
        case NotOpened():
            raise NotYetAssigned
        case Joined() | Stopped():
            return []  # no incident is ever in these
        case _:
            assert_never(investigation)


def _joined(command: JoinIncident) -> events.InvestigationJoined:
    return events.InvestigationJoined(
        investigation_id=command.complaint_id,
        complaint_id=command.complaint_id,
        incident_id=command.incident_id,
        round=command.round,
        answerable=command.answerable,
        about=command.about,
        kind=command.kind,
        severity=command.severity,
        part_number=command.part_number,
        serial_number=command.serial_number,
        customer_id=command.customer_id,
        due_at=command.due.due_at,
        warn_at=command.due.warn_at,
        reckoned=command.due.reckoned,
        ground=command.ground,
        acted_on=command.as_of,
        joined_at=command.now,
    )


def _handed_over(command: JoinIncident, file: File) -> events.InvestigationHandedOver:
    due = command.extended if file.term.missed and command.level > file.level else file.term
    return events.InvestigationHandedOver(
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
