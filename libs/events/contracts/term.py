"""Events that move a deadline, for the customer is waited for or the calendar has changed (SLA-9, SLA-2).

Each stands in the stream of what the deadline is of, said by the service that owns that. Nothing else moves
one: not a comment, not a change of hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from libs.events.contracts.handling import Ground, StepDue
from libs.events.contracts.registry import Fields, contract, upcast


class Awaited(StrEnum):
    """What the customer owes."""

    DETAILS = "details"


@contract("clock")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStopped:
    """Since `since` the customer is waited for, who was asked by `notice_id`; internal deadlines stand still.

    They run on at `until` at the latest, by the policy; `due` is where the deadlines that run lie until then.
    """

    complaint_id: UUID
    awaited: Awaited
    notice_id: UUID
    since: datetime
    until: datetime
    due: tuple[StepDue, ...]
    ground: Ground
    stopped_at: datetime


@contract("clock")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockResumed:
    """The customer's answer came at `answered_at`: the deadlines that stood still lie at `due` now."""

    complaint_id: UUID
    awaited: Awaited
    since: datetime
    answered_at: datetime
    due: tuple[StepDue, ...]
    ground: Ground
    resumed_at: datetime


class Breach(StrEnum):
    """What a deadline that has moved does to being late."""

    LIFTED = "lifted"  # it was missed, and by the new calendar it was not
    ARISES = "arises"  # it was kept or still open, and by the new calendar it has passed
    STANDS = "stands"  # missed before and after


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDue:
    """A deadline that lay at `before_at` and now lies at `due`, and what that does to a breach.

    `running`: what it is for is still owed by it. Otherwise it is past, and was missed. `about` tells it from
    that of a whole step: which contribution, supplier, approval, round of proposals, responsibility, appeal,
    measure or notice it is of; or a finding's own time, which the assignment did not give.
    """

    due: StepDue
    before_at: datetime
    breach: Breach | None
    running: bool
    about: str | None = None


@contract("clock", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinesRecomputed:
    """A policy that came into force has another calendar or other times: these deadlines moved (SLA-2).

    Each service says it of those that it fixed. `complaint_id` is None where they are an incident's.
    """

    complaint_id: UUID | None
    moved: tuple[MovedDue, ...]
    ground: Ground
    recomputed_at: datetime


@upcast("complaints.clock.deadlines_recomputed.v1", "complaints.clock.deadlines_recomputed.v2")
def _of_whole_steps(fields: Fields) -> Fields:
    """Before, only those of steps were moved."""
    return {**fields, "moved": [{**each, "about": None} for each in fields["moved"]]}
