"""Complaints as they stand, to list, filter and search; fed from the log by a projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, case, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.events.contracts import intake as events
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.contracts.values import (
    Contact,
    Product,
    Respondent,
    RespondentKind,
    Suspicion,
)
from libs.events.envelope import Recorded
from services.intake.search import BlindIndex
from services.intake.state import Status
from services.intake.tables import COMPLAINTS

OPEN: Final = (Status.ENQUIRY, Status.RECORDED)
SEQ_MAX: Final = 2**63 - 1
SUSPICIONS_MAX: Final = 20  # of one complaint; the newest, when there are more

# Columns of the register; the others serve to find.
_SHOWN: Final = (
    COMPLAINTS.c.seq,
    COMPLAINTS.c.complaint_id,
    COMPLAINTS.c.version,
    COMPLAINTS.c.number,
    COMPLAINTS.c.contact,
    COMPLAINTS.c.status,
    COMPLAINTS.c.channel,
    COMPLAINTS.c.received_at,
    COMPLAINTS.c.recorded_at,
    COMPLAINTS.c.first_reply_due_at,
    COMPLAINTS.c.customer_id,
    COMPLAINTS.c.respondent_kind,
    COMPLAINTS.c.respondent_reference,
    COMPLAINTS.c.order_number,
    COMPLAINTS.c.part_number,
    COMPLAINTS.c.missing_details,
    COMPLAINTS.c.merged_into,
)
# What policy may compare, and the column that holds it.
_COMPARED: Final[Mapping[str, ColumnElement[Any]]] = {
    "order_number": COMPLAINTS.c.order_number,
    "part_number": COMPLAINTS.c.part_number,
    "batch": COMPLAINTS.c.batch,
    "serial_number": COMPLAINTS.c.serial_number,
    "respondent": COMPLAINTS.c.respondent_reference,
}

# Made once: making a statement costs more than running it.
_ENTER: Final = insert(COMPLAINTS).on_conflict_do_nothing()
_ALIKE: Final = (
    select(COMPLAINTS.c.complaint_id, *(column.label(name) for name, column in _COMPARED.items()))
    .where(
        COMPLAINTS.c.log == bindparam("log"),
        COMPLAINTS.c.customer_id == bindparam("customer_id"),
        COMPLAINTS.c.recorded_at >= bindparam("since"),
        COMPLAINTS.c.seq < bindparam("before"),
        COMPLAINTS.c.status.in_([status.value for status in OPEN]),
        # What is not compared is null, and null equals nothing.
        or_(*(column == bindparam(name, type_=column.type) for name, column in _COMPARED.items())),
    )
    .order_by(COMPLAINTS.c.seq.desc())
    .limit(SUSPICIONS_MAX)
)
# What a complaint is again when its merge is undone.
_STATUS_APART: Final = case(
    (COMPLAINTS.c.status != Status.MERGED, COMPLAINTS.c.status),
    (COMPLAINTS.c.contact == Contact.ENQUIRY, Status.ENQUIRY),
    else_=Status.RECORDED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to list. `recorded_from` is included, `recorded_to` is not; all words of `q` must be found."""

    status: Status | None = None
    customer_id: str | None = None
    q: str | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None


class Register:
    """Every complaint of every organisation, one row each."""

    name = "intake.complaints"

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    async def project(self, connection: AsyncConnection, recorded: Recorded[Any]) -> None:
        """Take in one event, in the transaction that moves the checkpoint."""
        log, event = recorded.envelope.log, recorded.event
        match event:
            case events.ComplaintRecorded():
                row = await self._first(recorded)
                await connection.execute(_ENTER, row)
            case PersonalDataErased():
                sealed = COMPLAINTS.c.data_subjects.contains([event.data_subject])
                await connection.execute(
                    update(COMPLAINTS).where(COMPLAINTS.c.log == log, sealed).values(tokens=[])
                )
            case _ if isinstance(event, events.Event):
                row = _changes(event) | {"version": recorded.envelope.version}
                if isinstance(event, events.ComplaintAmended):
                    row |= await self._found_by(connection, log, event)
                await connection.execute(update(COMPLAINTS).where(_of(log, event.complaint_id)).values(row))

    async def _first(self, recorded: Recorded[events.ComplaintRecorded]) -> dict[str, Any]:
        event, envelope = recorded.event, recorded.envelope
        said = (event.narrative, event.complainant.name, event.number)
        return {
            "log": envelope.log,
            "complaint_id": event.complaint_id,
            "seq": envelope.seq,
            "version": envelope.version,
            "number": event.number,
            "contact": event.contact,
            "status": Status.ENQUIRY if event.contact is Contact.ENQUIRY else Status.RECORDED,
            "channel": event.channel,
            "received_at": event.received_at,
            "recorded_at": event.recorded_at,
            "first_reply_due_at": event.first_reply_due_at,
            "customer_id": event.complainant.customer_id,
            **_respondent(event.respondent),
            **_product(event.product or Product()),
            "missing_details": list(event.missing_details),
            "data_subjects": [event.data_subject],
            "tokens": await self._index.of_any_length(envelope.log, said),
        }

    async def _found_by(
        self, connection: AsyncConnection, log: str, event: events.ComplaintAmended
    ) -> dict[str, Any]:
        """What was said before an amendment stays on record, so it is still found."""
        found = select(COMPLAINTS.c.tokens, COMPLAINTS.c.data_subjects).where(_of(log, event.complaint_id))
        tokens, data_subjects = (await connection.execute(found)).one()
        name = event.complainant.name if event.complainant else None
        said = await self._index.of_any_length(log, (event.narrative, event.supplement, name))
        return {
            "tokens": sorted({*tokens, *said}),
            "data_subjects": sorted({*data_subjects, event.data_subject}),
        }


def _changes(event: events.Event) -> dict[str, Any]:
    """The columns that an event after the first one changes."""
    match event:
        case events.ComplaintAmended():
            changed: dict[str, Any] = {"missing_details": list(event.missing_details)}
            if event.complainant:
                changed["customer_id"] = event.complainant.customer_id
            if event.respondent:
                changed |= _respondent(event.respondent)
            if event.product:
                changed |= _product(event.product)
            return changed
        case events.EnquiryBecameComplaint():
            return {
                "contact": Contact.COMPLAINT,
                "status": Status.RECORDED,
                "missing_details": list(event.missing_details),
                "first_reply_due_at": event.first_reply_due_at,
            }
        case events.ComplaintMerged():
            return {"status": Status.MERGED, "merged_into": event.merged_into}
        case events.ComplaintSeparated():
            return {"status": _STATUS_APART, "merged_into": None}
        case events.ComplaintWithdrawn():
            return {"status": Status.WITHDRAWN}
        case events.AttachmentAdded() | events.DuplicateSuspected() | events.ComplaintRecorded():
            return {}
        case _:
            assert_never(event)


def _respondent(respondent: Respondent) -> dict[str, Any]:
    return {"respondent_kind": respondent.kind, "respondent_reference": respondent.reference}


def _product(product: Product) -> dict[str, Any]:
    names = ("order_number", "part_number", "batch", "serial_number")
    return {name: getattr(product, name) for name in names}


def _of(log: str, complaint_id: UUID) -> ColumnElement[bool]:
    return and_(COMPLAINTS.c.log == log, COMPLAINTS.c.complaint_id == complaint_id)


async def listed(
    connection: AsyncConnection,
    log: str,
    filters: Filters,
    tokens: Sequence[int],
    before: int | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows of the register, newest first; `before` is the `seq` of the last one seen."""
    columns = COMPLAINTS.c
    conditions: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (filters.status, columns.status.__eq__),
        (filters.customer_id, columns.customer_id.__eq__),
        (filters.recorded_from, columns.recorded_at.__ge__),
        (filters.recorded_to, columns.recorded_at.__lt__),
        (tokens or None, columns.tokens.contains),
        (before, columns.seq.__lt__),
    ]
    asked = [compare(value) for value, compare in conditions if value is not None]
    rows = select(*_SHOWN).where(columns.log == log, *asked).order_by(columns.seq.desc()).limit(limit)
    return (await connection.execute(rows)).mappings().all()


async def merged_into(connection: AsyncConnection, log: str, complaint_id: UUID) -> tuple[UUID, ...]:
    """The complaints that this one carries on for, in the order of their recording."""
    columns = COMPLAINTS.c
    merged = select(columns.complaint_id).where(columns.log == log, columns.merged_into == complaint_id)
    return tuple((await connection.execute(merged.order_by(columns.seq))).scalars())


def likeness(respondent: Respondent, product: Product | None, compared: Sequence[str]) -> dict[str, str]:
    """What is compared with the customer's other complaints; nothing without a product or an order."""
    found = {name: getattr(product, name) for name in _COMPARED if hasattr(product, name)}
    if respondent.kind is RespondentKind.PRODUCT:
        found["respondent"] = respondent.reference
    return {name: value for name in compared if (value := found.get(name)) is not None}


async def suspicions(
    connection: AsyncConnection,
    log: str,
    customer_id: str,
    likeness: Mapping[str, str],
    since: datetime,
    before: int = SEQ_MAX,
) -> tuple[Suspicion, ...]:
    """The customer's open complaints that are alike, recorded since then, and before that `seq` if given."""
    compared = {name: likeness.get(name) for name in _COMPARED}
    asked = {"log": log, "customer_id": customer_id, "since": since, "before": before, **compared}
    return tuple(
        Suspicion(
            duplicate_of=row["complaint_id"],
            matched_on=tuple(name for name, value in likeness.items() if row[name] == value),
        )
        for row in (await connection.execute(_ALIKE, asked)).mappings()
    )
