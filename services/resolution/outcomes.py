"""The end over HTTP: the eight steps of a complaint, and reopening one that was not over."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from starlette.responses import Response

from libs.events.contracts.propose import Outcome
from libs.policy import deadlines, people
from libs.service import body, idempotency
from services.resolution import close, outcome, shown
from services.resolution.desk import AtDesk, Called, Reader
from services.resolution.models import CaseAnswer, OutcomeAnswer, ReasonBody

router: Final = body.Router(tags=["outcome"])


@router.get("/v1/complaints/{complaint_id}/outcome", summary="The eight steps, and what is missing of them")
async def read_outcome(complaint_id: UUID, response: Response, caller: Reader, desk: AtDesk) -> OutcomeAnswer:
    """By everything that is on record of the complaint, whichever service recorded it."""
    resources = desk.resources
    complaint = await desk.complaint(caller.org, complaint_id)
    now = resources.now()
    policy = await resources.policies.in_force(caller.org, now)
    if complaint.version:
        response.headers["ETag"] = idempotency.etag(complaint.version)
    return shown.outcome(outcome.of(complaint, policy), outcome.spent(complaint, policy, now))


@router.post("/v1/complaints/{complaint_id}/reopening", summary="A resolved complaint is not over")
async def reopen_complaint(complaint_id: UUID, body: ReasonBody, call: Called) -> CaseAnswer:
    """Its remedy did not hold: it is investigated again, and its later steps have new due times."""
    complaint = await call.complaint(complaint_id)
    command = close.ReopenComplaint(
        complaint_id=complaint_id,
        data_subject=complaint.data_subject,
        after=Outcome.RESOLVED,
        reason=body.reason,
        author=call.caller.subject,
        under=call.under,
        about=people.complained_of(call.policy, complaint.respondent),
        due=deadlines.all_due(call.policy, complaint.severity, call.now),
        now=call.now,
    )
    standing = await call.carry_out(complaint, close.decide, command, body)
    return shown.case(complaint_id, standing.state, standing.version)
