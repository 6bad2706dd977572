"""What callers send to investigation and what is answered; limits stand in the types."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from libs.events.contracts import investigate as events
from libs.events.contracts.handling import Kind, Severity
from libs.service.body import RequestModel
from libs.service.fields import (
    Day,
    Instant,
    Line,
    Money,
    Name,
    Phone,
    Pieces,
    Reference,
    Share,
    Words,
)
from services.investigation.views import Status

RESPONSIBLE_MAX: Final = 50
CAUSES_MAX: Final = 50
EVIDENCE_MAX: Final = 500
CODE_CHARACTERS_MAX: Final = 200
# Other systems' codes hold slashes, spaces and Chinese. Blanks around one would make it another one unseen.
_VISIBLE: Final = r"[^\s\x00-\x1f\x7f]"
Code = Annotated[
    str,
    StringConstraints(pattern=rf"^{_VISIBLE}([^\x00-\x1f\x7f]*{_VISIBLE})?$", max_length=CODE_CHARACTERS_MAX),
]


class EvidenceBody(RequestModel):
    """Something seen, measured or said that a finding can rest on (INV-1)."""

    text: Words
    attachment_id: UUID | None = None
    """The file at intake that shows it, if there is one."""
    design_defect: bool = False
    """It shows that the design itself is at fault: technology and leadership are told at once (INV-8)."""


class ContributionBody(RequestModel):
    """What a unit supplies (INV-2)."""

    unit: Reference
    text: Words


class FieldVisitBody(RequestModel):
    """A time agreed with the customer (INV-3)."""

    person: Reference
    """Who comes."""
    agreed_for: Instant


class VisitReportBody(RequestModel):
    """What a visit found. What is taken back needs a promised date and the customer's signature (INV-3)."""

    arrived_at: Instant
    force_majeure: Words | None = None
    """What kept them from being on time, where nobody could help it."""
    found: Words
    solved_on_the_spot: bool = False
    taken_back: bool = False
    promised_for: Day | None = None
    signed_by_customer: bool = False


class SupplierNoticeBody(RequestModel):
    """What a supplier has to solve, by when (the policy's time where none is given), at its cost (INV-5)."""

    supplier: Reference
    problem: Words
    model: Reference
    quantity: Pieces
    place: Line
    contact: Name
    phone: Phone
    cost: Money
    due_at: Instant | None = None


class CauseBody(RequestModel):
    """What was established: a code that recurrence is detected by, and the words for it."""

    code: Code
    text: Words


class ResponsibleBody(RequestModel):
    """Who answers, and for which share of the whole (INV-1)."""

    unit: Reference
    person: Reference
    share: Share


class LossBody(Money):
    """What the fault is estimated to cost, and how that was reckoned (INV-7)."""

    basis: Line


class FindingBody(RequestModel):
    """What was found (INV-1, INV-4, INV-7). Shares add up to 1; no evidence named means all there is."""

    cause: CauseBody
    responsible: Annotated[tuple[ResponsibleBody, ...], Field(max_length=RESPONSIBLE_MAX)] = ()
    company_is_cause: bool
    loss: LossBody | None = None
    appraisal: Words | None = None
    """Where the company is not the cause: what the appraisal came to."""
    appraisal_basis: Words | None = None
    possible_causes: Annotated[tuple[Line, ...], Field(max_length=CAUSES_MAX)] = ()
    """Worked out with the customer."""
    evidence_ids: Annotated[tuple[UUID, ...], Field(max_length=EVIDENCE_MAX)] = ()
    design_defect: Words | None = None
    """What is wrong with the design, where that is the cause (INV-8)."""

    @model_validator(mode="after")
    def _nobody_without_a_share(self) -> Self:
        if any(not party.share for party in self.responsible):
            raise ValueError("Whoever is responsible has a share above 0")
        return self

    def loss_value(self) -> events.Loss | None:
        """As events have it."""
        return events.Loss(money=self.loss.value(), basis=self.loss.basis) if self.loss else None


class InvestigationAnswer(BaseModel):
    """Where the investigation stands after a command; an incident's where the complaint belongs to one."""

    investigation_id: UUID
    complaint_id: UUID | None
    incident_id: UUID | None
    status: Status
    version: int
    round: int
    unit: str
    person: str
    due_at: datetime
    contributions_owed: tuple[str, ...]
    evidence_ids: tuple[UUID, ...]
    field_visit: int | None
    """The number of the newest visit agreed."""
    supplier_notices: tuple[int, ...]
    """The numbers of those that are not solved."""


class EvidenceAnswer(InvestigationAnswer):
    """The same, with the id that findings name the evidence by."""

    evidence_id: UUID


class WorkLine(BaseModel):
    """One investigation in the work list."""

    investigation_id: UUID
    complaint_id: UUID | None
    incident_id: UUID | None
    status: Status
    version: int
    round: int
    unit: str
    person: str
    kind: Kind
    severity: Severity
    part_number: str | None
    serial_number: str | None
    customer_id: str | None
    due_at: datetime
    overdue: bool
    contributions_owed: tuple[str, ...]
