"""The customer archive: what a customer bought, complained of, had mended, and each time we spoke (REC-8)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import RowMapping

from libs.events import history
from libs.events.contracts import intake as events
from libs.events.contracts.handling import Kind
from libs.events.contracts.investigate import FieldVisitMade
from libs.events.contracts.notify import CustomerTold, NoticeDelivered, NoticeHandedOver, Recipient
from libs.events.contracts.propose import (
    CustomerAnswered,
    ExecutionAdvanced,
    RemedyKind,
    SolutionProposed,
    Stage,
)
from libs.events.contracts.values import Channel, Contact, Product
from libs.events.envelope import Recorded
from libs.service import body, paging
from services.intake import state, views
from services.intake.desk import AtDesk, Desk, Reader

router: Final = body.Router(tags=["complaints"])
REPAIRS: Final = frozenset(
    {RemedyKind.REPAIR, RemedyKind.PART_REPLACEMENT, RemedyKind.UNIT_REPLACEMENT, RemedyKind.EXCHANGE}
)
ON_THE_SPOT: Final = "field_visit"
FOLDED: Final = (
    events.ComplaintRecorded,
    events.ComplaintAmended,
    FieldVisitMade,
    SolutionProposed,
    ExecutionAdvanced,
    CustomerAnswered,
    CustomerTold,
    NoticeDelivered,
    NoticeHandedOver,
)


class Purchase(BaseModel):
    """What was bought, as far as a complaint tells of it."""

    order_number: str | None
    part_number: str | None
    batch: str | None
    serial_number: str | None
    delivered_on: date | None
    quantity: int | None


class Repair(BaseModel):
    """Work on the goods that was done: by which remedies, or on the spot at a visit."""

    done_at: datetime
    by: tuple[str, ...]


class Spoken(BaseModel):
    """One time that the customer and we were in touch; `author` is who it was of us."""

    at: datetime
    what: str
    channel: str | None
    author: str | None


class CustomersComplaint(BaseModel):
    """One contact of the customer, complaint or enquiry, and what came of it."""

    complaint_id: UUID
    number: str
    contact: Contact
    status: state.Status
    kind: Kind | None
    channel: Channel
    received_at: datetime
    respondent_reference: str
    purchase: Purchase | None
    repairs: tuple[Repair, ...]
    contacts: tuple[Spoken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a complaint's history tells of its customer; `remedies` are those proposed last."""

    product: Product | None = None
    remedies: tuple[RemedyKind, ...] = ()
    repairs: tuple[Repair, ...] = ()
    contacts: tuple[Spoken, ...] = ()


@router.get("/v1/complaints/{complaint_id}/customer", summary="The customer's archive, newest first (REC-8)")
async def read_customer(
    complaint_id: UUID, caller: Reader, desk: AtDesk, window: paging.Asked
) -> paging.Page[CustomersComplaint]:
    """Every contact of the complaint's customer, this one too, a moment after it was recorded.

    Nothing for a complainant of whom no customer id is known. Nobody's words are in it.
    """
    await desk.history(caller.org, complaint_id)  # NotFound
    complaint = await desk.complaint(caller.org, complaint_id)
    assert not isinstance(complaint, state.NotRecorded), "it has a history"
    customer_id = complaint.record.statement.complainant.customer_id
    if customer_id is None:
        return paging.Page(items=[], next_cursor=None)
    before = window.after[0] if window.after else None
    async with desk.resources.reading.connect() as connection:
        filters = views.Filters(customer_id=customer_id)
        rows = await views.listed(connection, caller.org, filters, (), before, window.fetch)
    shown, next_cursor = window.cut(rows, lambda row: [row["seq"]])
    items = await asyncio.gather(*(_item(desk, caller.org, row) for row in shown))
    return paging.Page(items=items, next_cursor=next_cursor)


async def _item(desk: Desk, log: str, row: RowMapping) -> CustomersComplaint:
    past = await history.of(desk.resources.store, follow, FOLDED).now(log, row["complaint_id"]) or Past()
    named = {name: row[name] for name in CustomersComplaint.model_fields if name in row}
    bought = past.product and Purchase.model_validate(past.product, from_attributes=True)
    return CustomersComplaint(**named, purchase=bought, repairs=past.repairs, contacts=past.contacts)


def follow(past: Past | None, recorded: Recorded[Any]) -> Past:
    """After one more event of the complaint, whichever service put it on record."""
    past, event = past or Past(), recorded.event
    if (spoken := _spoken(event)) is not None:
        past = replace(past, contacts=(*past.contacts, spoken))
    match event:
        case events.ComplaintRecorded(product=product):
            return replace(past, product=product)
        case events.ComplaintAmended(product=Product() as product):
            return replace(past, product=product)
        case SolutionProposed(remedies=remedies):
            return replace(past, remedies=tuple(each.kind for each in remedies if each.kind in REPAIRS))
        case FieldVisitMade(solved_on_the_spot=True, arrived_at=at):
            return replace(past, repairs=(*past.repairs, Repair(done_at=at, by=(ON_THE_SPOT,))))
        case ExecutionAdvanced(stage=Stage.DONE, advanced_at=at) if past.remedies:
            return replace(past, repairs=(*past.repairs, Repair(done_at=at, by=past.remedies)))
        case _:
            return past


def _spoken(event: Any) -> Spoken | None:
    """How they or we got in touch, where this event is that we did."""
    match event:
        case events.ComplaintRecorded(received_at=at, contact=what, channel=channel):
            return Spoken(at=at, what=what, channel=channel, author=None)
        case FieldVisitMade(arrived_at=at, author=author):
            return Spoken(at=at, what=ON_THE_SPOT, channel=None, author=author)
        case CustomerAnswered(answered_at=at, answer=answer, author=author):
            return Spoken(at=at, what=answer, channel=None, author=author)
        case CustomerTold(told_at=at, author=author):
            return Spoken(at=at, what="reply", channel=None, author=author)
        case NoticeDelivered(recipient=Recipient.CUSTOMER, delivered_at=at, kind=kind, channel=channel):
            return Spoken(at=at, what=kind, channel=channel, author=None)
        case NoticeHandedOver(recipient=Recipient.CUSTOMER, handed_over_at=at, kind=kind, author=author):
            return Spoken(at=at, what=kind, channel=None, author=author)
        case _:
            return None
