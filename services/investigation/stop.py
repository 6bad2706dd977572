"""Step 4, stop: a complaint that is withdrawn, merged, unfounded or closed is not investigated (trap 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from libs.events.contracts import investigate as events
from services.investigation.state import (
    Found,
    Investigating,
    Investigation,
    Joined,
    NotOpened,
    Stopped,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopInvestigation:
    """Why nothing is left to investigate, by the upstream event at seq `as_of`."""

    why: events.StopCause
    as_of: int
    now: datetime


def decide(command: StopInvestigation, investigation: Investigation) -> list[events.Event]:
    """Its clocks stop; `investigate` lets it go on where the complaint is open again."""
    match investigation:
        case Investigating(file) | Joined(file):
            if command.as_of <= file.acted_on:
                return []  # older than what was acted on
            return [
                events.InvestigationStopped(
                    investigation_id=file.investigation_id,
                    complaint_id=file.complaint_id,
                    why=command.why,
                    acted_on=command.as_of,
                    stopped_at=command.now,
                )
            ]
        case NotOpened() | Found() | Stopped():
            return []  # nothing goes on that could stop
        case _:
            assert_never(investigation)
