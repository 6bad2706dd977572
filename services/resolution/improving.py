"""Step 8 over HTTP: plan, extend, report, complete and verify measures, or say that none is needed (IMP)."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

import uuid_utils.compat as uuids
from fastapi import Query
from starlette.responses import Response

from libs.events.contracts.handling import Answerable, Step
from libs.policy import deadlines, incidents, people
from libs.policy.schema.deadlines import Errand
from libs.service import body, idempotency, paging
from libs.service.commands import Standing
from libs.service.fields import Reference
from services.resolution import complete, improve, measure, shown, spare, verify, views
from services.resolution.desk import AtDesk, Call, Called, Reader
from services.resolution.history import Complaint
from services.resolution.models import (
    CaseAnswer,
    ComplaintBody,
    ImprovementAnswer,
    ImprovementBody,
    ImprovementLine,
    ReasonBody,
    VerificationBody,
    WordsBody,
)
from services.resolution.views import MeasureStatus

router: Final = body.Router(tags=["improvements"])


@router.post("/v1/improvements", status_code=201, summary="Plan a measure (IMP-1, IMP-3)")
async def plan_improvement(body: ImprovementBody, call: Called) -> ImprovementAnswer:
    """Against a cause that was found, for one complaint or many."""
    complaints = [await call.complaint(each) for each in dict.fromkeys(body.complaint_ids)]
    due = call.due(Errand.MEASURE, complaints[0], Step.IMPROVE)
    command = improve.PlanImprovement(
        improvement_id=uuids.uuid7(),
        complaint_ids=tuple(each.complaint_id for each in complaints),
        cause_code=_cause(body, complaints),
        lesson=body.lesson,
        measure=body.measure,
        owner=call.member(body.owner, "/owner"),
        due_at=body.due_at or due.due_at,
        warn_at=min(due.warn_at, body.due_at or due.due_at),
        ground=call.policy.ground(call.policy.deadlines.of(Errand.MEASURE).clause),
        author=call.caller.subject,
        under=call.under,
        about=_complained_of(call, complaints),
        now=call.now,
    )
    first = complaints[0].complaint_id
    standing = await call.carry_out_measure(command.improvement_id, improve.decide, command, body, first)
    answered = _answer(standing)
    call.response.headers["Location"] = f"/v1/improvements/{answered.improvement_id}"
    return answered


def _complained_of(call: Call, complaints: list[Complaint]) -> frozenset[str]:
    """Everybody whom one of them is about."""
    named = (people.complained_of(call.policy, each.respondent) for each in complaints)
    return frozenset(filter(None, named))


def _cause(body: ImprovementBody, complaints: list[Complaint]) -> str | None:
    """As stated, else as found of the first; None while the cause of any of them is not known."""
    found = [each.finding.event.cause.code for each in complaints if each.finding]
    if len(found) < len(complaints):
        return None
    return body.cause_code or str(found[0])


@router.get("/v1/improvements", summary="Measures, newest first (IMP-1)")
async def list_improvements(
    caller: Reader,
    desk: AtDesk,
    window: paging.Asked,
    person: Annotated[Reference | None, Query(description="Who owns it.")] = None,
    status: MeasureStatus | None = None,
    cause_code: Annotated[Reference | None, Query(description="Against which cause.")] = None,
) -> paging.Page[ImprovementLine]:
    """A measure appears here a moment after it was planned."""
    after = window.after[0] if window.after else None
    async with desk.resources.engine.connect() as connection:
        rows = await views.improvements(
            connection, caller.org, person, status, cause_code, after, window.fetch
        )
    shown_rows, next_cursor = window.cut(rows, lambda row: [row["seq"]])
    lines = [ImprovementLine.model_validate(dict(row)) for row in shown_rows]
    return paging.Page(items=lines, next_cursor=next_cursor)


@router.get("/v1/improvements/{improvement_id}", summary="One measure")
async def read_improvement(
    improvement_id: UUID, response: Response, caller: Reader, desk: AtDesk
) -> ImprovementAnswer:
    """Read from the log itself, so it holds what was just answered; its ETag serves If-Match."""
    found, version = await desk.measure(caller.org, improvement_id)
    response.headers["ETag"] = idempotency.etag(version)
    return shown.improvement(found, version)


@router.post("/v1/improvements/{improvement_id}/complaints", summary="It answers one more (IMP-3)")
async def extend_improvement(improvement_id: UUID, body: ComplaintBody, call: Called) -> ImprovementAnswer:
    """Until it has proved effective; a complaint that joins later waits for that, too."""
    joining = await call.complaint(body.complaint_id)
    about = _complained_of(call, [joining])
    command = improve.ExtendImprovement(
        improvement_id=improvement_id,
        complaint_id=joining.complaint_id,
        author=call.caller.subject,
        under=call.under,
        about=about,
        below=frozenset().union(*(people.subordinates(call.policy, each) for each in about)),
        now=call.now,
    )
    return _answer(
        await call.carry_out_measure(improvement_id, improve.decide, command, body, joining.complaint_id)
    )


@router.post("/v1/improvements/{improvement_id}/progress", summary="Report progress (IMP-1)")
async def report_progress(improvement_id: UUID, body: WordsBody, call: Called) -> ImprovementAnswer:
    """What has been done so far."""
    found, _ = await call.desk.measure(call.caller.org, improvement_id)
    command = complete.ReportProgress(
        improvement_id=improvement_id, text=body.text, author=call.caller.subject, now=call.now
    )
    return await _carried_out(call, found, complete.decide, command, body)


@router.post("/v1/improvements/{improvement_id}/completion", summary="It is in place (IMP-1)")
async def complete_improvement(improvement_id: UUID, call: Called) -> ImprovementAnswer:
    """Its effect is observed from now on, and then checked by another person."""
    found, _ = await call.desk.measure(call.caller.org, improvement_id)
    complaints = await _answered_by(call, found)
    observed_until = incidents.observed_until(call.policy, call.now)
    due = deadlines.due(call.policy, Errand.VERIFICATION, complaints[0].severity, observed_until)
    command = complete.CompleteImprovement(
        improvement_id=improvement_id,
        author=call.caller.subject,
        observed_until=observed_until,
        verifier=_verifier(call, found, complaints),
        due_at=due.due_at,
        warn_at=due.warn_at,
        now=call.now,
    )
    return await _carried_out(call, found, complete.decide, command, b"")


async def _answered_by(call: Call, found: measure.Existing) -> list[Complaint]:
    """Every complaint that a measure answers, the one that it was planned for first."""
    return [await call.complaint(each) for each in found.plan.complaint_ids]


def _verifier(call: Call, found: measure.Existing, complaints: list[Complaint]) -> Answerable:
    """The head of the owner's unit, unless they had a hand in it, or a complaint is about them (ASG-4).

    Then whoever of leadership had none.
    """
    owner = found.plan.owner
    head = people.head_of(call.policy, owner.unit)
    candidates = (*((head,) if head else ()), *call.policy.leadership.members)
    about = people.complained_of(call.policy, complaints[0].respondent)
    barred = _complained_of(call, complaints) | {owner.person, call.caller.subject, *found.plan.done_by}
    return people.choose(call.policy, candidates, call.today, about, barred).answerable


@router.post("/v1/improvements/{improvement_id}/verification", summary="Was it effective? (IMP-1)")
async def verify_improvement(improvement_id: UUID, body: VerificationBody, call: Called) -> ImprovementAnswer:
    """By another person than its owner and who did it; effective only once it was observed long enough."""
    found, _ = await call.desk.measure(call.caller.org, improvement_id)
    complaints = await _answered_by(call, found)
    due = call.due(Errand.MEASURE, complaints[0], Step.IMPROVE)
    command = verify.VerifyImprovement(
        improvement_id=improvement_id,
        effective=body.effective,
        text=body.text,
        author=call.caller.subject,
        under=call.under,
        about=_complained_of(call, complaints),
        due_at=due.due_at,
        warn_at=due.warn_at,
        ground=call.policy.ground(call.policy.thresholds.observation.clause),
        now=call.now,
    )
    return await _carried_out(call, found, verify.decide, command, body)


@router.post("/v1/complaints/{complaint_id}/improvement-waiver", summary="No measure is needed (IMP-1)")
async def spare_improvement(complaint_id: UUID, body: ReasonBody, call: Called) -> CaseAnswer:
    """A decision with its reason, once the cause is known."""
    complaint = await call.complaint(complaint_id)
    command = spare.SpareImprovement(
        complaint_id=complaint_id,
        found=complaint.finding is not None,
        reason=body.reason,
        author=call.caller.subject,
        under=call.under,
        about=people.complained_of(call.policy, complaint.respondent),
        ground=call.policy.ground(),
        now=call.now,
    )
    standing = await call.carry_out(complaint, spare.decide, command, body)
    return shown.case(complaint_id, standing.state, standing.version)


async def _carried_out(
    call: Call, found: measure.Existing, decide: Any, command: Any, said: Any
) -> ImprovementAnswer:
    plan = found.plan
    return _answer(
        await call.carry_out_measure(plan.improvement_id, decide, command, said, plan.complaint_ids[0])
    )


def _answer(standing: Standing[measure.Improvement]) -> ImprovementAnswer:
    assert not isinstance(standing.state, measure.NotPlanned), "the step has refused what is not there"
    return shown.improvement(standing.state, standing.version)
