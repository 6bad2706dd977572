"""Many contacts at once, one JSON object a line: each line is answered by a line, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final
from weakref import WeakValueDictionary

import pydantic_core
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from libs.events import errors
from libs.service import body, problem
from libs.service.auth import Caller
from services.intake.desk import Answered, AtDesk, Desk, Writer
from services.intake.models import ComplaintBody

router: Final = body.Router(tags=["complaints"])

MEDIA_TYPE: Final = "application/x-ndjson"
IN_FLIGHT_MAX: Final = 64
LINE_BYTES_MAX: Final = 4 * 1024 * 1024
LONG_LINE_BYTES: Final = 256 * 1024
STREAM_BYTES_MAX: Final = 1 << 40  # there is a limit on everything, but here it is the lines that are limited
_LINES: Final = {"schema": {"type": "string", "description": "One complaint a line."}}
_RESULTS: Final = {
    "schema": {
        "type": "string",
        "description": "One object a line: `line`, `status`, and `complaint_id` with `number`, or `problem`.",
    }
}


# Lines with the same source reference take turns, so that the first in the file is the first on record.
Turns = WeakValueDictionary[tuple[str, str], asyncio.Lock]


class LineTooLong(errors.Malformed):
    """A line may be as long as the body of a single complaint."""

    code = "line_too_long"


class Conversation(StreamingResponse):
    """A streamed answer to a request that is still being read.

    The framework's own also listens for the caller to hang up, and so would take what is to be read.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await self.stream_response(send)


@router.post(
    "/v1/complaints/import",
    summary="Record many contacts, one a line (REC-4, REC-9)",
    max_body_size=STREAM_BYTES_MAX,
    response_class=Conversation,
    openapi_extra={"requestBody": {"required": True, "content": {MEDIA_TYPE: _LINES}}},
    responses={200: {"content": {MEDIA_TYPE: _RESULTS}, "description": "A result for each line, in order"}},
)
async def import_complaints(request: Request, caller: Writer, desk: AtDesk) -> Response:
    """Lines are as bodies of `POST /v1/complaints`; a bad one never stops the rest, an empty one is skipped.

    Read the answer while you send: results come as lines are done, and unread ones hold up what you send.
    When the connection breaks, send all again: what has a source reference is not recorded twice.
    """
    body.require_media_type(request, MEDIA_TYPE)
    return Conversation(results(request, caller, desk), media_type=MEDIA_TYPE)


async def results(request: Request, caller: Caller, desk: Desk) -> AsyncIterator[bytes]:
    """One line for each line, in order; so many at once as IN_FLIGHT_MAX."""
    begun: asyncio.Queue[tuple[int, asyncio.Task[Answered]] | None] = asyncio.Queue(IN_FLIGHT_MAX)
    turns: Turns = WeakValueDictionary()

    async def read() -> None:
        try:
            async for number, line in lines(request.stream()):
                task = asyncio.create_task(_record(line, caller, desk, turns))
                await begun.put((number, task))
                if line is not None and len(line) > LONG_LINE_BYTES:
                    await asyncio.wait({task})  # one long line at a time: many together would not fit
        except ClientDisconnect:
            pass  # what was sent whole is recorded; nobody reads the answers
        finally:
            await begun.put(None)

    reading = asyncio.create_task(read())
    try:
        while (next_one := await begun.get()) is not None:
            number, task = next_one
            await asyncio.wait({task})
            yield await _result(request, number, task)
        await reading
    finally:
        reading.cancel()
        while not begun.empty():  # nobody is left to hear of these
            if abandoned := begun.get_nowait():
                abandoned[1].cancel()


async def lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes | None]]:
    """Line numbers from 1 and lines that are not empty; None for one that is too long."""
    number, left, too_long = 1, b"", False
    async for chunk in chunks:
        *whole, left = (left + chunk).split(b"\n")
        for line in whole:
            if too_long or len(line) > LINE_BYTES_MAX:
                yield number, None
            elif line.strip():
                yield number, line
            number, too_long = number + 1, False
        if len(left) > LINE_BYTES_MAX:
            left, too_long = b"", True
    if too_long:
        yield number, None
    elif left.strip():
        yield number, left


async def _record(line: bytes | None, caller: Caller, desk: Desk, turns: Turns) -> Answered:
    if line is None:
        raise LineTooLong(most_bytes=LINE_BYTES_MAX)
    content = body.parse(line)
    try:
        complaint = ComplaintBody.model_validate(content)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults, body=content) from None
    if complaint.source is None:
        return await desk.register(caller, complaint)
    turn = turns.setdefault((complaint.source.system, complaint.source.reference), asyncio.Lock())
    async with turn:
        return await desk.register(caller, complaint)


async def _result(request: Request, number: int, task: asyncio.Task[Answered]) -> bytes:
    failure = task.exception()
    if failure is None:
        answered = task.result()
        result: dict[str, Any] = {
            "line": number,
            "status": 200 if answered.replayed else 201,
            "complaint_id": answered.answer.complaint_id,
            "number": answered.answer.number,
        }
    else:
        told = await _problem(request, failure)
        result = {
            "line": number,
            "status": told.status_code,
            "problem": pydantic_core.from_json(bytes(told.body)),
        }
    return pydantic_core.to_json(result) + b"\n"


async def _problem(request: Request, failure: BaseException) -> Response:
    """The answer that a request of its own would have had."""
    handler = next(problem.HANDLERS[kind] for kind in type(failure).__mro__ if kind in problem.HANDLERS)
    answer: Response = await handler(request, failure)
    return answer
