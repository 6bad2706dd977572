"""Values that the events of steps 2 to 8 share: judgements, who answers for what, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from libs.events.contracts.values import PersonalText


class Step(StrEnum):
    """The eight steps, in their order (S4·7 一(三))."""

    RECORD = "record"
    CLASSIFY = "classify"
    ASSIGN = "assign"
    INVESTIGATE = "investigate"
    PROPOSE = "propose"
    NOTIFY = "notify"
    PENALIZE = "penalize"
    IMPROVE = "improve"


class Kind(StrEnum):
    """What a complaint is about (CLS-1)."""

    PRODUCT_QUALITY = "product_quality"
    SERVICE = "service"
    SUGGESTION = "suggestion"
    CONTRACT_DISPUTE = "contract_dispute"
    TRANSPORT = "transport"
    PERSONNEL_MISCONDUCT = "personnel_misconduct"


class Nature(StrEnum):
    """Where a complaint comes from (CLS-2)."""

    QUALITY_ANOMALY = "quality_anomaly"
    HUMAN_FACTORS = "human_factors"
    OTHER = "other"


class Severity(StrEnum):
    """How grave a complaint is (CLS-3)."""

    MINOR = "minor"
    SERIOUS = "serious"
    MAJOR = "major"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a decision rests on: the policy version, and the clause or person that decided (CLS-6, GOV-1)."""

    policy: str
    clause: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Yes or no, with its reason (CLS-4)."""

    value: bool
    reason: PersonalText


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerable:
    """A unit and a named person in it; never a unit alone (ASG-2)."""

    unit: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDue:
    """By when a step must have its outcome, and when its person is warned (ASG-7, SLA-4)."""

    step: Step
    due_at: datetime
    warn_at: datetime
