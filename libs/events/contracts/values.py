"""Values that events share: who complained, about what, what they ask for. Terms: docs/glossary.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from libs.events.contracts.personal import Personal

PersonalText = Annotated[str, Personal()]


class Channel(StrEnum):
    """How a complaint came in (REC-3)."""

    PHONE = "phone"
    LETTER = "letter"
    IN_PERSON = "in_person"
    FAX = "fax"
    EMAIL = "email"
    WEB = "web"
    CHAT = "chat"
    SUGGESTION_BOX = "suggestion_box"
    SERVICE_STATION = "service_station"
    DEALER = "dealer"
    INTERNAL = "internal"


class Contact(StrEnum):
    """What a registered contact is; an enquiry can become a complaint (REC-4)."""

    COMPLAINT = "complaint"
    ENQUIRY = "enquiry"


class RespondentKind(StrEnum):
    """What or whom a complaint is against (REC-1)."""

    PRODUCT = "product"
    SERVICE = "service"
    PERSON = "person"
    UNIT = "unit"


class Language(StrEnum):
    """The language a complainant is answered in."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


class DemandKind(StrEnum):
    """What a complainant asks for."""

    EXPLANATION = "explanation"
    APOLOGY = "apology"
    REPAIR = "repair"
    REPLACEMENT = "replacement"
    EXCHANGE = "exchange"
    REFUND = "refund"
    COMPENSATION = "compensation"
    DISCOUNT = "discount"
    IMPROVEMENT = "improvement"
    OTHER = "other"


class Detail(StrEnum):
    """A detail that a quality complaint needs before it can be judged founded (REC-2)."""

    ORDER_NUMBER = "order_number"
    PART_NUMBER = "part_number"
    DELIVERED_ON = "delivered_on"
    QUANTITY = "quantity"
    DEFECTIVE_QUANTITY = "defective_quantity"
    REQUIREMENT = "requirement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount (exact decimal) in a currency (ISO 4217)."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The system that sent a complaint, and its reference there: unique together (REC-9)."""

    system: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complainant:
    """Who complained and how to reach them (REC-1)."""

    name: PersonalText
    phone: PersonalText | None = None
    email: PersonalText | None = None
    address: PersonalText | None = None
    preferred_channel: Channel | None = None
    language: Language = Language.CHINESE
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Respondent:
    """The product, service, person or unit complained of (REC-1)."""

    kind: RespondentKind
    reference: str
    name: PersonalText | None = None  # it may be a person's


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """The goods concerned (REC-2); quantities in pieces."""

    order_number: str | None = None
    part_number: str | None = None
    batch: str | None = None
    serial_number: str | None = None
    delivered_on: date | None = None
    quantity: int | None = None
    defective_quantity: int | None = None
    requirement: PersonalText | None = None  # in the customer's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the complainant asks for, in their own words (REC-1)."""

    kind: DemandKind
    text: PersonalText | None = None
    money: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """An earlier open complaint that may be the same, and what the two have in common (REC-9)."""

    duplicate_of: UUID
    matched_on: tuple[str, ...]
