"""The events of the clocks: whichever service owns a step watches its deadline (SLA-3, SLA-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events.contracts.handling import Answerable, Ground, Step
from libs.events.contracts.registry import Fields, contract, upcast


@contract("clock", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineWarned:
    """A deadline is near (SLA-4); `warned_at` is when the warning fell due, not when that was seen.

    `about` tells it from others of the same step, where a step has several: one for each responsibility, one
    for each approval.
    """

    complaint_id: UUID
    step: Step
    due_at: datetime
    warned_at: datetime
    owed_by: Answerable | None
    ground: Ground
    about: str | None = None


@contract("clock", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineMissed:
    """A deadline passed at `missed_at`, however late that was noticed, and is escalated (SLA-3).

    `about`: as in `DeadlineWarned`.
    """

    complaint_id: UUID
    step: Step
    due_at: datetime
    missed_at: datetime
    noticed_at: datetime
    owed_by: Answerable | None
    escalated_to: Answerable
    ground: Ground
    about: str | None = None


@upcast("complaints.clock.deadline_warned.v1", "complaints.clock.deadline_warned.v2")
@upcast("complaints.clock.deadline_missed.v1", "complaints.clock.deadline_missed.v2")
def _of_the_whole_step(fields: Fields) -> Fields:
    """Before, a step had one deadline at a time."""
    return {**fields, "about": None}
