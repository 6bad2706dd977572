"""Investigations over HTTP: bodies become commands, and where the investigation then stands is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import uuid_utils.compat as uuids
from fastapi import Path, Query

from libs.events.contracts import investigate as events
from libs.events.contracts.handling import Answerable
from libs.events.contracts.notify import NoticeKind
from libs.events.contracts.reckoning import Reckoning
from libs.policy import deadlines, notices, people
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from libs.service import body, failures, paging
from libs.service.fields import Instant, Reference
from services.investigation import evidence, finding, state, supplier, views, visit
from services.investigation.conclusion import Conclusion
from services.investigation.desk import AtDesk, Call, Called, Case, Reader
from services.investigation.models import (
    ContributionBody,
    EvidenceAnswer,
    EvidenceBody,
    FieldVisitBody,
    FindingBody,
    InvestigationAnswer,
    SupplierNoticeBody,
    VisitReportBody,
    WorkLine,
)

router: Final = body.Router(tags=["investigations"])
Number = Annotated[int, Path(ge=1, le=1_000_000, description="As counted within the investigation, from 1.")]


@router.get("/v1/investigations", summary="What is to be investigated, due first (INV-2)")
async def list_investigations(
    caller: Reader,
    desk: AtDesk,
    window: paging.Asked,
    person: Annotated[Reference | None, Query(description="Who answers for it.")] = None,
    due_before: Annotated[Instant | None, Query(description="Due before this time.")] = None,
    owed_by: Annotated[Reference | None, Query(description="A unit that owes a contribution.")] = None,
) -> paging.Page[WorkLine]:
    """The work list: what has no finding yet. A complaint in a batch incident is in the incident's line."""
    async with desk.resources.engine.connect() as connection:
        rows = await views.work(
            connection, caller.org, person, due_before, owed_by, window.after_time_and_id, window.fetch
        )
    shown, next_cursor = window.cut(rows, paging.position_by("due_at", "investigation_id"))
    lines = [WorkLine.model_validate({**row, "contributions_owed": row["owed_by"]}) for row in shown]
    return paging.Page(items=lines, next_cursor=next_cursor)


@router.post("/v1/complaints/{complaint_id}/evidence", summary="Add evidence (INV-1, INV-8)")
async def add_evidence(complaint_id: UUID, body: EvidenceBody, call: Called) -> EvidenceAnswer:
    """A finding rests on it. Of a complaint in a batch incident it counts for the whole incident."""
    case = await call.case(complaint_id)
    command = evidence.AddEvidence(
        complaint_id=case.complaint_id,
        data_subject=case.data_subject,
        evidence_id=uuids.uuid7(),
        text=body.text,
        attachment_id=body.attachment_id,
        attached=case.complaint is not None and body.attachment_id in case.complaint.attachments,
        design_defect=body.design_defect,
        told=_told(case, call.policy, call.now),
        author=call.caller.subject,
        now=call.now,
    )
    standing = await call.carry_out(case, evidence.decide, command, body)
    answer = _answer(standing.state, standing.version)
    return EvidenceAnswer(**answer.model_dump(), evidence_id=answer.evidence_ids[-1])


@router.post("/v1/complaints/{complaint_id}/contributions", summary="Supply what a unit owes (INV-2)")
async def give_contribution(complaint_id: UUID, body: ContributionBody, call: Called) -> InvestigationAnswer:
    """What was asked of the unit is settled by it; a unit may say more than once, and unasked."""
    case = await call.case(complaint_id)
    command = evidence.GiveContribution(
        complaint_id=case.complaint_id,
        data_subject=case.data_subject,
        unit=body.unit,
        known=body.unit in call.policy.units,
        text=body.text,
        author=call.caller.subject,
        now=call.now,
    )
    standing = await call.carry_out(case, evidence.decide, command, body)
    return _answer(standing.state, standing.version)


@router.post("/v1/complaints/{complaint_id}/field-visits", summary="Agree a visit with the customer (INV-3)")
async def agree_field_visit(complaint_id: UUID, body: FieldVisitBody, call: Called) -> InvestigationAnswer:
    """Until the visit is reported, agreeing another time replaces the one before."""
    case = await call.case(complaint_id)
    command = visit.AgreeFieldVisit(
        complaint_id=case.complaint_id,
        person=body.person,
        known=body.person in call.policy.people,
        under=frozenset(people.superiors(call.policy, body.person)),
        agreed_for=body.agreed_for,
        author=call.caller.subject,
        author_under=call.under,
        now=call.now,
    )
    standing = await call.carry_out(case, visit.decide, command, body)
    return _answer(standing.state, standing.version)


@router.post("/v1/complaints/{complaint_id}/field-visits/{number}/report", summary="Report a visit (INV-3)")
async def report_field_visit(
    complaint_id: UUID, number: Number, body: VisitReportBody, call: Called
) -> InvestigationAnswer:
    """Solved on the spot, or the fault recorded; a unit is taken back against a signed hand-over."""
    if body.arrived_at > call.now:
        raise failures.malformed("/arrived_at", "in_the_future", "This time has not come yet")
    case = await call.case(complaint_id)
    command = visit.ReportFieldVisit(
        complaint_id=case.complaint_id,
        data_subject=case.data_subject,
        visit=number,
        **dict(body),
        author=call.caller.subject,
        under=call.under,
        now=call.now,
    )
    standing = await call.carry_out(case, visit.decide, command, body)
    return _answer(standing.state, standing.version)


@router.post("/v1/complaints/{complaint_id}/supplier-notices", summary="Notify a supplier (INV-5)")
async def notify_supplier(complaint_id: UUID, body: SupplierNoticeBody, call: Called) -> InvestigationAnswer:
    """It is tracked until the supplier has solved it; when it is overdue, that is escalated."""
    case = await call.case(complaint_id)
    due_at, reckoned = (body.due_at, None) if body.due_at else _supplier_due(case, call)
    said = dict(body) | {"cost": body.cost.value(), "due_at": due_at, "reckoned": reckoned}
    command = supplier.NotifySupplier(
        complaint_id=case.complaint_id,
        data_subject=case.data_subject,
        author=call.caller.subject,
        under=call.under,
        now=call.now,
        **said,
    )
    standing = await call.carry_out(case, supplier.decide, command, body)
    return _answer(standing.state, standing.version)


@router.post(
    "/v1/complaints/{complaint_id}/supplier-notices/{number}/solution",
    summary="The supplier has solved it (INV-5)",
)
async def settle_notice(complaint_id: UUID, number: Number, call: Called) -> InvestigationAnswer:
    """Nothing more is owed by this notice."""
    case = await call.case(complaint_id)
    command = supplier.SettleNotice(
        complaint_id=case.complaint_id,
        notice=number,
        author=call.caller.subject,
        under=call.under,
        now=call.now,
    )
    standing = await call.carry_out(case, supplier.decide, command, b"")
    return _answer(standing.state, standing.version)


@router.post(
    "/v1/complaints/{complaint_id}/findings", summary="Record what was found (INV-1, INV-4, INV-6 to INV-8)"
)
async def record_finding(complaint_id: UUID, body: FindingBody, call: Called) -> InvestigationAnswer:
    """Step 4 is done with it. Of a batch incident it is the finding of every complaint in it (CLS-7)."""
    case = await call.case(complaint_id)
    repair_before = None
    if not isinstance(case.investigation, state.NotOpened):
        repair_before = await call.desk.repair_before(
            call.caller.org, case.investigation.file, body.cause.code
        )
    command = finding.RecordFinding(
        data_subject=case.finding_subject,
        conclusion=_conclusion(body, call.policy),
        told=_told(case, call.policy, call.now),
        repair_before=repair_before,
        author=call.caller.subject,
        under=call.under,
        now=call.now,
    )
    standing = await call.carry_out(case, finding.decide, command, body)
    return _answer(standing.state, standing.version)


def _conclusion(body: FindingBody, policy: Pack) -> Conclusion:
    responsible = tuple(events.ResponsibleParty(**dict(party)) for party in body.responsible)
    return Conclusion(
        cause=events.Cause(code=body.cause.code, text=body.cause.text),
        responsible=responsible,
        strangers=tuple(party.person for party in responsible if not _known(party, policy)),
        company_is_cause=body.company_is_cause,
        appraisal=body.appraisal,
        appraisal_basis=body.appraisal_basis,
        possible_causes=body.possible_causes,
        evidence_ids=body.evidence_ids,
        loss=body.loss_value(),
        design_defect=body.design_defect,
    )


def _known(party: events.ResponsibleParty, policy: Pack) -> bool:
    person = policy.people.get(party.person)
    return person is not None and person.unit == party.unit


def _told(case: Case, policy: Pack, now: datetime) -> tuple[Answerable, ...]:
    """Technology and leadership, without whom the complaint is about (INV-8)."""
    about = None if isinstance(case.investigation, state.NotOpened) else case.investigation.file.about
    return notices.told(policy, NoticeKind.DESIGN_DEFECT, policy.day_of(now), about)


def _supplier_due(case: Case, call: Call) -> tuple[datetime, Reckoning | None]:
    """By when the policy has it, and what that counts from."""
    if isinstance(case.investigation, state.NotOpened):
        return call.now, None  # the step refuses it
    severity = case.investigation.file.severity
    due = deadlines.due(call.policy, Errand.SUPPLIER, severity, call.now)
    return due.due_at, Reckoning(since=call.now, severity=severity)


def _answer(investigation: state.Investigation, version: int) -> InvestigationAnswer:
    assert not isinstance(investigation, state.NotOpened), "the step has refused to work on what is not there"
    file = investigation.file
    return InvestigationAnswer(
        investigation_id=file.investigation_id,
        complaint_id=file.complaint_id,
        incident_id=file.incident_id,
        status=views.status(investigation),
        version=version,
        round=file.round,
        unit=file.answerable.unit,
        person=file.answerable.person,
        due_at=file.term.due_at,
        contributions_owed=tuple(duty.unit for duty in file.owed),
        evidence_ids=file.evidence,
        field_visit=file.agreed.visit if file.agreed else None,
        supplier_notices=tuple(each.notified.notice for each in file.notices if not each.solved),
    )
