"""What callers send to resolution, and what is answered; limits stand in the types."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from libs.events.contracts.handling import Answerable, Step
from libs.events.contracts.penalize import AppealOutcome, Bears, Charge, SanctionWay
from libs.events.contracts.propose import Answer, CostBearer, Outcome, RemedyKind, Stage, WarrantyDecision
from libs.events.contracts.values import Money as MoneyValue
from libs.service.body import RequestModel
from libs.service.fields import Amount, Instant, Money, Reference, Words
from services.resolution.owed import Want
from services.resolution.views import MeasureStatus, SolutionStatus


class Remedy(RequestModel):
    """One thing to be done for the customer, with its cost where it has one (PRO-1)."""

    kind: RemedyKind
    text: Words
    money: Money | None = None


class ProposalBody(RequestModel):
    """A solution; warranty and approvals come of the policy (PRO-2, PRO-3)."""

    remedies: Annotated[tuple[Remedy, ...], Field(min_length=1, max_length=20)]
    cost_bearer: CostBearer = CostBearer.COMPANY
    quote: Money | None = None
    """What the customer must accept before work starts out of warranty."""


class ApprovalBody(RequestModel):
    """Approved, or rejected with a reason (PRO-3)."""

    approved: bool
    reason: Words | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        """Whoever proposes next has to know why."""
        if not self.approved and self.reason is None:
            raise ValueError("A rejection needs its reason")
        return self


class AnswerBody(RequestModel):
    """What the customer said (PRO-4)."""

    answer: Answer
    text: Words | None = None


class ExecutionBody(RequestModel):
    """How far the solution has come (PRO-5)."""

    stage: Stage
    note: Words | None = None


class ReasonBody(RequestModel):
    """A decision and its reason."""

    reason: Words


class DecisionBody(RequestModel):
    """About whose responsibility; `rests_on` where a person has several of one charge (PEN-5)."""

    person: Reference
    charge: Charge = Charge.COMPLAINT
    rests_on: UUID | None = None
    reason: Words


class SanctionBody(DecisionBody):
    """A sanction by a clause of the schedule (PEN-2, PEN-3)."""

    clause: Reference
    acted_at: Instant | None = None
    """When it was done; as the finding or the missed deadline says where it is left out."""
    month_wage: Amount | None = None
    """The person's wage of a month, in the policy's currency; as the policy assumes where left out."""
    goods_value: Amount | None = None


class WordsBody(RequestModel):
    """The person's own words (PEN-4)."""

    text: Words


class AppealDecisionBody(RequestModel):
    """Upheld, reduced (to a smaller `amount`, or a milder `way` where it cost none) or lifted (PEN-4)."""

    outcome: AppealOutcome
    way: SanctionWay | None = None
    amount: Money | None = None
    month_wage: Amount | None = None
    reason: Words


class RewardBody(RequestModel):
    """Good handling (PEN-6)."""

    person: Reference
    amount: Money | None = None
    reason: Words


class ImprovementBody(RequestModel):
    """A measure against a cause (IMP-1, IMP-3); cause and time as found, and by policy, where left out."""

    complaint_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)]
    cause_code: Reference | None = None
    lesson: Words
    measure: Words
    owner: Reference
    due_at: Instant | None = None


class ComplaintBody(RequestModel):
    """One more complaint that a measure answers (IMP-3)."""

    complaint_id: UUID


class VerificationBody(RequestModel):
    """Whether the measure had its effect (IMP-1)."""

    effective: bool
    text: Words


class ApprovalWanted(BaseModel):
    """An approval that is still needed, and by which clause."""

    office: str
    person: str
    clause: str


class SolutionAnswer(BaseModel):
    """How step 5 stands; `proposal` is the number of the last one, 0 where there is none."""

    status: SolutionStatus
    proposal: int
    warranty: WarrantyDecision | None
    quote: MoneyValue | None
    cost_bearer: CostBearer | None
    waiting_for: tuple[ApprovalWanted, ...]
    stage: Stage | None
    next_stage: Stage | None


class Undecided(BaseModel):
    """A responsibility that wants a decision (PEN-1)."""

    person: str
    unit: str
    charge: Charge
    bears: Bears
    rests_on: UUID
    acted_at: datetime
    owed_by: Answerable
    due_at: datetime


class SanctionAnswer(BaseModel):
    """A sanction as it stands after its appeal; what it cost each month (LAW-1)."""

    sanction: int
    person: str
    charge: Charge
    clause: str | None
    policy: str
    way: SanctionWay | None
    share: Decimal | None
    amount: MoneyValue | None
    installments: dict[date, Decimal]
    appeal: str | None
    judge: str | None


class CaseAnswer(BaseModel):
    """A complaint's case: its solution, who answers for what, its measures, its end."""

    complaint_id: UUID
    version: int
    round: int
    answerable: Answerable | None
    solution: SolutionAnswer
    undecided: tuple[Undecided, ...]
    sanctions: tuple[SanctionAnswer, ...]
    rewards: int
    improvement_not_needed: bool
    improvement_ids: tuple[UUID, ...]
    outcome: Outcome | None


class EntryAnswer(BaseModel):
    """One thing on record of a step."""

    what: str
    by: str
    at: datetime


class MissingAnswer(BaseModel):
    """What is missing of a step, who owes it, and by when; null while the customer is waited for."""

    what: Want
    owed_by: Answerable
    due_at: datetime | None
    about: str | None
    """Whose responsibility, or which proposal, sanction or improvement."""
    charge: Charge | None
    rests_on: UUID | None


class StepAnswer(BaseModel):
    """One of the eight steps; `wanted` on this complaint's path or not."""

    step: Step
    wanted: bool
    done: bool
    on_record: tuple[EntryAnswer, ...]
    missing: tuple[MissingAnswer, ...]


class TimeAnswer(BaseModel):
    """From recording to the end, or so far: on the clock, and in working time while nobody waited for details
    or an answer of the customer; and the working time in which somebody did (SLA-9)."""

    elapsed_seconds: int
    working_seconds: int
    waited_seconds: int


class OutcomeAnswer(BaseModel):
    """The eight steps of a complaint, and whether it is closed. `path`: how it ends, as things are."""

    complaint_id: UUID
    path: Outcome | None
    round: int
    closed: bool
    closed_at: datetime | None
    time: TimeAnswer
    steps: tuple[StepAnswer, ...]


class CaseLine(BaseModel):
    """One case in the work list."""

    complaint_id: UUID
    unit: str
    person: str
    kind: str
    severity: str
    solution: SolutionStatus
    due_at: datetime
    version: int


class LedgerLine(BaseModel):
    """One entry of the ledger; `month` is the first day of its month (PEN-6, PEN-7)."""

    seq: int
    complaint_id: UUID
    entry: str
    sanction: int | None
    person: str
    unit: str
    month: date
    decided_at: datetime
    decided_by: str
    charge: Charge | None
    way: SanctionWay | None
    policy: str | None
    clause: str | None
    amount: MoneyValue | None
    installments: dict[date, Decimal]
    rests_on: UUID | None
    appeal: str | None


class ImprovementAnswer(BaseModel):
    """A measure as it stands; `due_at` is when its completion, or then the check of its effect, is due."""

    improvement_id: UUID
    version: int
    status: MeasureStatus
    cause_code: str
    lesson: str
    measure: str
    owner: Answerable
    verifier: Answerable | None
    due_at: datetime
    observed_until: datetime | None
    complaint_ids: tuple[UUID, ...]


class ImprovementLine(BaseModel):
    """One measure in the list."""

    improvement_id: UUID
    version: int
    status: MeasureStatus
    cause_code: str
    unit: str
    person: str
    due_at: datetime
    completed_at: datetime | None
    observed_until: datetime | None
    complaint_ids: tuple[UUID, ...]
