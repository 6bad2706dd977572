"""Cases, ledger and measures as they stand: work lists, and what is asked across complaints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, RowMapping, and_, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from libs.events import errors
from libs.events.contracts import improve, penalize, propose, registry
from libs.events.contracts.handling import Step, StepDue
from libs.events.contracts.investigate import FindingRecorded
from libs.events.contracts.penalize import Installment
from libs.events.contracts.propose import Answer
from libs.events.contracts.term import DeadlinesRecomputed, MovedDue
from libs.events.contracts.values import Money
from libs.events.envelope import Recorded
from libs.service.projection import Checkpoint
from services.resolution.lookups import Months, by_month
from services.resolution.tables import CASES, IMPROVEMENTS, LEDGER

NAME: Final = "resolution.cases"
OWN: Final = "resolution-"
FOUND: Final = registry.names_of(FindingRecorded)


class SolutionStatus(StrEnum):
    """How far step 5 has come, in one word."""

    NOTHING_PROPOSED = "nothing_proposed"
    PROPOSED = "proposed"
    OFFERED = "offered"
    TURNED_DOWN = "turned_down"
    AGREED = "agreed"
    CARRIED_OUT = "carried_out"


class MeasureStatus(StrEnum):
    """The situation of a measure in one word."""

    PLANNED = "planned"
    COMPLETED = "completed"
    VERIFIED = "verified"
    REOPENED = "reopened"


class Cases:
    """Everything that this service lists; also the `Lookups` of a running service."""

    name = NAME

    def __init__(self, engine: AsyncEngine, zone: ZoneInfo) -> None:
        """`zone`: where the months of the ledger begin."""
        self._engine = engine
        self._checkpoint = Checkpoint("resolution", NAME, engine)
        self._zone = zone

    def concerns(self, stream: str, event_type: str) -> bool:
        """This service's own; and who asks what is observed has heard of a finding."""
        return stream.startswith(OWN) or event_type in FOUND

    async def project(self, connection: AsyncConnection, recorded: Recorded[Any]) -> None:
        """Take in one event, in the transaction that moves the checkpoint."""
        log, version, event = recorded.envelope.log, recorded.envelope.version, recorded.event
        if isinstance(event, propose.CaseOpened):
            row = {"log": log, "complaint_id": event.complaint_id, "version": version, **_opened(event)}
            await connection.execute(insert(CASES).values(row).on_conflict_do_nothing())
        elif (changed := _case(event)) is not None:
            of = and_(CASES.c.log == log, CASES.c.complaint_id == event.complaint_id)
            await connection.execute(update(CASES).where(of).values({**changed, "version": version}))
        if (entry := _entry(event, self._zone)) is not None:
            row = {"log": log, "seq": recorded.envelope.seq, "complaint_id": event.complaint_id, **entry}
            await connection.execute(insert(LEDGER).values(row).on_conflict_do_nothing())
        elif (changed := _appeal(event)) is not None:
            await connection.execute(update(LEDGER).where(_sanction(log, event)).values(changed))
        if isinstance(event, improve.ImprovementPlanned):
            row = {"log": log, "seq": recorded.envelope.seq, "version": version, **_planned(event)}
            await connection.execute(insert(IMPROVEMENTS).values(row).on_conflict_do_nothing())
        elif (changed := _measure(event)) is not None:
            of = and_(IMPROVEMENTS.c.log == log, IMPROVEMENTS.c.improvement_id == event.improvement_id)
            await connection.execute(update(IMPROVEMENTS).where(of).values({**changed, "version": version}))
        elif isinstance(event, DeadlinesRecomputed):
            for of_measure in (each for each in event.moved if each.due.step is Step.IMPROVE and each.about):
                of = and_(IMPROVEMENTS.c.log == log, IMPROVEMENTS.c.improvement_id == UUID(of_measure.about))
                moved = {"due_at": of_measure.due.due_at, "version": version}
                await connection.execute(update(IMPROVEMENTS).where(of).values(moved))

    async def observed(self, log: str, cause_code: str, at: datetime, seq: int) -> Sequence[UUID]:
        """See `Lookups.observed`."""
        found = select(IMPROVEMENTS.c.improvement_id).where(
            IMPROVEMENTS.c.log == log,
            IMPROVEMENTS.c.cause_code == cause_code,
            IMPROVEMENTS.c.completed_at <= at,
            IMPROVEMENTS.c.observed_until >= at,
        )
        if not await self._checkpoint.come_to(log, seq):
            raise errors.Unavailable("The list of measures has not come to this finding yet.")
        async with self._engine.connect() as connection:
            return (await connection.execute(found)).scalars().all()

    async def deducted(self, log: str, person: str) -> Months:
        """See `Lookups.deducted`."""
        rows = select(LEDGER.c.installments).where(LEDGER.c.log == log, LEDGER.c.person == person)
        async with self._engine.connect() as connection:
            taken = (await connection.execute(rows)).scalars().all()
        return by_month(
            (date.fromisoformat(month), Decimal(amount))
            for months in taken
            for month, amount in months.items()
        )


def _opened(event: propose.CaseOpened | propose.CaseHandedOver) -> dict[str, Any]:
    return {
        "unit": event.answerable.unit,
        "person": event.answerable.person,
        "kind": event.kind,
        "severity": event.severity,
        "solution": SolutionStatus.NOTHING_PROPOSED,
        "due_at": _due_at(event.due) or datetime.max.replace(tzinfo=UTC),  # an assignment gives it a time
    }


def _due_at(due: Sequence[StepDue]) -> datetime | None:
    return next((each.due_at for each in due if each.step is Step.PROPOSE), None)


def _is_of_case(moved: MovedDue) -> bool:
    """Of step 5 as a whole, or of a round of it; not of an approval."""
    return moved.due.step is Step.PROPOSE and "/" not in (moved.about or "")


def _case(event: object) -> dict[str, Any] | None:
    """The columns of a case that an event changes; None for one that is none of a case's."""
    match event:
        case propose.CaseHandedOver():
            handed = _opened(event)
            del handed["solution"]
            return handed
        case propose.SolutionProposed(approvals=approvals):
            return {"solution": SolutionStatus.PROPOSED if approvals else SolutionStatus.OFFERED}
        case propose.SolutionApproved(complete=complete):
            return {"solution": SolutionStatus.OFFERED} if complete else {}
        case propose.SolutionRejected(due=due):
            return {"solution": SolutionStatus.TURNED_DOWN, **({"due_at": due.due_at} if due else {})}
        case propose.CustomerAnswered(answer=answer, due=due):
            agreed = answer is Answer.ACCEPTED
            return {
                "solution": SolutionStatus.AGREED if agreed else SolutionStatus.TURNED_DOWN,
                "due_at": due.due_at,
            }
        case DeadlinesRecomputed(moved=moved):
            return next(({"due_at": each.due.due_at} for each in moved if _is_of_case(each)), None)
        case propose.DisputeSettled(due=due):
            return {"solution": SolutionStatus.AGREED, "due_at": due.due_at}
        case propose.ExecutionAdvanced(complete=complete):
            return {"solution": SolutionStatus.CARRIED_OUT} if complete else {}
        case propose.ComplaintClosed(outcome=outcome):
            return {"outcome": outcome}
        case propose.ComplaintReopened(due=due):
            again = {"due_at": due_at} if (due_at := _due_at(due)) else {}
            return {"outcome": None, "solution": SolutionStatus.NOTHING_PROPOSED, **again}
        case _:
            return None


def _entry(event: object, zone: ZoneInfo) -> dict[str, Any] | None:
    """The ledger's entry that an event makes, if it makes one."""
    match event:
        case penalize.SanctionImposed():
            made = _line(
                "sanction", event.person, event.unit, event.imposed_at.astimezone(zone), event.imposed_by
            )
            return made | {
                "sanction": event.sanction,
                "charge": event.charge,
                "way": event.way,
                "policy": event.ground.policy,
                "clause": event.ground.clause,
                "rests_on": event.rests_on,
                **_sum(event.amount),
                "installments": _months(event.installments),
            }
        case penalize.ResponsibilityWaived():
            made = _line(
                "waiver", event.person, event.unit, event.waived_at.astimezone(zone), event.waived_by
            )
            return made | {"charge": event.charge, "rests_on": event.rests_on, **_version(event)}
        case penalize.NoFaultFound(person=str() as person):
            made = _line(
                "no_fault", person, event.unit or "", event.decided_at.astimezone(zone), event.decided_by
            )
            return made | {"charge": event.charge, "rests_on": event.rests_on, **_version(event)}
        case penalize.RewardGranted():
            made = _line(
                "reward", event.person, event.unit, event.granted_at.astimezone(zone), event.granted_by
            )
            return made | _sum(event.amount) | _version(event)
        case _:
            return None


def _line(entry: str, person: str, unit: str, at: datetime, by: str) -> dict[str, Any]:
    return {
        "entry": entry,
        "person": person,
        "unit": unit,
        "month": at.date().replace(day=1),
        "decided_at": at,
        "decided_by": by,
        "installments": {},
    }


def _version(
    event: penalize.ResponsibilityWaived | penalize.NoFaultFound | penalize.RewardGranted,
) -> dict[str, Any]:
    """The policy it was decided by (GOV-1); what is older than that names none."""
    return {"policy": event.ground.policy, "clause": event.ground.clause} if event.ground else {}


def _sum(money: Money | None) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency} if money else {"amount": None}


def _months(installments: Sequence[Installment]) -> dict[str, str]:
    return {each.month.isoformat(): str(each.money.amount) for each in installments}


def _appeal(event: object) -> dict[str, Any] | None:
    match event:
        case penalize.SanctionAppealed():
            return {"appeal": "pending"}
        case penalize.AppealDecided():
            held = {"way": event.way, "installments": _months(event.installments), **_sum(event.amount)}
            return {"appeal": event.outcome, **held}
        case _:
            return None


def _sanction(log: str, event: Any) -> ColumnElement[bool]:
    columns = LEDGER.c
    return and_(
        columns.log == log, columns.complaint_id == event.complaint_id, columns.sanction == event.sanction
    )


def _planned(event: improve.ImprovementPlanned) -> dict[str, Any]:
    return {
        "improvement_id": event.improvement_id,
        "cause_code": event.cause_code,
        "unit": event.owner.unit,
        "person": event.owner.person,
        "status": MeasureStatus.PLANNED,
        "due_at": event.due_at,
        "complaint_ids": list(event.complaint_ids),
    }


def _measure(event: object) -> dict[str, Any] | None:
    match event:
        case improve.ImprovementExtended(complaint_id=joined):
            return {"complaint_ids": func.array_append(IMPROVEMENTS.c.complaint_ids, joined)}
        case improve.ImprovementProgressed():
            return {}
        case improve.ImprovementCompleted():
            observed = {"completed_at": event.completed_at, "observed_until": event.observed_until}
            return {"status": MeasureStatus.COMPLETED, "due_at": event.due_at, **observed}
        case improve.ImprovementVerified(effective=True):
            return {"status": MeasureStatus.VERIFIED}
        case improve.ImprovementVerified():
            unobserved = {"completed_at": None, "observed_until": None}
            return {"status": MeasureStatus.REOPENED, "due_at": event.due_at, **unobserved}
        case improve.ImprovementReopened(complaint_id=joined):
            return {
                "status": MeasureStatus.REOPENED,
                "due_at": event.due_at,
                "completed_at": None,
                "observed_until": None,
                "complaint_ids": func.array_append(IMPROVEMENTS.c.complaint_ids, joined),
            }
        case _:
            return None


async def open_cases(
    connection: AsyncConnection,
    log: str,
    person: str | None,
    due_before: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """What is open, due first; of one person, due before a time, behind a place in the list."""
    columns = CASES.c
    rows = select(CASES).where(columns.log == log, columns.outcome.is_(None))
    if person is not None:
        rows = rows.where(columns.person == person)
    if due_before is not None:
        rows = rows.where(columns.due_at < due_before)
    if after is not None:
        rows = rows.where(tuple_(columns.due_at, columns.complaint_id) > tuple_(*after))
    rows = rows.order_by(columns.due_at, columns.complaint_id).limit(limit)
    return (await connection.execute(rows)).mappings().all()


async def ledger(
    connection: AsyncConnection,
    log: str,
    person: str | None,
    unit: str | None,
    month: date | None,
    after: int | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Entries in the order they were made; of one person, unit or month, behind a place in the list."""
    columns = LEDGER.c
    wanted = {columns.person: person, columns.unit: unit, columns.month: month}
    rows = select(LEDGER).where(columns.log == log)
    rows = rows.where(*(column == value for column, value in wanted.items() if value is not None))
    if after is not None:
        rows = rows.where(columns.seq > after)
    return (await connection.execute(rows.order_by(columns.seq).limit(limit))).mappings().all()


async def improvements(
    connection: AsyncConnection,
    log: str,
    person: str | None,
    status: str | None,
    cause_code: str | None,
    after: int | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Measures, newest first; of one owner, situation or cause, behind a place in the list."""
    columns = IMPROVEMENTS.c
    wanted = {columns.person: person, columns.status: status, columns.cause_code: cause_code}
    rows = select(IMPROVEMENTS).where(columns.log == log)
    rows = rows.where(*(column == value for column, value in wanted.items() if value is not None))
    if after is not None:
        rows = rows.where(columns.seq < after)
    return (await connection.execute(rows.order_by(columns.seq.desc()).limit(limit))).mappings().all()
