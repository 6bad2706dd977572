"""Step 5 over HTTP: propose, approve, answer, settle, carry out; and the work list of cases (PRO)."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Query
from starlette.responses import Response

from libs.events.contracts import propose as events
from libs.events.contracts.handling import Step, StepDue
from libs.events.contracts.propose import Answer
from libs.policy import approvals, deadlines, people
from libs.policy.calendar import Span
from libs.policy.schema.deadlines import Errand
from libs.service import body, idempotency, paging
from libs.service.commands import Standing
from libs.service.fields import Instant, Reference
from services.resolution import answer, approve, execute, propose, shown, state, views
from services.resolution.desk import AtDesk, Call, Called, Reader
from services.resolution.history import Complaint
from services.resolution.models import (
    AnswerBody,
    ApprovalBody,
    CaseAnswer,
    CaseLine,
    ExecutionBody,
    ProposalBody,
    ReasonBody,
)
from services.resolution.solution import NothingProposed, Offered

router: Final = body.Router(tags=["solutions"])
Number = Annotated[int, Path(ge=1, le=1_000_000, description="As counted within the complaint, from 1.")]


@router.get("/v1/cases", summary="What is open of step 5, due first")
async def list_cases(
    caller: Reader,
    desk: AtDesk,
    window: paging.Asked,
    person: Annotated[Reference | None, Query(description="Who answers for it.")] = None,
    due_before: Annotated[Instant | None, Query(description="Due before this time.")] = None,
) -> paging.Page[CaseLine]:
    """The work list: complaints that were assigned and are not closed."""
    async with desk.resources.engine.connect() as connection:
        rows = await views.open_cases(
            connection, caller.org, person, due_before, window.after_time_and_id, window.fetch
        )
    shown_rows, next_cursor = window.cut(rows, paging.position_by("due_at", "complaint_id"))
    return paging.Page(
        items=[CaseLine.model_validate(dict(row)) for row in shown_rows], next_cursor=next_cursor
    )


@router.get("/v1/complaints/{complaint_id}/case", summary="How steps 5, 7 and 8 of a complaint stand")
async def read_case(complaint_id: UUID, response: Response, caller: Reader, desk: AtDesk) -> CaseAnswer:
    """Read from the log itself, so it holds what was just answered; its ETag serves If-Match."""
    complaint = await desk.complaint(caller.org, complaint_id)
    if complaint.version:
        response.headers["ETag"] = idempotency.etag(complaint.version)
    return shown.case(complaint_id, complaint.case, complaint.version)


@router.post(
    "/v1/complaints/{complaint_id}/proposals", status_code=201, summary="Propose a solution (PRO-1 to PRO-3)"
)
async def propose_solution(complaint_id: UUID, body: ProposalBody, call: Called) -> CaseAnswer:
    """Where no approval is needed, it is offered to the customer at once (PRO-7)."""
    complaint = await call.complaint(complaint_id)
    command = propose.ProposeSolution(
        complaint_id=complaint_id,
        data_subject=complaint.data_subject,
        remedies=tuple(
            events.Remedy(kind=each.kind, text=each.text, money=each.money.value() if each.money else None)
            for each in body.remedies
        ),
        cost_bearer=body.cost_bearer,
        quote=body.quote.value() if body.quote else None,
        product=complaint.product,
        fault_on=call.policy.day_of(complaint.occurred_at or complaint.received_at),
        language=complaint.language,
        about=people.complained_of(call.policy, complaint.respondent),
        severity=complaint.severity,
        proposer=call.caller.subject,
        under=call.under,
        policy=call.policy,
        approvals_due=call.due(Errand.APPROVAL, complaint, Step.PROPOSE),
        today=call.today,
        now=call.now,
    )
    return _answer(complaint_id, await call.carry_out(complaint, propose.decide, command, body))


@router.post("/v1/complaints/{complaint_id}/proposals/{n}/approvals", summary="Approve or reject it (PRO-3)")
async def decide_approval(complaint_id: UUID, n: Number, body: ApprovalBody, call: Called) -> CaseAnswer:
    """For every office that the caller holds. Nobody approves their own proposal."""
    complaint = await call.complaint(complaint_id)
    command = approve.DecideApproval(
        complaint_id=complaint_id,
        data_subject=complaint.data_subject,
        proposal=n,
        approver=call.caller.subject,
        approved=body.approved,
        reason=body.reason or "",
        about=people.complained_of(call.policy, complaint.respondent),
        due=_proposed_anew(call, complaint),
        policy=call.policy,
        now=call.now,
    )
    return _answer(complaint_id, await call.carry_out(complaint, approve.decide, command, body))


@router.post("/v1/complaints/{complaint_id}/proposals/{n}/answers", summary="What the customer said (PRO-4)")
async def answer_proposal(complaint_id: UUID, n: Number, body: AnswerBody, call: Called) -> CaseAnswer:
    """Declined or countered, another proposal is owed, or the dispute is settled."""
    complaint = await call.complaint(complaint_id)
    accepted = body.answer is Answer.ACCEPTED
    command = answer.AnswerProposal(
        complaint_id=complaint_id,
        data_subject=complaint.data_subject,
        proposal=n,
        answer=body.answer,
        text=body.text,
        author=call.caller.subject,
        under=call.under,
        about=people.complained_of(call.policy, complaint.respondent),
        due=call.due(Errand.EXECUTION, complaint, Step.PROPOSE)
        if accepted
        else _proposed_anew(call, complaint),
        now=call.now,
    )
    return _answer(complaint_id, await call.carry_out(complaint, answer.decide, command, body))


def _proposed_anew(call: Call, complaint: Complaint) -> StepDue:
    """When another proposal is due: the time that the customer took does not count (SLA-9).

    Where that has passed, as long again from now on: nobody gets a time that is over.
    """
    case = complaint.case
    since = case.since or call.now
    waits = case.waits
    if isinstance(case.solution, Offered):
        waits = (*waits, Span(case.solution.since, call.now))
    found = deadlines.due(call.policy, Step.PROPOSE, complaint.severity, since, waits)
    if found.due_at <= call.now:
        return call.due(Step.PROPOSE, complaint, Step.PROPOSE)
    return StepDue(step=Step.PROPOSE, due_at=found.due_at, warn_at=found.warn_at)


@router.post("/v1/complaints/{complaint_id}/proposals/{n}/settlement", summary="Settle a dispute (PRO-4)")
async def settle_dispute(complaint_id: UUID, n: Number, body: ReasonBody, call: Called) -> CaseAnswer:
    """By the person the policy designates, under the contract; the proposal then holds."""
    complaint = await call.complaint(complaint_id)
    about = people.complained_of(call.policy, complaint.respondent)
    solution = complaint.case.solution
    proposer = None if isinstance(solution, NothingProposed) else solution.proposal.proposer
    excluded = frozenset({proposer} if proposer else ())
    command = answer.SettleDispute(
        complaint_id=complaint_id,
        data_subject=complaint.data_subject,
        proposal=n,
        author=call.caller.subject,
        adjudicator=approvals.settles_dispute(call.policy, call.today, excluded, about),
        reason=body.reason,
        ground=call.policy.ground(),
        due=call.due(Errand.EXECUTION, complaint, Step.PROPOSE),
        now=call.now,
    )
    return _answer(complaint_id, await call.carry_out(complaint, answer.decide, command, body))


@router.post("/v1/complaints/{complaint_id}/proposals/{n}/execution", summary="How far it has come (PRO-5)")
async def advance_execution(complaint_id: UUID, n: Number, body: ExecutionBody, call: Called) -> CaseAnswer:
    """Stage by stage: started, done; work on goods is also tested, certified and signed for."""
    complaint = await call.complaint(complaint_id)
    command = execute.AdvanceExecution(
        complaint_id=complaint_id,
        data_subject=complaint.data_subject,
        proposal=n,
        stage=body.stage,
        note=body.note,
        author=call.caller.subject,
        under=call.under,
        about=people.complained_of(call.policy, complaint.respondent),
        now=call.now,
    )
    return _answer(complaint_id, await call.carry_out(complaint, execute.decide, command, body))


def _answer(complaint_id: UUID, standing: Standing[state.Case]) -> CaseAnswer:
    return shown.case(complaint_id, standing.state, standing.version)
