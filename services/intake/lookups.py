"""Other complaints, looked up in the tables of this service; see `neighbours`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from libs.events.contracts.values import Suspicion
from libs.policy.incidents import Likeness
from libs.service.projection import Checkpoint
from services.intake import views
from services.intake.neighbours import CLOCKED, COMPARED, OPEN, SEQ_MAX, SUSPICIONS_MAX, UNCOUNTED, Incidents
from services.intake.tables import COMPLAINTS, INCIDENTS

_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    name: COMPLAINTS.c.respondent_reference if name == "respondent" else COMPLAINTS.c[name]
    for name in COMPARED
}

# Made once: making a statement costs more than running it.
_ALIKE: Final = (
    select(COMPLAINTS.c.complaint_id, *(column.label(name) for name, column in _COLUMNS.items()))
    .where(
        COMPLAINTS.c.log == bindparam("log"),
        COMPLAINTS.c.customer_id == bindparam("customer_id"),
        COMPLAINTS.c.recorded_at >= bindparam("since"),
        COMPLAINTS.c.seq < bindparam("before"),
        COMPLAINTS.c.status.in_([status.value for status in OPEN]),
        # What is not compared is null, and null equals nothing.
        or_(*(column == bindparam(name, type_=column.type) for name, column in _COLUMNS.items())),
    )
    .order_by(COMPLAINTS.c.seq.desc())
    .limit(SUSPICIONS_MAX)
)
_CLOCKED: Final = (
    select(COMPLAINTS.c.seq, COMPLAINTS.c.complaint_id)
    .where(
        COMPLAINTS.c.log == bindparam("log"),
        COMPLAINTS.c.seq > bindparam("after"),
        COMPLAINTS.c.status.in_([status.value for status in CLOCKED]),
    )
    .order_by(COMPLAINTS.c.seq)
)
_MERGED: Final = (
    select(COMPLAINTS.c.complaint_id)
    .where(COMPLAINTS.c.log == bindparam("log"), COMPLAINTS.c.merged_into == bindparam("into"))
    .order_by(COMPLAINTS.c.seq)
)
_INCIDENTS: Final = (
    select(INCIDENTS.c.incident_id, INCIDENTS.c.latest_at)
    .where(
        INCIDENTS.c.log == bindparam("log"),
        INCIDENTS.c.matched_on == bindparam("matched_on"),
        INCIDENTS.c.reference == bindparam("reference"),
    )
    .order_by(INCIDENTS.c.seq)
)
_COUNTED: Final = (
    select(COMPLAINTS.c.complaint_id)
    .where(
        COMPLAINTS.c.log == bindparam("log"),
        COMPLAINTS.c.recorded_at >= bindparam("since"),
        COMPLAINTS.c.status.not_in([status.value for status in UNCOUNTED]),
        COMPLAINTS.c.kind.is_not(None),
        COMPLAINTS.c.founded.is_not(False),
    )
    .order_by(COMPLAINTS.c.seq)
)


class SqlNeighbours:
    """What the register knows. `reading` runs single queries, without a transaction around them."""

    def __init__(self, reading: AsyncEngine) -> None:
        self._reading = reading
        self._register = Checkpoint("intake", views.Register.name, reading)

    async def come_to(self, log: str, seq: int) -> bool:
        """See `Neighbours.come_to`."""
        return await self._register.come_to(log, seq)

    async def suspicions(
        self, log: str, customer_id: str, likeness: Mapping[str, str], since: datetime, before: int = SEQ_MAX
    ) -> tuple[Suspicion, ...]:
        """See `Neighbours.suspicions`."""
        compared = {name: likeness.get(name) for name in _COLUMNS}
        asked = {"log": log, "customer_id": customer_id, "since": since, "before": before, **compared}
        async with self._reading.connect() as connection:
            rows = (await connection.execute(_ALIKE, asked)).mappings().all()
        return tuple(
            Suspicion(
                duplicate_of=row["complaint_id"],
                matched_on=tuple(name for name, value in likeness.items() if row[name] == value),
            )
            for row in rows
        )

    async def merged_into(self, log: str, complaint_id: UUID) -> tuple[UUID, ...]:
        """See `Neighbours.merged_into`."""
        async with self._reading.connect() as connection:
            found = await connection.execute(_MERGED, {"log": log, "into": complaint_id})
            return tuple(found.scalars())

    async def incidents(self, log: str, likeness: Likeness, since: datetime) -> Incidents:
        """See `Neighbours.incidents`."""
        asked = {"log": log, "matched_on": likeness.matched_on, "reference": likeness.reference}
        async with self._reading.connect() as connection:
            past = (await connection.execute(_INCIDENTS, asked)).all()
        return Incidents(len(past), past[-1].incident_id if past and past[-1].latest_at >= since else None)

    async def clocked(self, log: str, after: int, limit: int) -> tuple[tuple[int, UUID], ...]:
        """See `Neighbours.clocked`."""
        async with self._reading.connect() as connection:
            rows = await connection.execute(_CLOCKED.limit(limit), {"log": log, "after": after})
            return tuple((row.seq, row.complaint_id) for row in rows)

    async def alike(
        self, log: str, fields: Mapping[str, str], since: datetime, limit: int
    ) -> tuple[UUID, ...]:
        """See `Neighbours.alike`."""
        rows = _COUNTED.where(*(_COLUMNS[name] == value for name, value in fields.items())).limit(limit)
        async with self._reading.connect() as connection:
            return tuple((await connection.execute(rows, {"log": log, "since": since})).scalars())
