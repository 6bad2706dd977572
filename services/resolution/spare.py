"""Step 8, spare: a measure answers the complaint, or a person says why none is needed (IMP-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import improve as events
from libs.events.contracts.handling import Ground
from services.resolution import state
from services.resolution.state import Case


class MeasurePlanned(errors.Refused):
    """A measure answers this complaint: its owner completes it, and another person checks its effect."""

    code = "measure_planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpareImprovement:
    """No measure is needed, and why; `found`: step 4 has its outcome, `about`: the person complained of."""

    complaint_id: UUID
    found: bool
    reason: str
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: str | None
    ground: Ground
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteImprovement:
    """The complaint is one of those that a measure answers (IMP-3)."""

    complaint_id: UUID
    improvement_id: UUID
    now: datetime


Command = SpareImprovement | NoteImprovement
Event = events.ImprovementNotNeeded | events.ComplaintJoinedImprovement


def decide(command: Command, case: Case) -> list[Event]:
    """What step 8 comes to in this complaint."""
    match command:
        case SpareImprovement():
            return _spare(command, case)
        case NoteImprovement():
            if command.improvement_id in case.improvements or case.closed is not None:
                return []
            return [
                events.ComplaintJoinedImprovement(
                    complaint_id=command.complaint_id,
                    improvement_id=command.improvement_id,
                    joined_at=command.now,
                )
            ]
        case _:
            assert_never(command)


def _spare(command: SpareImprovement, case: Case) -> list[Event]:
    state.handled(case)
    state.judge_in_own_cause(command.about, command.author, command.under)
    if not command.found:
        raise state.NotYetFound
    if case.improvements:
        raise MeasurePlanned(improvement_id=str(case.improvements[-1]))
    if case.spared is not None:
        return []  # said before
    return [
        events.ImprovementNotNeeded(
            complaint_id=command.complaint_id,
            reason=command.reason,
            author=command.author,
            ground=command.ground,
            decided_at=command.now,
        )
    ]
