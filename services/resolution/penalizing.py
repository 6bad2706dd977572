"""Step 7 over HTTP: sanctions, waivers, no fault, statements, appeals, rewards, and the ledger (PEN)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Path, Query
from pydantic import StringConstraints
from sqlalchemy import RowMapping

from libs.events.contracts.handling import Step
from libs.events.contracts.penalize import SanctionImposed
from libs.events.contracts.values import Money
from libs.policy import people, sanctions
from libs.policy.schema.deadlines import Errand
from libs.service import body, failures, paging
from libs.service.commands import Standing
from libs.service.fields import Reference
from services.resolution import appeal, judge, penalize, reward, shown, state, views, waive
from services.resolution.binding import Rules
from services.resolution.deduct import Wage
from services.resolution.desk import AtDesk, Call, Called, Reader
from services.resolution.history import Complaint
from services.resolution.models import (
    AppealDecisionBody,
    CaseAnswer,
    DecisionBody,
    LedgerLine,
    RewardBody,
    SanctionBody,
    WordsBody,
)

router: Final = body.Router(tags=["responsibility"])
MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
Number = Annotated[int, Path(ge=1, le=1_000_000, description="As counted within the complaint, from 1.")]
Month = Annotated[str, StringConstraints(pattern=rf"^{MONTH.pattern}$")]


@router.post(
    "/v1/complaints/{complaint_id}/sanctions", status_code=201, summary="Impose a sanction (PEN-2, PEN-3)"
)
async def impose_sanction(complaint_id: UUID, body: SanctionBody, call: Called) -> CaseAnswer:
    """By the schedule of the day of the act, if the person had acknowledged it; wages keep to the law."""
    complaint = await call.complaint(complaint_id)
    command = penalize.ImposeSanction(
        **_deciding(call, complaint, body),
        clause=body.clause,
        rules=await _rules(call, complaint, body),
        wage=await _wage(call, body.person, body.month_wage),
        goods_value=body.goods_value,
    )
    return _answer(complaint_id, await call.carry_out(complaint, penalize.decide, command, body))


async def _rules(call: Call, complaint: Complaint, body: SanctionBody) -> Rules:
    """The policy of the day of the act, as the responsibility has it where the caller does not say."""
    mine = [
        each for each in complaint.case.raised if (each.person, each.charge) == (body.person, body.charge)
    ]
    named = [each for each in mine if body.rests_on in (None, each.rests_on)]
    first = next((each for each in named if each in complaint.case.unsettled), None)
    acted_at = body.acted_at or (first.acted_at if first else call.now)
    if acted_at > call.now:
        raise failures.malformed("/acted_at", "in_the_future", "This time has not come yet")
    resources, log = call.desk.resources, call.caller.org
    policy = await resources.policies.on(log, call.policy.day_of(acted_at))
    return Rules(
        policy=policy,
        shipped=policy is resources.policy,
        acknowledged_at=await resources.policies.acknowledged_at(log, policy.version, body.person),
        acted_at=acted_at,
        facts=complaint.facts,
    )


async def _wage(call: Call, person: str, month_wage: Decimal | None) -> Wage:
    return Wage(month=month_wage, already=await call.desk.lookups.deducted(call.caller.org, person))


@router.post("/v1/complaints/{complaint_id}/waivers", summary="At fault, and yet no sanction (PEN-5)")
async def waive_sanction(complaint_id: UUID, body: DecisionBody, call: Called) -> CaseAnswer:
    """A decision of its own, with its reason."""
    complaint = await call.complaint(complaint_id)
    command = waive.WaiveSanction(**_deciding(call, complaint, body), ground=call.policy.ground())
    return _answer(complaint_id, await call.carry_out(complaint, waive.decide, command, body))


@router.post("/v1/complaints/{complaint_id}/no-fault", summary="This person is not at fault (PEN-5)")
async def find_no_fault(complaint_id: UUID, body: DecisionBody, call: Called) -> CaseAnswer:
    """A decision of its own, with its reason."""
    complaint = await call.complaint(complaint_id)
    command = waive.FindNoFault(**_deciding(call, complaint, body), ground=call.policy.ground())
    return _answer(complaint_id, await call.carry_out(complaint, waive.decide, command, body))


def _deciding(call: Call, complaint: Complaint, body: DecisionBody) -> dict[str, Any]:
    return {
        "complaint_id": complaint.complaint_id,
        "data_subject": complaint.data_subject,
        "person": body.person,
        "charge": body.charge,
        "rests_on": body.rests_on,
        "reason": body.reason,
        "author": call.caller.subject,
        "under": call.under,
        "about": people.complained_of(call.policy, complaint.respondent),
        "now": call.now,
    }


@router.post("/v1/complaints/{complaint_id}/sanctions/{n}/statements", summary="State one's case (PEN-4)")
async def state_case(complaint_id: UUID, n: Number, body: WordsBody, call: Called) -> CaseAnswer:
    """By the person who was sanctioned; sealed as their own words."""
    complaint = await call.complaint(complaint_id)
    command = appeal.StateCase(
        complaint_id=complaint_id, sanction=n, text=body.text, author=call.caller.subject, now=call.now
    )
    return _answer(complaint_id, await call.carry_out(complaint, appeal.decide, command, body))


@router.post("/v1/complaints/{complaint_id}/sanctions/{n}/appeals", summary="Appeal a sanction (PEN-4)")
async def appeal_sanction(complaint_id: UUID, n: Number, body: WordsBody, call: Called) -> CaseAnswer:
    """By the person who was sanctioned; the policy names another one than who imposed it as judge."""
    complaint = await call.complaint(complaint_id)
    imposed = _imposed(complaint, n)
    command = appeal.AppealSanction(
        complaint_id=complaint_id,
        sanction=n,
        text=body.text,
        author=call.caller.subject,
        judge=sanctions.decides_appeal(
            call.policy,
            call.today,
            imposed.imposed_by,
            imposed.person,
            people.complained_of(call.policy, complaint.respondent),
        ),
        due=call.due(Errand.APPEAL, complaint, Step.PENALIZE),
        now=call.now,
    )
    return _answer(complaint_id, await call.carry_out(complaint, appeal.decide, command, body))


@router.post(
    "/v1/complaints/{complaint_id}/sanctions/{n}/appeals/decision", summary="Decide an appeal (PEN-4)"
)
async def decide_appeal(complaint_id: UUID, n: Number, body: AppealDecisionBody, call: Called) -> CaseAnswer:
    """Upheld, reduced or lifted, by the judge."""
    complaint = await call.complaint(complaint_id)
    imposed = _imposed(complaint, n)
    acted_on = call.policy.day_of(imposed.acted_at)
    wage = await _wage(call, imposed.person, body.month_wage)
    borne = {each.month: each.money.amount for each in imposed.installments}
    already = {month: amount - borne.get(month, Decimal(0)) for month, amount in wage.already.items()}
    command = judge.DecideAppeal(
        complaint_id=complaint_id,
        data_subject=complaint.data_subject,
        sanction=n,
        outcome=body.outcome,
        way=body.way,
        amount=body.amount.value() if body.amount else None,
        wage=Wage(month=wage.month, already=already),
        policy=await call.desk.resources.policies.on(call.caller.org, acted_on),
        reason=body.reason,
        author=call.caller.subject,
        now=call.now,
    )
    return _answer(complaint_id, await call.carry_out(complaint, judge.decide, command, body))


def _imposed(complaint: Complaint, number: int) -> SanctionImposed:
    try:
        return state.sanction(complaint.case, number).imposed
    except state.NotYetSanctioned:
        raise state.NotYetSanctioned(current_version=complaint.version) from None


@router.post("/v1/complaints/{complaint_id}/rewards", status_code=201, summary="Reward good handling (PEN-6)")
async def grant_reward(complaint_id: UUID, body: RewardBody, call: Called) -> CaseAnswer:
    """Recorded in the same way as a sanction."""
    complaint = await call.complaint(complaint_id)
    rewarded = call.member(body.person, "/person")
    command = reward.GrantReward(
        complaint_id=complaint_id,
        data_subject=complaint.data_subject,
        person=rewarded.person,
        unit=rewarded.unit,
        amount=body.amount.value() if body.amount else None,
        reason=body.reason,
        author=call.caller.subject,
        under=call.under,
        about=people.complained_of(call.policy, complaint.respondent),
        ground=call.policy.ground(),
        now=call.now,
    )
    return _answer(complaint_id, await call.carry_out(complaint, reward.decide, command, body))


@router.get("/v1/ledger", summary="Sanctions, waivers and rewards (PEN-6, PEN-7)")
async def read_ledger(
    caller: Reader,
    desk: AtDesk,
    window: paging.Asked,
    person: Annotated[Reference | None, Query(description="Whose entries.")] = None,
    unit: Annotated[Reference | None, Query(description="The entries of a unit.")] = None,
    month: Annotated[Month | None, Query(description="Decided in this month, as 2026-11.")] = None,
) -> paging.Page[LedgerLine]:
    """In the order they were made; each names its complaint and clause. What appeals changed is in it."""
    first_day = date.fromisoformat(f"{month}-01") if month else None
    after = window.after[0] if window.after else None
    async with desk.resources.engine.connect() as connection:
        rows = await views.ledger(connection, caller.org, person, unit, first_day, after, window.fetch)
    shown_rows, next_cursor = window.cut(rows, lambda row: [row["seq"]])
    return paging.Page(items=[_line(row) for row in shown_rows], next_cursor=next_cursor)


def _line(row: RowMapping) -> LedgerLine:
    money = None if row["amount"] is None else Money(amount=row["amount"], currency=row["currency"])
    return LedgerLine.model_validate({**row, "amount": money})


def _answer(complaint_id: UUID, standing: Standing[state.Case]) -> CaseAnswer:
    return shown.case(complaint_id, standing.state, standing.version)
