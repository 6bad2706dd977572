"""Investigations as they stand: who has to do what by when, and which units were repaired before (INV-6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol, assert_never
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, RowMapping, Text, and_, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from libs.events.contracts import investigate as events
from libs.events.contracts import registry
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.propose import (
    ExecutionAdvanced,
    RemedyKind,
    SolutionProposed,
    Stage,
)
from libs.events.contracts.term import Breach, DeadlinesRecomputed, MovedDue
from libs.events.envelope import Recorded
from services.investigation import state
from services.investigation.tables import INVESTIGATIONS

REPAIRS: Final = frozenset(
    {RemedyKind.REPAIR, RemedyKind.PART_REPLACEMENT}
)  # after these it is still the same unit
OWN: Final = "investigation-"
TOLD: Final = registry.names_of(SolutionProposed, ExecutionAdvanced)  # by resolution, of repairs


class Status(StrEnum):
    """The situation of an investigation in one word."""

    INVESTIGATING = "investigating"
    JOINED = "joined"
    FOUND = "found"
    STOPPED = "stopped"


def status(investigation: state.Opened) -> Status:
    """The situation in one word."""
    match investigation:
        case state.Investigating():
            return Status.INVESTIGATING
        case state.Joined():
            return Status.JOINED
        case state.Found():
            return Status.FOUND
        case state.Stopped():
            return Status.STOPPED
        case _:
            assert_never(investigation)


@dataclass(frozen=True, slots=True)
class Repair:
    """A unit's fault that was mended, and for which complaint."""

    complaint_id: UUID
    repaired_at: datetime


class Repairs(Protocol):
    """What was repaired before."""

    async def last(self, log: str, serial_number: str, cause_code: str) -> Repair | None:
        """The last repair of that fault on that unit, if there was any."""
        ...


class Investigations:
    """Every investigation of every organisation, one row each; also the `Repairs` of a running service."""

    name = "investigation.investigations"

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def last(self, log: str, serial_number: str, cause_code: str) -> Repair | None:
        """See `Repairs.last`."""
        columns = INVESTIGATIONS.c
        rows = (
            select(columns.complaint_id, columns.repaired_at)
            .where(
                columns.log == log,
                columns.serial_number == serial_number,
                columns.cause_code == cause_code,
                columns.repaired_at.is_not(None),
                columns.complaint_id.is_not(None),
            )
            .order_by(columns.repaired_at.desc())
            .limit(1)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(rows)).one_or_none()
        return Repair(row.complaint_id, row.repaired_at) if row else None

    def concerns(self, stream: str, event_type: str) -> bool:
        """This service's own, and what resolution says of a repair."""
        return stream.startswith(OWN) or event_type in TOLD

    async def project(self, connection: AsyncConnection, recorded: Recorded[Any]) -> None:
        """Take in one event, in the transaction that moves the checkpoint."""
        log, event = recorded.envelope.log, recorded.event
        if isinstance(event, events.InvestigationOpened | events.InvestigationJoined):
            first = _begun(event) | {"version": recorded.envelope.version}
            row = insert(INVESTIGATIONS).values(
                log=log, investigation_id=event.investigation_id, repair_proposed=False, **first
            )
            await connection.execute(
                row.on_conflict_do_update(index_elements=["log", "investigation_id"], set_=first)
            )
        elif recorded.envelope.stream.startswith(OWN):
            key = UUID(recorded.envelope.stream.removeprefix(OWN))
            changed = {**_changes(event), "version": recorded.envelope.version}
            await connection.execute(update(INVESTIGATIONS).where(_of(log, key)).values(changed))
        if repair := _repair(event):
            complaint_id, changed, where = repair
            await connection.execute(
                update(INVESTIGATIONS).where(_of(log, complaint_id), *where).values(changed)
            )


def _begun(event: events.InvestigationOpened | events.InvestigationJoined) -> dict[str, Any]:
    opened = isinstance(event, events.InvestigationOpened)
    return {
        "complaint_id": event.complaint_id,
        "incident_id": event.incident_id,
        "status": Status.INVESTIGATING if opened else Status.JOINED,
        "round": event.round,
        "unit": event.answerable.unit,
        "person": event.answerable.person,
        "kind": event.kind,
        "severity": event.severity,
        "part_number": event.part_number,
        "serial_number": event.serial_number,
        "customer_id": event.customer_id,
        "due_at": event.due_at,
        "overdue": False,
        "owed_by": [duty.unit for duty in event.duties]
        if isinstance(event, events.InvestigationOpened)
        else [],
    }


def _changes(event: object) -> dict[str, Any]:
    """The columns that an event of the investigation's own stream changes."""
    match event:
        case events.InvestigationHandedOver() | events.InvestigationResumed():
            answerable = event.answerable
            handed = {"unit": answerable.unit, "person": answerable.person, "due_at": event.due_at}
            if isinstance(event, events.InvestigationResumed):
                owed = [duty.unit for duty in event.duties]
                return handed | {"status": Status.INVESTIGATING, "overdue": False, "owed_by": owed}
            if event.due_at <= event.handed_over_at:
                return handed  # what was late is so there, too; what was not is said to be, soon
            same = INVESTIGATIONS.c.due_at == event.due_at
            return handed | {"overdue": and_(INVESTIGATIONS.c.overdue, same)}
        case events.InvestigationReclassified():
            owed_by: Any = INVESTIGATIONS.c.owed_by
            for unit in event.dropped:
                owed_by = func.array_remove(owed_by, unit)
            asked = literal([duty.unit for duty in event.asked], ARRAY(Text))
            changed = {"kind": event.kind, "severity": event.severity}
            return {**changed, "owed_by": func.array_cat(owed_by, asked)}
        case events.ContributionGiven(unit=unit):
            return {"owed_by": func.array_remove(INVESTIGATIONS.c.owed_by, unit)}
        case events.InvestigationStopped():
            return {"status": Status.STOPPED}
        case DeadlineMissed():
            return {"overdue": True}
        case DeadlinesRecomputed(moved=moved):
            return next((_lies(each) for each in moved if each.about == state.FINDING), {})
        case events.FindingRecorded(cause=cause):
            return {"status": Status.FOUND, "cause_code": cause.code}
        case _:
            return {}


def _lies(moved: MovedDue) -> dict[str, Any]:
    late = {} if moved.breach is Breach.STANDS else {"overdue": False}
    return {"due_at": moved.due.due_at, **late}


def _repair(event: object) -> tuple[UUID, dict[str, Any], list[ColumnElement[bool]]] | None:
    """What is said of a repair, here or in later steps: the complaint, the changes, and when they apply."""
    match event:
        case events.FieldVisitMade(complaint_id=UUID() as of, solved_on_the_spot=True, arrived_at=at):
            return of, {"repaired_at": at}, []
        case SolutionProposed(complaint_id=of, remedies=remedies):
            return of, {"repair_proposed": any(each.kind in REPAIRS for each in remedies)}, []
        case ExecutionAdvanced(complaint_id=of, stage=Stage.DONE, advanced_at=at):
            return of, {"repaired_at": at}, [INVESTIGATIONS.c.repair_proposed]
        case _:
            return None


def _of(log: str, investigation_id: UUID) -> ColumnElement[bool]:
    return and_(INVESTIGATIONS.c.log == log, INVESTIGATIONS.c.investigation_id == investigation_id)


async def work(
    connection: AsyncConnection,
    log: str,
    person: str | None,
    due_before: datetime | None,
    owed_by: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """What is being investigated, due first, behind a place in the list; what is not None narrows it."""
    columns = INVESTIGATIONS.c
    rows = select(INVESTIGATIONS).where(columns.log == log, columns.status == Status.INVESTIGATING)
    if person is not None:
        rows = rows.where(columns.person == person)
    if due_before is not None:
        rows = rows.where(columns.due_at < due_before)
    if owed_by is not None:
        rows = rows.where(columns.owed_by.contains([owed_by]))
    if after is not None:
        rows = rows.where(tuple_(columns.due_at, columns.investigation_id) > after)
    ordered = rows.order_by(columns.due_at, columns.investigation_id).limit(limit)
    return (await connection.execute(ordered)).mappings().all()
