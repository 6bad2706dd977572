"""Intake over HTTP: bodies become commands, and what became of them is answered."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from libs.service import auth, idempotency, wiring
from libs.service.auth import Caller
from libs.service.body import Router
from services.intake.models import ComplaintBody, RecordedAnswer
from services.intake.recording import Desk

router: Final = Router(tags=["intake"])

Reader = Annotated[Caller, auth.require("complaints:read")]
Writer = Annotated[Caller, auth.require("complaints:write")]


async def _desk(request: Request, resources: wiring.Wired) -> Desk:
    state = request.app.state
    if not hasattr(state, "desk"):
        state.desk = Desk(resources)
    desk: Desk = state.desk
    return desk


AtDesk = Annotated[Desk, Depends(_desk)]


@router.post(
    "/v1/complaints",
    status_code=201,
    summary="Record a contact (REC-1 to REC-5, REC-9)",
    responses={200: {"model": RecordedAnswer, "description": "Recorded before: the first answer again"}},
)
async def record_complaint(
    body: ComplaintBody, response: Response, caller: Writer, once: idempotency.Key, desk: AtDesk
) -> RecordedAnswer:
    """The same source reference, or the same idempotency key, gives the same complaint, never a second."""
    with once.claims(body) as claims:
        answered = await desk.register(caller, body, claims)
    answer = answered.answer
    response.headers["ETag"] = idempotency.etag(answer.version)
    response.headers["Location"] = f"/v1/complaints/{answer.complaint_id}"
    if answered.replayed:
        response.status_code = 200
        response.headers.update(idempotency.REPLAYED)
    return answer
