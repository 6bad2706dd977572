"""The events of step 5, propose and carry out (PRO), and of a case's beginning and end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from libs.events.contracts.handling import Answerable, Ground, Kind, Severity, StepDue
from libs.events.contracts.registry import Fields, contract, upcast
from libs.events.contracts.values import Money, PersonalText


class RemedyKind(StrEnum):
    """What can be done for a customer (PRO-1)."""

    EXPLANATION = "explanation"
    APOLOGY = "apology"
    TRAINING = "training"
    REPAIR = "repair"
    PART_REPLACEMENT = "part_replacement"
    UNIT_REPLACEMENT = "unit_replacement"
    EXCHANGE = "exchange"
    RETURN_AND_REFUND = "return_and_refund"
    CREDIT = "credit"
    COMPENSATION = "compensation"
    DISCOUNT = "discount"
    GOODWILL = "goodwill"
    ADVANCE_COMPENSATION = "advance_compensation"


class CostBearer(StrEnum):
    """Who pays for a solution."""

    COMPANY = "company"
    CUSTOMER = "customer"
    SUPPLIER = "supplier"


class Answer(StrEnum):
    """What a customer says to a proposal (PRO-4)."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    COUNTERED = "countered"


class Stage(StrEnum):
    """How far a solution is carried out (PRO-5); `TESTED`, `CERTIFIED` for repairs and replacements."""

    STARTED = "started"
    DONE = "done"
    TESTED = "tested"
    CERTIFIED = "certified"
    SIGNED_FOR = "signed_for"


class Outcome(StrEnum):
    """How a complaint ended."""

    RESOLVED = "resolved"
    UNFOUNDED = "unfounded"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One thing done for the customer, with its cost where it has one."""

    kind: RemedyKind
    text: PersonalText
    money: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarrantyDecision:
    """In or out of warranty, by which clause, for which reason (PRO-2)."""

    in_warranty: bool
    clause: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalNeeded:
    """An office that must approve, and by which clause of the matrix (PRO-3)."""

    office: str
    person: str
    clause: str


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A complaint's case: who owes its steps 5 to 8, and by when.

    `acted_on`: the seq of the newest upstream event this answers; older ones change nothing. What was
    complained of stands in the complaint's history and is not kept twice.
    """

    complaint_id: UUID
    answerable: Answerable
    kind: Kind
    severity: Severity
    due: tuple[StepDue, ...]
    ground: Ground
    acted_on: int
    opened_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHandedOver:
    """Another person, severity or due times, from now on, by a later assignment or escalation."""

    complaint_id: UUID
    answerable: Answerable
    kind: Kind
    severity: Severity
    due: tuple[StepDue, ...]
    ground: Ground
    acted_on: int
    handed_over_at: datetime


@contract("resolution", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionProposed:
    """A solution that answers the demand: remedies, cost, warranty, the approvals it needs (PRO-1..3).

    `proposal` counts from 1. Without `approvals` the handler decides alone (PRO-7); with them, `due` is
    when they must be given. `quote` is what the customer must accept before work starts out of warranty.
    """

    complaint_id: UUID
    data_subject: str
    proposal: int
    remedies: tuple[Remedy, ...]
    cost_bearer: CostBearer
    warranty: WarrantyDecision | None
    quote: Money | None
    approvals: tuple[ApprovalNeeded, ...]
    proposer: str
    ground: Ground
    proposed_at: datetime
    due: StepDue | None = None


@contract("resolution", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionApproved:
    """One office approved; `complete` when it was the last that had to (PRO-3).

    `ground`: the matrix that asked for it, as it was when the solution was proposed (GOV-1).
    """

    complaint_id: UUID
    proposal: int
    office: str
    approver: str
    complete: bool
    approved_at: datetime
    ground: Ground | None = None


@contract("resolution", version=3)
@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionRejected:
    """An office refused the proposal; another one must be made, by `due` (PRO-3).

    `cost_bearer` says at whose cost goods come back all the same, where a return was refused (S1 一.11).
    `ground`: as in `SolutionApproved`.
    """

    complaint_id: UUID
    data_subject: str
    proposal: int
    office: str
    approver: str
    reason: PersonalText
    cost_bearer: CostBearer | None
    rejected_at: datetime
    due: StepDue | None = None
    ground: Ground | None = None


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAnswered:
    """What the customer said to the proposal (PRO-4).

    `due`: by when it must be carried out where it was accepted, or another one made where it was not; the
    time the customer took does not count (SLA-9).
    """

    complaint_id: UUID
    data_subject: str
    proposal: int
    answer: Answer
    text: PersonalText | None
    author: str
    due: StepDue
    answered_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeSettled:
    """The designated person settled under the contract what the customer would not accept (PRO-4)."""

    complaint_id: UUID
    data_subject: str
    proposal: int
    settled_by: str
    reason: PersonalText
    ground: Ground
    due: StepDue
    settled_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionAdvanced:
    """A solution got one stage further; `complete` when nothing is left to do (PRO-5)."""

    complaint_id: UUID
    data_subject: str
    proposal: int
    stage: Stage
    note: PersonalText | None
    complete: bool
    author: str
    advanced_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintClosed:
    """Every step has its outcome on record (S4·7 一(三)); an unfounded complaint closes after its reply."""

    complaint_id: UUID
    outcome: Outcome
    closed_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintReopened:
    """A closed complaint is open again: contested, separated, or its remedy did not hold.

    `due`: the new due times of its later steps; none where it has yet to be judged or assigned again.
    """

    complaint_id: UUID
    data_subject: str
    reason: PersonalText
    author: str
    due: tuple[StepDue, ...]
    reopened_at: datetime


@upcast("complaints.resolution.solution_proposed.v1", "complaints.resolution.solution_proposed.v2")
@upcast("complaints.resolution.solution_rejected.v1", "complaints.resolution.solution_rejected.v2")
def _without_a_time_of_its_own(fields: Fields) -> Fields:
    """Before, approvals and the next proposal were due when the step was."""
    return {**fields, "due": None}


@upcast("complaints.resolution.solution_approved.v1", "complaints.resolution.solution_approved.v2")
@upcast("complaints.resolution.solution_rejected.v2", "complaints.resolution.solution_rejected.v3")
def _by_the_ground_of_the_proposal(fields: Fields) -> Fields:
    """Before, the proposal alone named the version."""
    return {**fields, "ground": None}
