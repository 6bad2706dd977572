"""Complaints over HTTP: bodies become commands, and where the complaint then stands is answered."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import Response

from libs.events import errors
from libs.events.contracts.handling import Kind, Severity
from libs.service import body, failures, idempotency, paging
from libs.service.commands import Standing
from libs.service.fields import Instant, Reference, Words
from services.intake import amend, convert, dossier, history, merge, models, plan, state, views, withdraw
from services.intake.desk import AtDesk, Called, Reader, Writer, required_details
from services.intake.models import (
    AmendmentBody,
    ChangedAnswer,
    ComplaintBody,
    MergeBody,
    Reasoned,
    RecordedAnswer,
    RegisterLine,
    SeparateBody,
)

router: Final = body.Router(tags=["complaints"])


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
    response.headers["Location"] = f"/v1/complaints/{answer.complaint_id}"
    _head(response, answer.version, answered.replayed)
    if answered.replayed:
        response.status_code = 200
    return answer


@router.get(
    "/v1/complaints/{complaint_id}", summary="One complaint, with all that became of it (REC-1, REC-6)"
)
async def read_complaint(
    complaint_id: UUID, response: Response, caller: Reader, desk: AtDesk
) -> dossier.Dossier:
    """Read from the log itself, so it holds what was just answered. Personal texts need personal:read.

    `merged_here` names the complaints it carries on for, a moment after they were merged.
    """
    past = await desk.history(caller.org, complaint_id)
    found = dossier.build(
        past,
        personal="personal:read" in caller.scopes,
        merged_here=await desk.neighbours.merged_into(caller.org, complaint_id),
        closed=await history.is_closed(desk.resources.store, caller.org, complaint_id),
    )
    response.headers["ETag"] = idempotency.etag(found.version)
    return found


async def _filters(
    request: Request,
    status: state.Status | None = None,
    kind: Annotated[Kind | None, Query(description="As judged (CLS-1).")] = None,
    severity: Annotated[Severity | None, Query(description="As judged; major in an incident.")] = None,
    unit: Annotated[Reference | None, Query(description="Which unit answers (ASG-2).")] = None,
    customer_id: Annotated[Reference | None, Query(description="The customer's complaints (REC-8).")] = None,
    q: Annotated[Words | None, Query(description="Words said, or a number; all of them are needed.")] = None,
    recorded_from: Annotated[Instant | None, Query(description="At or after this time.")] = None,
    recorded_to: Annotated[Instant | None, Query(description="Before this time.")] = None,
) -> views.Filters:
    known = {field.name for field in fields(views.Filters)} | {"limit", "cursor"}
    if unknown := sorted(request.query_params.keys() - known):
        faults = [
            failures.fault(f"/{name[:100]}", "extra_forbidden", "There is no such filter", "query")
            for name in unknown
        ]
        raise errors.Malformed("There is no such filter.", errors=faults)
    return views.Filters(
        status=status,
        kind=kind,
        severity=severity,
        unit=unit,
        customer_id=customer_id,
        q=q,
        recorded_from=recorded_from,
        recorded_to=recorded_to,
    )


@router.get("/v1/complaints", summary="The register, newest first (REC-8)")
async def list_complaints(
    caller: Reader,
    desk: AtDesk,
    filters: Annotated[views.Filters, Depends(_filters)],
    window: paging.Asked,
) -> paging.Page[RegisterLine]:
    """A complaint appears here a moment after it was recorded. To search (`q`) needs personal:read."""
    if filters.q is not None and "personal:read" not in caller.scopes:
        raise failures.InsufficientScope(scope="complaints:read personal:read")
    tokens = desk.index.of(caller.org, [filters.q])
    if filters.q is not None and not tokens:
        raise failures.malformed("/q", "too_vague", "Give a word, or two Chinese characters", "query")
    before = window.after[0] if window.after else None
    async with desk.resources.reading.connect() as connection:
        rows = await views.listed(connection, caller.org, filters, tokens, before, window.fetch)
    shown, next_cursor = window.cut(rows, _place)
    return paging.Page(
        items=[RegisterLine.model_validate(dict(row)) for row in shown], next_cursor=next_cursor
    )


def _place(row: RowMapping) -> list[int]:
    return [row["seq"]]


@router.post("/v1/complaints/{complaint_id}/amendments", summary="Correct or supplement (REC-2, REC-6)")
async def amend_complaint(complaint_id: UUID, body: AmendmentBody, call: Called) -> ChangedAnswer:
    """Both versions stay visible, with author and reason. Nothing changes what stands like that already."""
    call.desk.has_come(body.occurred_at, call.now)
    command = amend.AmendComplaint(
        complaint_id=complaint_id,
        author=call.caller.subject,
        reason=body.reason,
        occurred_at=body.occurred_at,
        complainant=models.complainant_change(body.complainant),
        respondent=models.respondent(body.respondent) if body.respondent else None,
        product=models.product(body.product),
        narrative=body.narrative,
        supplement=body.supplement,
        demand=models.demand(body.demand) if body.demand else None,
        unavailable_details=body.unavailable_details,
        required_details=required_details(call.policy),
        now=call.now,
    )
    return _changed(await call.carry_out(complaint_id, amend.decide, command, body))


@router.post("/v1/complaints/{complaint_id}/conversion", summary="An enquiry becomes a complaint (REC-4)")
async def convert_enquiry(complaint_id: UUID, body: Reasoned, call: Called) -> ChangedAnswer:
    """Its first record stays, and so does the time by which it was to be answered."""
    now, policy = call.now, call.policy
    command = convert.ConvertEnquiry(
        complaint_id=complaint_id,
        author=call.caller.subject,
        reason=body.reason,
        required_details=required_details(policy),
        first_reply_due_at=now + policy.first_reply.within,
        policy=policy.reference,
        now=now,
    )
    return _changed(await call.carry_out(complaint_id, convert.decide, command, body))


@router.post("/v1/complaints/{complaint_id}/withdrawal", summary="The complainant takes it back")
async def withdraw_complaint(complaint_id: UUID, body: Reasoned, call: Called) -> ChangedAnswer:
    """What was withdrawn stays on record."""
    decide = plan.planned(partial(plan.withdrawn, call.caller.subject, body.reason), withdraw.decide)
    return _changed(await call.carry_out(complaint_id, decide, await call.moment(complaint_id), body))


@router.post("/v1/complaints/{complaint_id}/merge", summary="It is the same as an earlier one (REC-9)")
async def merge_complaint(complaint_id: UUID, body: MergeBody, call: Called) -> ChangedAnswer:
    """The earlier one carries on for both. `separate` undoes it."""
    into = await call.desk.complaint(call.caller.org, body.into)
    decide = plan.planned(partial(plan.merged, into, call.caller.subject, body.reason), merge.decide)
    return _changed(await call.carry_out(complaint_id, decide, await call.moment(complaint_id), body))


@router.post("/v1/complaints/{complaint_id}/separate", summary="It is not the same as another one (REC-9)")
async def separate_complaint(complaint_id: UUID, body: SeparateBody, call: Called) -> ChangedAnswer:
    """Undoes a merge, or says that a suspected duplicate is none; nothing suspects it again."""
    command = merge.SeparateComplaint(
        complaint_id=complaint_id,
        separated_from=body.separate_from,
        author=call.caller.subject,
        reason=body.reason,
        now=call.now,
    )
    return _changed(await call.carry_out(complaint_id, merge.decide, command, body))


def _changed(standing: Standing[state.Complaint]) -> ChangedAnswer:
    complaint = standing.state
    assert not isinstance(complaint, state.NotRecorded), "the step has refused to change what is not there"
    return ChangedAnswer(
        complaint_id=complaint.record.complaint_id,
        status=state.status(complaint),
        version=standing.version,
        missing_details=complaint.record.missing_details,
    )


def _head(response: Response, version: int, replayed: bool) -> None:
    response.headers["ETag"] = idempotency.etag(version)
    if replayed:
        response.headers.update(idempotency.REPLAYED)
