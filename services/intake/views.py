"""Complaints as they stand, to list, filter and search; fed from the log by a projection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Update, and_, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.events.contracts import intake as events
from libs.events.contracts import registry
from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated
from libs.events.contracts.classify import (
    ClassificationContested,
    ComplaintClassified,
    ComplaintJoinedIncident,
    IncidentRaised,
)
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Kind, Severity
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.contracts.propose import ComplaintClosed, ComplaintReopened
from libs.events.contracts.term import ClockResumed, ClockStopped, DeadlinesRecomputed
from libs.events.contracts.values import Contact, Product, Respondent
from libs.events.envelope import Envelope, Recorded
from services.intake.search import BlindIndex
from services.intake.state import Event, Status
from services.intake.tables import COMPLAINTS, INCIDENTS

OWN: Final = "intake-"
TOLD: Final = registry.names_of(PersonalDataErased, ComplaintClosed, ComplaintReopened)  # elsewhere

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
    COMPLAINTS.c.kind,
    COMPLAINTS.c.severity,
    COMPLAINTS.c.founded,
    COMPLAINTS.c.unit,
    COMPLAINTS.c.person,
    COMPLAINTS.c.incident_id,
)
# Made once: making a statement costs more than running it.
_ENTER: Final = insert(COMPLAINTS).on_conflict_do_nothing()
_ENTER_INCIDENT: Final = insert(INCIDENTS).on_conflict_do_nothing()
# What a complaint is again when its merge, or its closing, is undone.
_STATUS_AGAIN: Final = case(
    (COMPLAINTS.c.status.not_in((Status.MERGED, Status.CLOSED)), COMPLAINTS.c.status),
    (COMPLAINTS.c.contact == Contact.ENQUIRY, Status.ENQUIRY),
    (COMPLAINTS.c.person.is_not(None), Status.ASSIGNED),
    (COMPLAINTS.c.founded.is_(True), Status.FOUNDED),
    (COMPLAINTS.c.founded.is_(False), Status.UNFOUNDED),
    else_=Status.RECORDED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to list. `recorded_from` is included, `recorded_to` is not; all words of `q` must be found."""

    status: Status | None = None
    kind: Kind | None = None
    severity: Severity | None = None
    unit: str | None = None
    customer_id: str | None = None
    q: str | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None


class Register:
    """Every complaint of every organisation, one row each."""

    name = "intake.complaints"

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    def concerns(self, stream: str, event_type: str) -> bool:
        """This service's own, an erasure, and what becomes of a complaint in the end."""
        return stream.startswith(OWN) or event_type in TOLD

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
            case ComplaintClosed() | ComplaintReopened():  # resolution's, in a stream of its own
                again = Status.CLOSED if isinstance(event, ComplaintClosed) else _STATUS_AGAIN
                await connection.execute(
                    update(COMPLAINTS).where(_of(log, event.complaint_id)).values(status=again)
                )
            case IncidentRaised():
                await connection.execute(_ENTER_INCIDENT, _incident(event, recorded.envelope))
            case _ if recorded.envelope.stream.startswith(OWN) and isinstance(event, Event):
                row = _changes(event) | {"version": recorded.envelope.version}
                assert event.complaint_id is not None, "only investigation has deadlines of no complaint"
                if isinstance(event, events.ComplaintAmended):
                    row |= await self._found_by(connection, log, event)
                await connection.execute(update(COMPLAINTS).where(_of(log, event.complaint_id)).values(row))
                if isinstance(event, ComplaintJoinedIncident):
                    await connection.execute(_one_more(log, event))

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


def _changes(event: Event) -> dict[str, Any]:
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
            return {"status": _STATUS_AGAIN, "merged_into": None}
        case events.ComplaintWithdrawn():
            return {"status": Status.WITHDRAWN}
        case ComplaintClassified() | ClassificationContested() | ComplaintJoinedIncident():
            return _judged(event)
        case ComplaintAssigned(answerable=to):
            return {"status": Status.ASSIGNED, "unit": to.unit, "person": to.person}
        case ComplaintEscalated(to=to):  # whoever had it; nobody who has it only then
            had = COMPLAINTS.c.person.is_not(None)
            return {"unit": case((had, to.unit)), "person": case((had, to.person))}
        case (
            events.AttachmentAdded()
            | events.DuplicateSuspected()
            | events.ComplaintRecorded()
            | DeadlineWarned()
            | DeadlineMissed()
            | ClockStopped()
            | ClockResumed()
            | DeadlinesRecomputed()
        ):
            return {}
        case _:
            assert_never(event)


def _judged(event: ComplaintClassified | ClassificationContested | ComplaintJoinedIncident) -> dict[str, Any]:
    if isinstance(event, ClassificationContested):
        return {"status": Status.RECORDED, "founded": None}
    if isinstance(event, ComplaintJoinedIncident):
        return {"incident_id": event.incident_id, "severity": Severity.MAJOR}
    founded = event.founded.value if event.founded else None
    changed = {
        "kind": event.kind,
        "severity": case((COMPLAINTS.c.incident_id.is_not(None), Severity.MAJOR), else_=event.severity),
        "founded": founded,
    }
    if founded is False:
        return {**changed, "status": Status.UNFOUNDED, "unit": None, "person": None}
    judged = Status.FOUNDED if founded else Status.RECORDED
    return {**changed, "status": case((COMPLAINTS.c.person.is_not(None), Status.ASSIGNED), else_=judged)}


def _incident(event: IncidentRaised, envelope: Envelope) -> dict[str, Any]:
    return {
        "log": envelope.log,
        "incident_id": event.incident_id,
        "seq": envelope.seq,
        "matched_on": event.matched_on,
        "reference": event.reference,
        "complaints": 0,
        "threshold": event.threshold,
        "window_days": event.window_days,
        "unit": event.leader.unit,
        "person": event.leader.person,
        "policy": event.ground.policy,
        "clause": event.ground.clause,
        "raised_at": event.raised_at,
        "latest_at": event.raised_at,
    }


def _one_more(log: str, event: ComplaintJoinedIncident) -> Update:
    columns = INCIDENTS.c
    joined = update(INCIDENTS).where(columns.log == log, columns.incident_id == event.incident_id)
    return joined.values(
        complaints=columns.complaints + 1, latest_at=func.greatest(columns.latest_at, event.joined_at)
    )


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
        (filters.kind, columns.kind.__eq__),
        (filters.severity, columns.severity.__eq__),
        (filters.unit, columns.unit.__eq__),
        (filters.customer_id, columns.customer_id.__eq__),
        (filters.recorded_from, columns.recorded_at.__ge__),
        (filters.recorded_to, columns.recorded_at.__lt__),
        (tokens or None, columns.tokens.contains),
        (before, columns.seq.__lt__),
    ]
    asked = [compare(value) for value, compare in conditions if value is not None]
    rows = select(*_SHOWN).where(columns.log == log, *asked).order_by(columns.seq.desc()).limit(limit)
    return (await connection.execute(rows)).mappings().all()


async def in_order(
    connection: AsyncConnection,
    log: str,
    since: datetime | None,
    until: datetime | None,
    after: int,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows of the register, oldest first, recorded at or after `since` and before `until`."""
    columns = COMPLAINTS.c
    rows = select(*_SHOWN).where(columns.log == log, columns.seq > after)
    if since is not None:
        rows = rows.where(columns.recorded_at >= since)
    if until is not None:
        rows = rows.where(columns.recorded_at < until)
    return (await connection.execute(rows.order_by(columns.seq).limit(limit))).mappings().all()


async def incidents(
    connection: AsyncConnection, log: str, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Batch incidents, newest first; `before` is the `seq` of the last one seen."""
    rows = select(INCIDENTS).where(INCIDENTS.c.log == log)
    if before is not None:
        rows = rows.where(INCIDENTS.c.seq < before)
    return (await connection.execute(rows.order_by(INCIDENTS.c.seq.desc()).limit(limit))).mappings().all()
