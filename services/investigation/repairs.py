"""Repairs kept in memory, for a simulation and for tests; it finds what the view in SQL finds (INV-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.events.contracts import investigate as events
from libs.events.contracts.propose import ExecutionAdvanced, SolutionProposed, Stage
from libs.events.envelope import Recorded
from services.investigation.views import REPAIRS, Repair


@dataclass(slots=True)
class _Unit:
    serial_number: str | None
    cause_code: str | None = None
    repair_proposed: bool = False
    repaired_at: datetime | None = None


class MemoryRepairs:
    """See `Repairs`; fed with every event of the log."""

    def __init__(self) -> None:
        self._units: dict[tuple[str, UUID], _Unit] = {}

    async def last(self, log: str, serial_number: str, cause_code: str) -> Repair | None:
        """See `Repairs.last`."""
        found = [
            Repair(complaint_id, unit.repaired_at)
            for (of, complaint_id), unit in self._units.items()
            if (of, unit.serial_number, unit.cause_code) == (log, serial_number, cause_code)
            and unit.repaired_at is not None
        ]
        return max(found, key=lambda each: each.repaired_at, default=None)

    def note(self, recorded: Recorded[Any]) -> None:
        """Take in one event."""
        log, event = recorded.envelope.log, recorded.event
        if isinstance(event, events.InvestigationOpened | events.InvestigationJoined):
            if event.complaint_id is not None:
                unit = self._units.setdefault((log, event.complaint_id), _Unit(event.serial_number))
                unit.serial_number = event.serial_number
            return
        complaint_id = getattr(event, "complaint_id", None)
        if isinstance(complaint_id, UUID) and (log, complaint_id) in self._units:
            _note(event, self._units[log, complaint_id])


def _note(event: object, unit: _Unit) -> None:
    match event:
        case events.FindingRecorded(cause=cause):
            unit.cause_code = cause.code
        case events.FieldVisitMade(solved_on_the_spot=True, arrived_at=at):
            unit.repaired_at = at
        case SolutionProposed(remedies=remedies):
            unit.repair_proposed = any(each.kind in REPAIRS for each in remedies)
        case ExecutionAdvanced(stage=Stage.DONE, advanced_at=at) if unit.repair_proposed:
            unit.repaired_at = at
