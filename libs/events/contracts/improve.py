"""The events of step 8, improve (IMP)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events.contracts.handling import Answerable, Ground
from libs.events.contracts.registry import Fields, contract, upcast


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementPlanned:
    """A measure against a cause: lesson, countermeasure, owner, due date; for one or many (IMP-1, IMP-3)."""

    improvement_id: UUID
    complaint_ids: tuple[UUID, ...]
    cause_code: str
    lesson: str
    measure: str
    owner: Answerable
    due_at: datetime
    warn_at: datetime
    ground: Ground
    author: str
    planned_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementExtended:
    """A measure answers one more complaint (IMP-3)."""

    improvement_id: UUID
    complaint_id: UUID
    author: str
    extended_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintJoinedImprovement:
    """Said in the complaint's own case: a measure answers it, and its step 8 ends with that one (IMP-3)."""

    complaint_id: UUID
    improvement_id: UUID
    joined_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementProgressed:
    """What has been done of a measure so far (IMP-1)."""

    improvement_id: UUID
    text: str
    author: str
    progressed_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementCompleted:
    """The measure is in place; its effect is observed until `observed_until` (IMP-1).

    From then on `verifier` owes the check of its effect, by `due_at`.
    """

    improvement_id: UUID
    complaint_ids: tuple[UUID, ...]
    author: str
    completed_at: datetime
    observed_until: datetime
    verifier: Answerable
    due_at: datetime
    warn_at: datetime


@contract("resolution", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementVerified:
    """Somebody other than who did it found the measure effective, or not (IMP-1, trap 19).

    One that is not goes back to its owner: `due_at` and `warn_at` say by when.
    """

    improvement_id: UUID
    complaint_ids: tuple[UUID, ...]
    effective: bool
    text: str
    verified_by: str
    verified_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    ground: Ground | None = None


@contract("resolution", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementReopened:
    """The same cause came back within the observation period: the measure was ineffective (IMP-2)."""

    improvement_id: UUID
    complaint_id: UUID
    cause_code: str
    finding_id: UUID
    due_at: datetime
    warn_at: datetime
    reopened_at: datetime
    ground: Ground | None = None


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementNotNeeded:
    """A reasoned decision, of a person or by rule, that this complaint calls for no measure (step 8)."""

    complaint_id: UUID
    reason: str
    author: str
    ground: Ground
    decided_at: datetime


@upcast("complaints.resolution.improvement_verified.v1", "complaints.resolution.improvement_verified.v2")
@upcast("complaints.resolution.improvement_reopened.v1", "complaints.resolution.improvement_reopened.v2")
def _by_an_unnamed_version(fields: Fields) -> Fields:
    """Before, only the plan named the version."""
    return {**fields, "ground": None}
