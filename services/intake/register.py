"""The complaint register (客户投诉登记表) to print: one line a complaint, in either language (REC-7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query
from sqlalchemy import RowMapping
from starlette.responses import Response, StreamingResponse

from libs.events.contracts import intake as events
from libs.events.contracts.values import Product
from libs.events.envelope import Recorded
from libs.events.masking import masked
from libs.policy import terms
from libs.policy.terms import Speaker, Spoken
from libs.service import body, printed
from libs.service.auth import Caller
from libs.service.fields import Instant
from services.intake import state, views
from services.intake.desk import STREAM, AtDesk, Desk, Reader
from services.intake.state import Status

router: Final = body.Router(tags=["documents"])
TEMPLATE: Final = printed.template(__file__, "register.html")
# Whole histories are read for a line, so few at a time.
LINES_AT_ONCE: Final = 10

COLUMNS: Final = (
    "number",
    "received",
    "recorded",
    "channel",
    "complainant",
    "respondent",
    "product",
    "demand",
    "kind",
    "severity",
    "founded",
    "answerable",
    "status",
)
WORDS: Final[Mapping[str, Spoken]] = {
    **terms.FIELDS,
    "title": ("客户投诉登记表", "Complaint register"),
    "since": ("自", "from"),
    "until": ("至（不含）", "until before"),
}
STATUSES: Final[Mapping[Status, Spoken]] = {
    Status.ENQUIRY: ("咨询", "enquiry"),
    Status.RECORDED: ("待判断", "recorded"),
    Status.UNFOUNDED: ("不成立", "unfounded"),
    Status.FOUNDED: ("成立", "founded"),
    Status.ASSIGNED: ("处理中", "assigned"),
    Status.WITHDRAWN: ("已撤回", "withdrawn"),
    Status.MERGED: ("已合并", "merged"),
    Status.CLOSED: ("已结案", "closed"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One complaint: its number, and what stands in the columns after it."""

    number: str
    cells: tuple[str, ...]


@router.get(
    "/v1/complaints/register",
    summary="The complaint register as a document, oldest first (REC-7)",
    response_class=StreamingResponse,
    responses=printed.RESPONSES,
)
async def complaint_register(
    caller: Reader,
    desk: AtDesk,
    language: printed.Asked,
    recorded_from: Annotated[Instant | None, Query(description="At or after this time.")] = None,
    recorded_to: Annotated[Instant | None, Query(description="Before this time.")] = None,
) -> Response:
    """What people said is as it stands after every amendment; shown as withheld without personal:read."""
    now = desk.resources.now()
    policy = await desk.resources.policies.in_force(caller.org, now)
    say = Speaker(policy, language)
    return await printed.page(
        TEMPLATE,
        say,
        made_at=now,
        word=lambda name: say.one(WORDS, name),
        columns=COLUMNS,
        since=recorded_from,
        until=recorded_to,
        lines=_lines(desk, caller, say, recorded_from, recorded_to),
    )


async def _lines(
    desk: Desk, caller: Caller, say: Speaker, since: datetime | None, until: datetime | None
) -> AsyncIterator[Line]:
    after = 0
    while True:
        async with desk.resources.reading.connect() as connection:
            rows = await views.in_order(connection, caller.org, since, until, after, LINES_AT_ONCE)
        for line in await asyncio.gather(*(_line(desk, caller, say, row) for row in rows)):
            yield line
        if len(rows) < LINES_AT_ONCE:
            return
        after = rows[-1]["seq"]


async def _line(desk: Desk, caller: Caller, say: Speaker, row: RowMapping) -> Line:
    """What the view knows, and from the record what it does not: the words of people."""
    history = await desk.history(caller.org, row["complaint_id"])
    happened = [each.event if "personal:read" in caller.scopes else masked(each.event) for each in history]
    complaint = STREAM.fold(state.INITIAL, happened)
    assert not isinstance(complaint, state.NotRecorded), "a stream is read only where it exists"
    statement = complaint.record.statement
    return Line(
        number=row["number"],
        cells=(
            say.time(row["received_at"]) + _amended(say, history),
            say.time(row["recorded_at"]),
            say.one(terms.CHANNELS, row["channel"]),
            say.complainant(statement.complainant),
            say.respondent(statement.respondent),
            _product(statement.product or Product()),
            say.demand(statement.demand),
            say.one(terms.KINDS, row["kind"]) if row["kind"] else "",
            say.one(terms.SEVERITIES, row["severity"]) if row["severity"] else "",
            "" if row["founded"] is None else say.one(terms.YES_OR_NO, row["founded"]),
            terms.rows(row["unit"] and say.unit(row["unit"]), row["person"] and say.name(row["person"])),
            say.one(STATUSES, row["status"]),
        ),
    )


def _amended(say: Speaker, history: Sequence[Recorded[Any]]) -> str:
    """Says so where not all is as it was first recorded, and since when (REC-6)."""
    amended = [each.event for each in history if isinstance(each.event, events.ComplaintAmended)]
    return f"\n{say.one(WORDS, 'amended')} {say.time(amended[-1].amended_at)}" if amended else ""


def _product(product: Product) -> str:
    return terms.rows(product.order_number, product.part_number, product.batch, product.serial_number)
