"""Notices as they stand: what was said to whom about which complaint, and what a person still has to tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, bindparam, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from libs.events.contracts import notify as events
from libs.events.envelope import Recorded
from services.notifier import state
from services.notifier.tables import NOTICES


class Status(StrEnum):
    """The situation of a notice in one word."""

    SENDING = "sending"
    LEFT_TO_PERSON = "left_to_person"
    DELIVERED = "delivered"
    HANDED_OVER = "handed_over"


def status(notice: state.Known) -> Status:
    """The situation in one word."""
    match notice:
        case state.Sending():
            return Status.SENDING
        case state.LeftToPerson():
            return Status.LEFT_TO_PERSON
        case state.Arrived():
            return Status.DELIVERED
        case state.HandedOver():
            return Status.HANDED_OVER
        case _:
            assert_never(notice)


OWN: Final = "notifier-"
# Made once: making a statement costs more than running it.
_ENTER: Final = insert(NOTICES).on_conflict_do_nothing()
_CHANGE: Final = update(NOTICES).where(
    NOTICES.c.log == bindparam("of_log"), NOTICES.c.notice_id == bindparam("of_notice")
)


class Notices:
    """Every notice of every organisation, one row each."""

    name = "notifier.notices"

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def concerns(self, stream: str, event_type: str) -> bool:
        """Every notice has a stream of this service."""
        return stream.startswith(OWN)

    async def project(self, connection: AsyncConnection, recorded: Recorded[Any]) -> None:
        """Take in one event, in the transaction that moves the checkpoint."""
        event, log = recorded.event, recorded.envelope.log
        if isinstance(event, events.NoticeWritten):
            await connection.execute(
                _ENTER, {"log": log, "version": recorded.envelope.version, **_written(event)}
            )
        elif changed := _changes(event):
            changed["version"] = recorded.envelope.version
            await connection.execute(_CHANGE, {"of_log": log, "of_notice": event.notice_id, **changed})


def _written(event: events.NoticeWritten) -> dict[str, Any]:
    return {
        "notice_id": event.notice_id,
        "complaint_id": event.complaint_id,
        "kind": event.kind,
        "recipient": event.recipient,
        "person": event.person,
        "status": Status.SENDING,
        "language": event.language,
        "template": event.template,
        "channel": event.channels[0],
        "attempts": 0,
        "due_at": event.due_at,
        "written_at": event.written_at,
    }


def _changes(event: object) -> dict[str, Any]:
    """The columns that a later event of a notice changes; none where it is no such event."""
    match event:
        case events.NoticeDelivered():
            settled: dict[str, Any] = {"channel": event.channel, "attempts": event.attempt}
            return settled | _over(Status.DELIVERED, event.delivered_at)
        case events.NoticeHandedOver():
            return _over(Status.HANDED_OVER, event.handed_over_at)
        case events.NoticeFailed():
            return {
                "channel": event.next_channel or event.channel,
                "attempts": event.attempt,
                "failure": event.reason,
                "retry_at": event.retry_at,
            }
        case events.NoticeTaskRaised(owed_by=owed_by):
            return {"status": Status.LEFT_TO_PERSON, "owed_by": owed_by.person, "retry_at": None}
        case events.NoticeResent():
            return {
                "status": Status.SENDING,
                "channel": event.channels[0],
                "owed_by": None,
                "retry_at": event.resent_at,
                "settled_at": None,
            }
        case _:
            return {}


def _over(status: Status, at: datetime) -> dict[str, Any]:
    return {"status": status, "owed_by": None, "retry_at": None, "settled_at": at}


async def listed(
    connection: AsyncConnection,
    log: str,
    chosen: Sequence[ColumnElement[bool]],
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The notices that `chosen` holds for, in the order they were written, behind a place in the list."""
    columns = NOTICES.c
    rows = select(NOTICES).where(columns.log == log, *chosen)
    if after is not None:
        rows = rows.where(tuple_(columns.written_at, columns.notice_id) > after)
    ordered = rows.order_by(columns.written_at, columns.notice_id).limit(limit)
    return (await connection.execute(ordered)).mappings().all()


def chosen(
    complaint_id: UUID | None = None, status: Status | None = None, owed_by: str | None = None
) -> list[ColumnElement[bool]]:
    """What is asked for, as conditions."""
    columns = NOTICES.c
    asked = ((columns.complaint_id, complaint_id), (columns.status, status), (columns.owed_by, owed_by))
    return [column == value for column, value in asked if value is not None]
