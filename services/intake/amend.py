"""Step 1, amend: correct or supplement a record by a further event; nothing is overwritten (REC-6)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final, TypeVar, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import intake as events
from libs.events.contracts import values
from services.intake import state
from services.intake.state import Complaint, Record, Statement

_PARTS: Final = ("occurred_at", "complainant", "respondent", "product", "narrative", "demand")
P = TypeVar("P", values.Complainant, values.Product)


class MoreDefectiveThanDelivered(errors.Refused):
    """No more pieces can be defective than were delivered."""

    code = "more_defective_than_delivered"


class AnotherCustomer(errors.Refused):
    """This complaint belongs to another customer; record a new one and withdraw this."""

    code = "another_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplainantChange:
    """What to change about the complainant; None leaves as it stands."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    preferred_channel: values.Channel | None = None
    language: values.Language | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendComplaint:
    """What to change, by whom and why; None leaves as it stands, also within `product`."""

    complaint_id: UUID
    author: str
    reason: str
    occurred_at: datetime | None = None
    complainant: ComplainantChange | None = None
    respondent: values.Respondent | None = None
    product: values.Product | None = None
    narrative: str | None = None
    supplement: str | None = None
    demand: values.Demand | None = None
    unavailable_details: frozenset[values.Detail] = frozenset()
    required_details: state.RequiredDetails
    now: datetime


def decide(command: AmendComplaint, complaint: Complaint) -> list[events.Event]:
    """A withdrawn complaint is amended too: what is on record of a person must be right."""
    match complaint:
        case state.Open(record) | state.Withdrawn(record):
            return _amend(command, record)
        case state.Merged(into=other):
            raise state.AlreadyMerged(merged_into=str(other))
        case state.NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)


def _amend(command: AmendComplaint, record: Record) -> list[events.Event]:
    before = record.statement
    after = _corrected(command, before)
    _check(after, before)
    unavailable = command.unavailable_details - record.unavailable_details
    if after == before and not unavailable:
        return []  # it stands like that already
    changed = {part: new for part in _PARTS if (new := getattr(after, part)) != getattr(before, part)}
    # Once a complaint is known to be a customer's, what is added is sealed under the customer's key.
    linked = after.complainant.customer_id is not None
    data_subject = (
        state.data_subject(record.complaint_id, after.complainant) if linked else record.data_subject
    )
    return [
        events.ComplaintAmended(
            complaint_id=record.complaint_id,
            data_subject=data_subject,
            amended_at=command.now,
            author=command.author,
            reason=command.reason,
            **changed,
            supplement=None if after.supplements == before.supplements else command.supplement,
            unavailable_details=tuple(sorted(unavailable)),
            missing_details=state.missing_details(
                record.contact, after, command.required_details, record.unavailable_details | unavailable
            ),
        )
    ]


def _corrected(command: AmendComplaint, before: Statement) -> Statement:
    complainant, product, supplements = before.complainant, before.product, before.supplements
    if command.complainant is not None:
        complainant = _filled(complainant, command.complainant)
    if command.product is not None:
        product = _filled(product or values.Product(), command.product)
    if command.supplement is not None and command.supplement not in supplements:
        supplements = (*supplements, command.supplement)
    return Statement(
        occurred_at=command.occurred_at or before.occurred_at,
        complainant=complainant,
        respondent=command.respondent or before.respondent,
        product=product,
        narrative=before.narrative if command.narrative is None else command.narrative,
        supplements=supplements,
        demand=command.demand or before.demand,
    )


def _check(after: Statement, before: Statement) -> None:
    if before.complainant.customer_id not in (None, after.complainant.customer_id):
        raise AnotherCustomer
    product = after.product or values.Product()
    if product.quantity is not None and (product.defective_quantity or 0) > product.quantity:
        raise MoreDefectiveThanDelivered


def _filled(value: P, change: ComplainantChange | values.Product) -> P:
    """`value` with what `change` gives."""
    given = {field.name: getattr(change, field.name) for field in fields(change)}
    return replace(value, **{name: new for name, new in given.items() if new is not None})
