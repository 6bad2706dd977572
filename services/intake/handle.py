"""Steps 2 and 3 over HTTP: a person's judgement, contest, assignment, escalation; incidents and deadlines."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from libs.events.contracts.handling import Answerable
from libs.service import body, paging
from libs.service.commands import Standing
from services.intake import (
    classify,
    contest,
    escalate,
    explain,
    forms,
    plan,
    reassign,
    state,
    views,
)
from services.intake.desk import AtDesk, Called, Reader
from services.intake.forms import (
    AssignmentBody,
    ClassificationBody,
    ContestBody,
    DeadlinesAnswer,
    EscalationBody,
    HandledAnswer,
    IncidentLine,
)

router: Final = body.Router(tags=["handling"])


@router.post("/v1/complaints/{complaint_id}/classification", summary="Judge it (CLS-1 to CLS-6)")
async def classify_complaint(complaint_id: UUID, body: ClassificationBody, call: Called) -> HandledAnswer:
    """A person's judgement wins over a rule's, which stays on record; no rule judges after it."""
    said = plan.Said(
        person=call.caller.subject,
        kind=body.kind,
        nature=body.nature,
        severity=body.severity,
        founded=body.founded.judged() if body.founded else None,
        demand_reasonable=body.demand_reasonable.judged() if body.demand_reasonable else None,
    )
    decide = plan.planned(partial(plan.judged_by_person, said), classify.decide)
    return _answer(await call.carry_out(complaint_id, decide, await call.moment(complaint_id), body))


@router.post("/v1/complaints/{complaint_id}/contest", summary="The customer contests it (CLS-5)")
async def contest_classification(complaint_id: UUID, body: ContestBody, call: Called) -> HandledAnswer:
    """Once, with new facts, when it was judged unfounded; another judge takes it up."""
    decide = plan.planned(partial(plan.contested, body.new_facts, call.caller.subject), contest.decide)
    return _answer(await call.carry_out(complaint_id, decide, await call.moment(complaint_id), body))


@router.post("/v1/complaints/{complaint_id}/assignment", summary="Name who answers (ASG-2, ASG-4, ASG-5)")
async def assign_complaint(complaint_id: UUID, body: AssignmentBody, call: Called) -> HandledAnswer:
    """No deadline moves by it; passed around too often, it goes to leadership by itself."""
    to = Answerable(unit=body.unit, person=body.person)
    planned = partial(plan.reassigned, to, body.reason, call.caller.subject)
    return _answer(
        await call.carry_out(
            complaint_id, plan.planned(planned, reassign.decide), await call.moment(complaint_id), body
        )
    )


@router.post("/v1/complaints/{complaint_id}/escalation", summary="Put it before leadership (ASG-6)")
async def escalate_complaint(complaint_id: UUID, body: EscalationBody, call: Called) -> HandledAnswer:
    """With what was tried; it goes one level up the policy's ladder."""
    decide = plan.planned(partial(plan.escalated, body.tried, call.caller.subject), escalate.decide)
    return _answer(await call.carry_out(complaint_id, decide, await call.moment(complaint_id), body))


@router.get("/v1/complaints/{complaint_id}/deadlines", summary="Deadlines, day by day (ASG-7, SLA-2)")
async def read_deadlines(complaint_id: UUID, caller: Reader, desk: AtDesk) -> DeadlinesAnswer:
    """What is due when, by which clause, and how that was computed."""
    await desk.history(caller.org, complaint_id)  # NotFound
    complaint = await desk.complaint(caller.org, complaint_id)
    assert not isinstance(complaint, state.NotRecorded), "it has a history"
    return await explain.deadlines_of(
        desk.resources.policies, caller.org, complaint.record, desk.resources.now()
    )


@router.get("/v1/incidents", summary="Batch incidents, newest first (CLS-7)")
async def list_incidents(caller: Reader, desk: AtDesk, window: paging.Asked) -> paging.Page[IncidentLine]:
    """An incident appears here a moment after it was raised."""
    before = window.after[0] if window.after else None
    async with desk.resources.reading.connect() as connection:
        rows = await views.incidents(connection, caller.org, before, window.fetch)
    shown, next_cursor = window.cut(rows, _place)
    return paging.Page(
        items=[IncidentLine.model_validate(dict(row)) for row in shown], next_cursor=next_cursor
    )


def _place(row: RowMapping) -> list[int]:
    return [row["seq"]]


def _answer(standing: Standing[state.Complaint]) -> HandledAnswer:
    complaint = standing.state
    assert not isinstance(complaint, state.NotRecorded), "the step has refused to change what is not there"
    return forms.handled(complaint.record, state.status(complaint), standing.version)
