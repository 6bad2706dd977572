"""What callers send to intake and what is answered, apart from the dossier; limits stand in the types."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from libs.events.contracts import values
from libs.events.contracts.handling import Kind, Severity
from libs.events.contracts.values import (
    Channel,
    Contact,
    DemandKind,
    Detail,
    Language,
    RespondentKind,
)
from libs.service.body import RequestModel, Text
from libs.service.fields import Day, Instant, Line, Money, Name, Phone, Pieces, Reference, Words
from services.intake import amend, state

NARRATIVE_CHARACTERS_MAX: Final = 1_048_576
Narrative = Annotated[Text, Field(max_length=NARRATIVE_CHARACTERS_MAX)]


class Source(RequestModel):
    """The sending system and its own reference; sent again, they give the same complaint (REC-9)."""

    system: Reference
    reference: Reference


class ComplainantChange(RequestModel):
    """What to change about the complainant; what is null stays."""

    name: Name | None = None
    phone: Phone | None = None
    email: Line | None = None
    address: Line | None = None
    preferred_channel: Channel | None = None
    language: Language | None = None
    customer_id: Reference | None = None


class Complainant(RequestModel):
    """Who complains; at least one of phone, email and address is needed (REC-1)."""

    name: Name
    phone: Phone | None = None
    email: Line | None = None
    address: Line | None = None
    preferred_channel: Channel | None = None
    language: Language = Language.CHINESE
    customer_id: Reference | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.phone is None and self.email is None and self.address is None:
            raise ValueError("Give at least one of phone, email and address")
        return self


class Respondent(RequestModel):
    """What or whom the complaint is against (REC-1)."""

    kind: RespondentKind
    reference: Reference
    name: Line | None = None


class Product(RequestModel):
    """The goods concerned; what a quality complaint lacks here is asked for later (REC-2)."""

    order_number: Reference | None = None
    part_number: Reference | None = None
    batch: Reference | None = None
    serial_number: Reference | None = None
    delivered_on: Day | None = None
    quantity: Pieces | None = None
    defective_quantity: Pieces | None = None
    requirement: Words | None = None

    @field_validator("defective_quantity")
    @classmethod
    def _no_more_than_delivered(cls, defective: int | None, others: ValidationInfo) -> int | None:
        quantity = others.data.get("quantity")
        if defective is not None and quantity is not None and defective > quantity:
            raise ValueError("No more pieces can be defective than were delivered")
        return defective


class Demand(RequestModel):
    """What the complainant asks for."""

    kind: DemandKind
    text: Words | None = None
    money: Money | None = None


class ComplaintBody(RequestModel):
    """A contact as it came in. `contact` is "enquiry" for what is no complaint yet (REC-4)."""

    contact: Contact = Contact.COMPLAINT
    source: Source | None = None
    channel: Channel
    received_at: Instant
    occurred_at: Instant | None = None
    complainant: Complainant
    respondent: Respondent
    product: Product | None = None
    narrative: Narrative
    demand: Demand


class Reasoned(RequestModel):
    """A decision about a complaint, with its reason."""

    reason: Words


class AmendmentBody(Reasoned):
    """What to correct or add; null stays. `supplement` adds to the narrative, `narrative` corrects it."""

    occurred_at: Instant | None = None
    complainant: ComplainantChange | None = None
    respondent: Respondent | None = None
    product: Product | None = None
    narrative: Narrative | None = None
    supplement: Narrative | None = None
    demand: Demand | None = None
    unavailable_details: frozenset[Detail] = frozenset()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"reason"}:
            raise ValueError("Say what to amend")
        return self


class MergeBody(Reasoned):
    """The earlier complaint, which carries on for both (REC-9)."""

    into: UUID


class SeparateBody(Reasoned):
    """The complaint that this one is not the same as (REC-9)."""

    separate_from: UUID


class RecordedAnswer(BaseModel):
    """What became of a contact; a repeat gets the same."""

    complaint_id: UUID
    number: str = Field(examples=["2026-000123"])
    version: int
    seq: int
    recorded_at: datetime
    first_reply_due_at: datetime
    missing_details: tuple[Detail, ...]
    possible_duplicates: tuple[UUID, ...]


class ChangedAnswer(BaseModel):
    """Where the complaint stands after a command."""

    complaint_id: UUID
    status: state.Status
    version: int
    missing_details: tuple[Detail, ...]


class RegisterLine(BaseModel):
    """One complaint in a list; who complained is in its dossier."""

    complaint_id: UUID
    number: str
    version: int
    status: state.Status
    contact: Contact
    channel: Channel
    received_at: datetime
    recorded_at: datetime
    first_reply_due_at: datetime
    customer_id: str | None
    respondent_kind: RespondentKind
    respondent_reference: str
    order_number: str | None
    part_number: str | None
    missing_details: tuple[Detail, ...]
    merged_into: UUID | None
    kind: Kind | None
    severity: Severity | None
    founded: bool | None
    unit: str | None
    person: str | None
    incident_id: UUID | None


def source(body: Source | None) -> values.Source | None:
    """As events have it."""
    return values.Source(**dict(body)) if body else None


def complainant(body: Complainant) -> values.Complainant:
    """As events have it."""
    return values.Complainant(**dict(body))


def complainant_change(body: ComplainantChange | None) -> amend.ComplainantChange | None:
    """As the command has it."""
    return amend.ComplainantChange(**dict(body)) if body else None


def respondent(body: Respondent) -> values.Respondent:
    """As events have it."""
    return values.Respondent(**dict(body))


def product(body: Product | None) -> values.Product | None:
    """As events have it."""
    return values.Product(**dict(body)) if body else None


def demand(body: Demand) -> values.Demand:
    """As events have it."""
    return values.Demand(kind=body.kind, text=body.text, money=body.money.value() if body.money else None)
