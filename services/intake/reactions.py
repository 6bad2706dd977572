"""What intake does upon events: a recorded complaint is compared with the customer's others (REC-9)."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.events import errors
from libs.events.contracts.intake import ComplaintRecorded
from libs.events.contracts.values import Suspicion
from libs.events.decider import derived_ids, transact
from libs.events.envelope import Recorded
from libs.service.reaction import Reaction, context
from libs.service.wiring import Resources
from services.intake import suspect, views
from services.intake.desk import STREAM
from services.intake.tables import CHECKPOINTS

_SEEN: Final = select(CHECKPOINTS.c.seq).where(
    CHECKPOINTS.c.log == bindparam("log"), CHECKPOINTS.c.projection == views.Register.name
)


def of(resources: Resources) -> tuple[Reaction, ...]:
    """The reactions of this service."""

    async def on_complaint_recorded(recorded: Recorded[Any]) -> None:
        await link_duplicates(resources, recorded)

    return (Reaction("intake-duplicates", (ComplaintRecorded,), on_complaint_recorded),)


async def link_duplicates(resources: Resources, recorded: Recorded[ComplaintRecorded]) -> None:
    """Link the customer's earlier open complaints that are alike; Unavailable until it knows them."""
    event, envelope = recorded.event, recorded.envelope
    alike = views.likeness(event.respondent, event.product, resources.policy.duplicates.match_any)
    if event.complainant.customer_id is None or not alike:
        return
    reading = resources.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with reading.connect() as connection:
        await _has_come_to(connection, envelope.log, envelope.seq)
        found = await views.suspicions(
            connection,
            envelope.log,
            event.complainant.customer_id,
            alike,
            event.recorded_at - resources.policy.duplicates.window,
            envelope.seq,
        )
    for suspicion in found:
        await _suspect(resources, recorded, suspicion)


async def _suspect(resources: Resources, recorded: Recorded[ComplaintRecorded], suspicion: Suspicion) -> None:
    event, envelope = recorded.event, recorded.envelope
    # Suspected as of its recording: whoever handles the event, and however often, makes the same event of it.
    await transact(
        resources.store,
        envelope.log,
        STREAM,
        event.complaint_id,
        suspect.decide,
        suspect.SuspectDuplicate(complaint_id=event.complaint_id, suspicion=suspicion, now=envelope.at),
        context(recorded, actor="intake"),
        ids=derived_ids(envelope.event_id, f"suspect/{suspicion.duplicate_of}"),
    )


async def _has_come_to(connection: AsyncConnection, log: str, seq: int) -> None:
    """What the register has not seen yet it cannot find, so an answer given too early would lose a link."""
    seen = (await connection.execute(_SEEN, {"log": log})).scalar()
    if seen is None or seen < seq:
        raise errors.Unavailable("The register has not come to this complaint yet.")
