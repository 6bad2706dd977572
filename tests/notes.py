"""A small service for tests of what services share: it appends, waits and fails, as if it were intake."""

import asyncio
from typing import Annotated
from uuid import uuid4

from sqlalchemy import text

from libs.events.contracts.intake import ComplaintWithdrawn
from libs.events.store import Context
from libs.service import auth, body, telemetry, wiring
from libs.service.app import Service

router = body.Router()
Anyone = Annotated[auth.Caller, auth.require()]


class Note(body.RequestModel):
    text: body.Text
    subject: str = "somebody"


@router.post("/v1/notes", status_code=201)
async def record(note: Note, caller: Anyone, resources: wiring.Wired) -> dict[str, int]:
    complaint_id = uuid4()
    event = ComplaintWithdrawn(
        complaint_id=complaint_id,
        data_subject=note.subject,
        withdrawn_at=resources.now(),
        author=caller.subject,
        reason=note.text,
    )
    context = Context(caller.subject, complaint_id, traceparent=telemetry.traceparent())
    stream = f"intake-{complaint_id}"
    appended = await resources.store.append(caller.org, stream, 0, [event], [uuid4()], context)
    return {"seq": appended.seq}


@router.get("/v1/notes")
async def read(caller: Anyone, resources: wiring.Wired) -> list[str]:
    return [recorded.event.reason for recorded in await resources.store.read(caller.org)]


@router.get("/v1/count")
async def count(caller: Anyone, resources: wiring.Wired) -> int:
    async with resources.engine.connect() as connection:
        found = await connection.execute(text("SELECT count(*) FROM log.events"))
        return int(found.scalar_one())


@router.get("/v1/slow")
async def slow(seconds: float, _: Anyone) -> dict[str, bool]:
    await asyncio.sleep(seconds)
    return {"done": True}


@router.get("/v1/bug")
async def bug(_: Anyone) -> None:
    raise ValueError("Li Wei, 13800000000")


SERVICE = Service("intake", "Notes", (router,))
