"""Situations of a case and of a measure, each reached by deciding, and commands to decide on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from libs.events.contracts import penalize as penalties
from libs.events.contracts import propose as proposals
from libs.events.contracts.handling import Answerable, Ground, Kind, Severity, Step, StepDue
from libs.events.contracts.penalize import Charge
from libs.events.contracts.propose import Answer, CostBearer, Outcome, RemedyKind, Stage
from libs.events.contracts.values import Language, Money, Product
from services.resolution import (
    answer,
    appeal,
    approve,
    begin,
    charge,
    close,
    complete,
    execute,
    improve,
    judge,
    measure,
    overdue,
    penalize,
    propose,
    recompute,
    reward,
    spare,
    state,
    verify,
    waive,
)
from services.resolution.binding import Rules
from services.resolution.deduct import Wage
from tests.packs import about_product, standard
from tests.unit.situations import Told

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
THIS, OTHER, FINDING, MISSED, MEASURE, AGAIN = (UUID(int=n) for n in range(2, 8))
POLICY = standard()
GROUND = Ground(policy=POLICY.reference, clause="ASG-R4")
OFFICER = Answerable(unit="quality", person="quality-officer")
WORKER = Answerable(unit="production", person="production-officer")
HEAD = Answerable(unit="production", person="production-head")
SUBJECT = "customer:C-1"
NOBODY: frozenset[str] = frozenset()


def step_due(step: Step, days: int) -> StepDue:
    return StepDue(step=step, due_at=NOW + days * DAY, warn_at=NOW + (days - 1) * DAY)


def cny(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="CNY")


def remedy(kind: RemedyKind, amount: str | None = None) -> proposals.Remedy:
    return proposals.Remedy(kind=kind, text="as agreed", money=cny(amount) if amount else None)


DUE = (step_due(Step.PROPOSE, 8), step_due(Step.PENALIZE, 20), step_due(Step.IMPROVE, 30))

open_it = begin.OpenCase(
    complaint_id=THIS,
    answerable=OFFICER,
    kind=Kind.PRODUCT_QUALITY,
    severity=Severity.SERIOUS,
    due=DUE,
    ground=GROUND,
    due_as_of=10,
    as_of=10,
    now=NOW,
)
hand_over = replace(open_it, answerable=WORKER, as_of=20)
propose_it = propose.ProposeSolution(
    complaint_id=THIS,
    data_subject=SUBJECT,
    remedies=(remedy(RemedyKind.REPAIR, "900"),),
    cost_bearer=CostBearer.COMPANY,
    quote=None,
    product=Product(part_number="LED-18W", delivered_on=date(2026, 11, 10)),
    fault_on=date(2026, 11, 20),
    language=Language.ENGLISH,
    about=None,
    severity=Severity.SERIOUS,
    proposer="quality-officer",
    under=frozenset({"quality-head", "general-manager", "board-chair"}),
    policy=POLICY,
    approvals_due=step_due(Step.PROPOSE, 2),
    today=date(2026, 11, 23),
    now=NOW,
)
propose_front_line = replace(propose_it, remedies=(remedy(RemedyKind.EXPLANATION),))
approve_it = approve.DecideApproval(
    complaint_id=THIS,
    data_subject=SUBJECT,
    proposal=1,
    approver="after-sales-head",
    approved=True,
    reason="",
    about=None,
    due=step_due(Step.PROPOSE, 12),
    policy=POLICY,
    now=NOW,
)
approve_too = replace(approve_it, approver="quality-head")
approve_technology = replace(approve_it, approver="technology-head")
approve_production = replace(approve_it, approver="production-head")
each_approves = (approve_it, approve_too, approve_technology, approve_production)
reject_it = replace(approve_it, approved=False, reason="too dear")
accept = answer.AnswerProposal(
    complaint_id=THIS,
    data_subject=SUBJECT,
    proposal=1,
    answer=Answer.ACCEPTED,
    text="fine",
    author="quality-officer",
    under=frozenset({"quality-head", "general-manager"}),
    about=None,
    due=step_due(Step.PROPOSE, 15),
    now=NOW,
)
decline = replace(accept, answer=Answer.DECLINED, text="not enough")
counter = replace(accept, answer=Answer.COUNTERED, text="replace it")
settle = answer.SettleDispute(
    complaint_id=THIS,
    data_subject=SUBJECT,
    proposal=1,
    author="deputy-general-manager",
    adjudicator=Answerable(unit="executive", person="deputy-general-manager"),
    reason="clause 7 of the contract",
    ground=GROUND,
    due=step_due(Step.PROPOSE, 15),
    now=NOW,
)
start = execute.AdvanceExecution(
    complaint_id=THIS,
    data_subject=SUBJECT,
    proposal=1,
    stage=Stage.STARTED,
    note=None,
    author="quality-officer",
    under=frozenset({"quality-head", "general-manager"}),
    about=None,
    now=NOW,
)
STAGES = [replace(start, stage=stage) for stage in Stage]
raise_it = charge.RaiseResponsibilities(
    complaint_id=THIS,
    charge=Charge.COMPLAINT,
    persons=(WORKER,),
    unit="production",
    rests_on=FINDING,
    acted_at=NOW - 3 * DAY,
    severity=Severity.SERIOUS,
    about=None,
    policy=POLICY,
    now=NOW,
)
raise_late = replace(
    raise_it, charge=Charge.HANDLING, persons=(OFFICER,), unit="quality", rests_on=MISSED, acted_at=NOW
)
clear = charge.ClearEverybody(
    complaint_id=THIS,
    data_subject=SUBJECT,
    rests_on=FINDING,
    reason="the mains voltage was too high",
    ground=GROUND,
    now=NOW,
)
RULES = Rules(
    policy=POLICY,
    shipped=True,
    acknowledged_at=None,
    acted_at=NOW - 3 * DAY,
    facts=about_product(kind=Kind.PRODUCT_QUALITY, severity=Severity.SERIOUS, loss=Decimal(900)),
)
impose = penalize.ImposeSanction(
    complaint_id=THIS,
    data_subject=SUBJECT,
    person="production-officer",
    charge=Charge.COMPLAINT,
    rests_on=None,
    reason="soldered too hot",
    author="quality-officer",
    under=propose_it.under,
    about=None,
    now=NOW,
    clause="PEN-L1",
    rules=RULES,
    wage=Wage(month=Decimal(8000)),
    goods_value=None,
)
impose_on_head = replace(impose, person="production-head")
_decision: dict[str, Any] = {
    "complaint_id": THIS,
    "data_subject": SUBJECT,
    "charge": Charge.COMPLAINT,
    "rests_on": None,
    "reason": "she had warned of it",
    "author": "quality-officer",
    "under": propose_it.under,
    "about": None,
    "ground": POLICY.ground(),
    "now": NOW,
}
waive_head = waive.WaiveSanction(**_decision, person="production-head")
acquit_head = waive.FindNoFault(**_decision, person="production-head")
state_case = appeal.StateCase(
    complaint_id=THIS, sanction=1, text="the iron was broken", author="production-officer", now=NOW
)
appeal_it = appeal.AppealSanction(
    complaint_id=THIS,
    sanction=1,
    text="I had reported the iron",
    author="production-officer",
    judge=Answerable(unit="human-resources", person="human-resources-head"),
    due=step_due(Step.PENALIZE, 10),
    now=NOW,
)
reduce_it = judge.DecideAppeal(
    complaint_id=THIS,
    data_subject=SUBJECT,
    sanction=1,
    outcome=penalties.AppealOutcome.REDUCED,
    way=None,
    amount=cny("50"),
    wage=Wage(month=Decimal(8000)),
    policy=POLICY,
    reason="it had been reported",
    author="human-resources-head",
    now=NOW,
)
reward_it = reward.GrantReward(
    complaint_id=THIS,
    data_subject=SUBJECT,
    person="station-east-officer",
    unit="station-east",
    amount=cny("200"),
    reason="thanked by the customer",
    author="after-sales-head",
    under=frozenset({"general-manager", "board-chair"}),
    about=None,
    ground=POLICY.ground(),
    now=NOW,
)
spare_it = spare.SpareImprovement(
    complaint_id=THIS,
    found=True,
    reason="a single slip",
    author="quality-officer",
    under=propose_it.under,
    about=None,
    ground=GROUND,
    now=NOW,
)
join_measure = spare.NoteImprovement(complaint_id=THIS, improvement_id=MEASURE, now=NOW)
close_it = close.CloseComplaint(complaint_id=THIS, round=1, outcome=Outcome.RESOLVED, now=NOW)
reopen_it = close.ReopenComplaint(
    complaint_id=THIS,
    data_subject=SUBJECT,
    after=Outcome.RESOLVED,
    reason="it failed again",
    author="after-sales-officer",
    under=frozenset({"after-sales-head", "general-manager"}),
    about=None,
    due=DUE,
    now=NOW + DAY,
)
pass_all = overdue.PassDeadline(complaint_id=THIS, policy=POLICY, now=NOW + 60 * DAY)

plan_it = improve.PlanImprovement(
    improvement_id=MEASURE,
    complaint_ids=(THIS,),
    cause_code="cold-solder",
    lesson="temperature was not watched",
    measure="log the iron's temperature hourly",
    owner=HEAD,
    due_at=NOW + 20 * DAY,
    warn_at=NOW + 16 * DAY,
    ground=GROUND,
    author="quality-officer",
    under=propose_it.under,
    about=NOBODY,
    now=NOW,
)
extend_it = improve.ExtendImprovement(
    improvement_id=MEASURE,
    complaint_id=OTHER,
    author="quality-officer",
    under=NOBODY,
    about=NOBODY,
    below=NOBODY,
    now=NOW,
)
progress = complete.ReportProgress(
    improvement_id=MEASURE, text="loggers bought", author="production-officer", now=NOW
)
complete_it = complete.CompleteImprovement(
    improvement_id=MEASURE,
    author="production-head",
    observed_until=NOW + 100 * DAY,
    verifier=Answerable(unit="quality", person="quality-head"),
    due_at=NOW + 114 * DAY,
    warn_at=NOW + 111 * DAY,
    now=NOW + 10 * DAY,
)
effective = verify.VerifyImprovement(
    improvement_id=MEASURE,
    effective=True,
    text="none came back",
    author="quality-head",
    under=frozenset({"general-manager", "board-chair"}),
    about=NOBODY,
    due_at=NOW + 140 * DAY,
    warn_at=NOW + 136 * DAY,
    ground=POLICY.ground("IMP-O1"),
    now=NOW + 101 * DAY,
)
ineffective = replace(effective, effective=False, text="two came back", now=NOW + 50 * DAY)
recur = verify.NoteRecurrence(
    improvement_id=MEASURE,
    complaint_id=AGAIN,
    finding_id=FINDING,
    cause_code="cold-solder",
    recorded_at=NOW + 40 * DAY,
    due_at=NOW + 70 * DAY,
    warn_at=NOW + 64 * DAY,
    ground=POLICY.ground("IMP-O1"),
    now=NOW + 45 * DAY,
)


def _passed(command: overdue.PassDeadline, before: Any) -> list[Any]:
    """A deadline of a case, or of a measure."""
    decide: Any = overdue.decide if isinstance(before, state.Case) else overdue.decide_measure
    happened: list[Any] = decide(command, before)
    return happened


STEPS: dict[type, Callable[[Any, Any], list[Any]]] = {
    begin.OpenCase: begin.decide,
    propose.ProposeSolution: propose.decide,
    approve.DecideApproval: approve.decide,
    answer.AnswerProposal: answer.decide,
    answer.SettleDispute: answer.decide,
    execute.AdvanceExecution: execute.decide,
    charge.RaiseResponsibilities: charge.decide,
    charge.ClearEverybody: charge.decide,
    penalize.ImposeSanction: penalize.decide,
    waive.WaiveSanction: waive.decide,
    waive.FindNoFault: waive.decide,
    appeal.StateCase: appeal.decide,
    appeal.AppealSanction: appeal.decide,
    judge.DecideAppeal: judge.decide,
    reward.GrantReward: reward.decide,
    spare.SpareImprovement: spare.decide,
    spare.NoteImprovement: spare.decide,
    close.CloseComplaint: close.decide,
    close.ReopenComplaint: close.decide,
    overdue.PassDeadline: _passed,
    improve.PlanImprovement: improve.decide,
    improve.ExtendImprovement: improve.decide,
    complete.ReportProgress: complete.decide,
    complete.CompleteImprovement: complete.decide,
    verify.VerifyImprovement: verify.decide,
    verify.NoteRecurrence: verify.decide,
    recompute.RecomputeDeadlines: recompute.decide,
    recompute.RecomputeMeasure: recompute.decide_measure,
}


def _evolve(before: Any, event: Any) -> Any:
    """A case, or a measure, after an event."""
    evolve: Any = state.evolve if isinstance(before, state.Case) else measure.evolve
    return evolve(before, event)


OF_CASE: Told[Any] = Told(state.INITIAL, _evolve, STEPS)
OF_MEASURE: Told[Any] = Told(measure.INITIAL, _evolve, STEPS)
when, after = OF_CASE.when, OF_CASE.after
given: Callable[..., state.Case] = OF_CASE.given
measured: Callable[..., measure.Improvement] = OF_MEASURE.given


offer = (open_it, propose_it, *each_approves)
carry_out = (*offer, accept, *STAGES)
punish = (raise_it, impose, waive_head)
resolve = (*carry_out, *punish, spare_it)
