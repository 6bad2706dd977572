"""The events of step 2, classify, and of batch incidents (CLS)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events.contracts.handling import (
    Answerable,
    Ground,
    Judgement,
    Kind,
    Nature,
    Severity,
    StepDue,
)
from libs.events.contracts.registry import contract
from libs.events.contracts.values import PersonalText


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintClassified:
    """Step 2, done once `founded` is judged: kind, nature, severity, is the demand reasonable (CLS).

    `founded` is None while details are missing (REC-2), and after a contest until another judge has judged:
    `round` counts from 1, a contest starts the next one. A person's judgement overrides a rule's, which stays
    on record (CLS-6). `due`: what intake owes next, judging or assigning, and by when; `owed_by` owes it.
    """

    complaint_id: UUID
    data_subject: str
    round: int
    kind: Kind
    nature: Nature
    severity: Severity
    founded: Judgement | None
    demand_reasonable: Judgement | None
    ground: Ground
    classified_at: datetime
    owed_by: Answerable | None = None
    due: tuple[StepDue, ...] = ()


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationContested:
    """The customer contested an unfounded judgement with new facts; another judge takes it up (CLS-5).

    `judged_before_by` is the person who judged it, None for a rule; `ground` is the clause that allows it.
    """

    complaint_id: UUID
    data_subject: str
    new_facts: PersonalText
    judged_before_by: str | None
    author: str
    ground: Ground
    contested_at: datetime


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRaised:
    """The same part or batch came back too often: a batch incident, investigated once for all (CLS-7).

    Complaints are alike in the fields that `matched_on` names ("respondent+part_number"); `reference` has
    their values ("C7 · DOOR LATCH"). `complaint_ids` are those that raised it; each joins, as later ones do.
    """

    incident_id: UUID
    matched_on: str
    reference: str
    complaint_ids: tuple[UUID, ...]
    threshold: int
    window_days: int
    leader: Answerable
    ground: Ground
    raised_at: datetime


@contract("intake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintJoinedIncident:
    """A complaint belongs to a batch incident: it is major, and the incident's finding is its own (CLS-7)."""

    complaint_id: UUID
    incident_id: UUID
    leader: Answerable
    ground: Ground
    joined_at: datetime
