"""Step 4, evidence: what a finding can rest on, and what each unit supplies (INV-1, INV-2, INV-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import investigate as events
from libs.events.contracts.handling import Answerable
from services.investigation import state
from services.investigation.state import (
    File,
    Found,
    Investigating,
    Investigation,
    Joined,
    NotOpened,
    Stopped,
)


class UnknownUnit(errors.Refused):
    """The policy knows no such unit: name one of its units."""

    code = "unknown_unit"


class UnknownAttachment(errors.Refused):
    """The complaint has no such attachment: attach the file to it first."""

    code = "unknown_attachment"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEvidence:
    """Something seen, measured or said; `design_defect` when it shows that the design is at fault (INV-8).

    `complaint_id` is the complaint it was found for, also where an incident is investigated. `attached` when
    intake keeps the file that `attachment_id` names.
    """

    complaint_id: UUID | None
    data_subject: str
    evidence_id: UUID
    text: str
    attachment_id: UUID | None
    attached: bool
    design_defect: bool
    told: tuple[Answerable, ...]
    author: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveContribution:
    """What a unit supplied; `known` when the policy has such a unit."""

    complaint_id: UUID | None
    data_subject: str
    unit: str
    known: bool
    text: str
    author: str
    now: datetime


def decide(command: AddEvidence | GiveContribution, investigation: Investigation) -> list[events.Event]:
    """After a finding both are still kept: they may be needed when the complaint comes back."""
    match investigation:
        case Investigating(file) | Found(file):
            return _added(command, file) if isinstance(command, AddEvidence) else _given(command, file)
        case NotOpened():
            raise state.NotYetAssigned
        case Joined(incident_id=incident):
            raise state.InvestigatedWithIncident(incident_id=str(incident))
        case Stopped(why=why):
            raise state.NothingToInvestigate(why=why)
        case _:
            assert_never(investigation)


def _added(command: AddEvidence, file: File) -> list[events.Event]:
    if command.evidence_id in file.evidence:
        return []  # it is on record
    if command.attachment_id is not None and not command.attached:
        raise UnknownAttachment
    added = events.EvidenceAdded(
        investigation_id=file.investigation_id,
        complaint_id=command.complaint_id,
        data_subject=command.data_subject,
        evidence_id=command.evidence_id,
        text=command.text,
        attachment_id=command.attachment_id,
        author=command.author,
        added_at=command.now,
    )
    return [added, *_reported(command, file)]


def _reported(command: AddEvidence, file: File) -> list[events.Event]:
    """At once, and once."""
    if not command.design_defect or file.design_defect:
        return []
    return [
        events.DesignDefectReported(
            investigation_id=file.investigation_id,
            complaint_id=command.complaint_id,
            data_subject=command.data_subject,
            text=command.text,
            told=command.told,
            author=command.author,
            reported_at=command.now,
        )
    ]


def _given(command: GiveContribution, file: File) -> list[events.Event]:
    if not command.known:
        raise UnknownUnit(unit=command.unit)
    said = {(each.unit, each.text) for each in file.contributions}
    if (command.unit, command.text) in said:
        return []  # said before
    return [
        events.ContributionGiven(
            investigation_id=file.investigation_id,
            complaint_id=command.complaint_id,
            data_subject=command.data_subject,
            unit=command.unit,
            text=command.text,
            author=command.author,
            given_at=command.now,
        )
    ]
