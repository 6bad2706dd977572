"""The events of step 3, assign (ASG)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from libs.events.contracts.handling import Answerable, Ground, Kind, Severity, Step, StepDue
from libs.events.contracts.registry import contract
from libs.events.contracts.values import PersonalText


class EscalationCause(StrEnum):
    """Why a complaint went to leadership."""

    BUCK_PASSING = "buck_passing"
    UNSOLVED = "unsolved"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """Somebody whom the rule named first, and why it was not them: complained of, has left (ASG-4)."""

    person: str
    why: str


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintAssigned:
    """Step 3 done: a unit and a named person answer for it, with the due time of each later step (ASG).

    `round` counts assignments from 1; `incident_id` names the batch incident that investigates for it.
    """

    complaint_id: UUID
    data_subject: str
    round: int
    answerable: Answerable
    kind: Kind
    severity: Severity
    incident_id: UUID | None
    due: tuple[StepDue, ...]
    passed_over: tuple[PassedOver, ...]
    reason: PersonalText | None
    ground: Ground
    assigned_at: datetime


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintEscalated:
    """A complaint was put before leadership, with what was tried (ASG-5, ASG-6, SLA-3).

    `owed_by` had it until then. Of an overdue one, `step` and `due_at` are the deadline that passed; `due`,
    where that step is intake's own, is the time its new owner has for it.
    """

    complaint_id: UUID
    data_subject: str
    to: Answerable
    level: int
    cause: EscalationCause
    tried: PersonalText | None
    ground: Ground
    escalated_at: datetime
    owed_by: Answerable | None = None
    step: Step | None = None
    due_at: datetime | None = None
    due: tuple[StepDue, ...] = ()
