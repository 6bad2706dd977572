"""What callers send to intake and what is answered, apart from the dossier; limits stand in the types."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    StrictInt,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

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
from libs.service.body import RequestModel
from services.intake import amend, state

NARRATIVE_CHARACTERS_MAX: Final = 1_048_576
YEAR_MIN, YEAR_MAX = 1900, 2200  # what lies outside is a slip of the pen
PIECES_MAX: Final = 1_000_000_000
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_AMOUNT: Final = re.compile(r"\d{1,14}(\.\d{1,4})?")


def _written(form: re.Pattern[str], example: str) -> BeforeValidator:
    """Only text of this form: a number would be taken for seconds since 1970, a float for an exact amount."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and form.fullmatch(value):
            return value
        raise ValueError(f'Input should be text like "{example}"')

    return BeforeValidator(check)


def _plausible(day: date) -> None:
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise ValueError(f"The year should be between {YEAR_MIN} and {YEAR_MAX}")


def _in_utc(moment: datetime) -> datetime:
    _plausible(moment)
    return moment.astimezone(UTC)


def _day(day: date) -> date:
    _plausible(day)
    return day


def _text(characters_max: int) -> StringConstraints:
    """Text that says something, kept as it came, character for character."""
    return StringConstraints(min_length=1, max_length=characters_max, pattern=r"\S")


Instant = Annotated[
    AwareDatetime,
    _written(_INSTANT, "2026-11-20T09:12:00+08:00"),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[
    date,
    _written(_DAY, "2026-11-10"),
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Amount = Annotated[
    Decimal,
    _written(_AMOUNT, "12.50"),
    WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT.pattern}$"}),
]
Pieces = Annotated[StrictInt, Field(ge=0, le=PIECES_MAX)]
Phone = Annotated[str, _text(50)]
Name = Annotated[str, _text(200)]
Reference = Annotated[str, _text(200)]
Line = Annotated[str, _text(1_000)]
Words = Annotated[str, _text(20_000)]
Narrative = Annotated[str, _text(NARRATIVE_CHARACTERS_MAX)]


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


class Money(RequestModel):
    """An exact amount in a currency (ISO 4217)."""

    amount: Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


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
    money = values.Money(**dict(body.money)) if body.money else None
    return values.Demand(kind=body.kind, text=body.text, money=money)
