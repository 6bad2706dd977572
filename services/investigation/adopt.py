"""Step 4, adopt: what was found for a batch incident is the finding of each complaint in it (CLS-7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events.contracts import investigate as events
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptFinding:
    """What was found for all. `repair_before`: the complaint that had this very unit repaired before, if any.

    The words are sealed anew, under `data_subject`: what one customer has erased stays for the others.
    """

    finding: events.FindingRecorded
    data_subject: str
    repair_before: UUID | None
    now: datetime


def decide(command: AdoptFinding, investigation: Investigation) -> list[events.Event]:
    """Only a complaint that waits for this incident adopts, and once."""
    match investigation:
        case Joined(file, incident_id) if incident_id == command.finding.investigation_id:
            return _adopted(command, file)
        case NotOpened() | Investigating() | Joined() | Found() | Stopped():
            return []
        case _:
            assert_never(investigation)


def _adopted(command: AdoptFinding, file: File) -> list[events.Event]:
    flagged = state.repeat_repair(file, command.finding.cause.code, command.repair_before, command.now)
    found = replace(
        command.finding,
        investigation_id=file.investigation_id,
        complaint_id=file.complaint_id,
        data_subject=command.data_subject,
        round=file.round,
        repeat_repair=bool(flagged),
        adopted_from=command.finding.investigation_id,
        found_at=command.now,
    )
    return [*flagged, found]
