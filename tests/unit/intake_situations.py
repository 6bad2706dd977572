"""Situations of a complaint, each reached by deciding, and commands to decide on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.events.contracts.classify import IncidentRaised
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import (
    Answerable,
    Ground,
    Judgement,
    Kind,
    Nature,
    Severity,
    Step,
)
from libs.events.contracts.values import (
    Channel,
    Complainant,
    Contact,
    Demand,
    DemandKind,
    Detail,
    Product,
    Respondent,
    RespondentKind,
    Suspicion,
)
from libs.policy import pack
from services.intake import (
    amend,
    assign,
    attach,
    classify,
    contest,
    convert,
    escalate,
    join,
    merge,
    overdue,
    plan,
    reassign,
    record,
    state,
    suspect,
    wait,
    withdraw,
)
from tests.unit.situations import Told

NOW = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
THIS, EARLIER, OTHER = UUID(int=2), UUID(int=1), UUID(int=3)
REQUIRED: state.RequiredDetails = {RespondentKind.PRODUCT: (Detail.ORDER_NUMBER, Detail.QUANTITY)}
BECAUSE: dict[str, Any] = {"author": "li.wei", "reason": "the customer called"}

TUBE = Respondent(kind=RespondentKind.PRODUCT, reference="LED-T8-18W")
record_it = record.RecordComplaint(
    complaint_id=THIS,
    number="2026-000001",
    contact=Contact.COMPLAINT,
    source=None,
    channel=Channel.PHONE,
    received_at=NOW,
    occurred_at=None,
    complainant=Complainant(name="王小明", phone="13800000001"),
    respondent=TUBE,
    product=Product(order_number="SO-1"),
    narrative="三支灯管闪烁",
    demand=Demand(kind=DemandKind.REPLACEMENT),
    possible_duplicates=(),
    required_details=REQUIRED,
    first_reply_due_at=NOW + timedelta(hours=24),
    policy="standard@1",
    now=NOW,
)
record_enquiry = replace(record_it, contact=Contact.ENQUIRY)
amend_it = amend.AmendComplaint(
    complaint_id=THIS, required_details=REQUIRED, now=NOW, narrative="四支灯管闪烁", **BECAUSE
)
convert_it = convert.ConvertEnquiry(
    complaint_id=THIS,
    required_details=REQUIRED,
    first_reply_due_at=NOW + timedelta(hours=25),
    policy="standard@1",
    now=NOW + timedelta(hours=1),
    **BECAUSE,
)
attach_it = attach.AddAttachment(
    complaint_id=THIS,
    attachment_id=UUID(int=9),
    filename="照片.jpg",
    media_type="image/jpeg",
    size_bytes=3,
    sha256="ab" * 32,
    author="li.wei",
    now=NOW,
)
withdraw_it = withdraw.WithdrawComplaint(complaint_id=THIS, now=NOW, **BECAUSE)
suspect_it = suspect.SuspectDuplicate(
    complaint_id=THIS, suspicion=Suspicion(duplicate_of=EARLIER, matched_on=("order_number",)), now=NOW
)
STEPS: dict[type, Callable[[Any, state.Complaint], list[Any]]] = {
    record.RecordComplaint: record.decide,
    amend.AmendComplaint: amend.decide,
    convert.ConvertEnquiry: convert.decide,
    attach.AddAttachment: attach.decide,
    withdraw.WithdrawComplaint: withdraw.decide,
    suspect.SuspectDuplicate: suspect.decide,
    merge.MergeComplaint: merge.decide,
    merge.SeparateComplaint: merge.decide,
    classify.ClassifyComplaint: classify.decide,
    contest.ContestClassification: contest.decide,
    join.JoinIncident: join.decide,
    assign.AssignComplaint: assign.decide,
    reassign.ReassignComplaint: reassign.decide,
    escalate.EscalateComplaint: escalate.decide,
    escalate.EscalateOverdue: escalate.decide,
    overdue.PassDeadline: overdue.decide,
    wait.StopClock: wait.decide,
    wait.ResumeClock: wait.decide,
}


TOLD: Told[state.Complaint] = Told(state.INITIAL, state.evolve, STEPS)
when, after, given = TOLD.when, TOLD.after, TOLD.given


# Other complaints, received before this one.
BEFORE = tuple(
    replace(record_it, complaint_id=other, received_at=NOW - timedelta(days=1)) for other in (EARLIER, OTHER)
)
earlier = given(BEFORE[0])
merge_it = merge.MergeComplaint(complaint_id=THIS, into=earlier, now=NOW, **BECAUSE)
separate_it = merge.SeparateComplaint(complaint_id=THIS, separated_from=EARLIER, now=NOW, **BECAUSE)

# Steps 2 and 3, planned by the policy that is shipped.
STANDARD = pack.load("standard")
MOMENT = plan.Moment(policy=STANDARD, now=NOW)
OFFICER = Answerable(unit="quality", person="quality-officer")
SALES = Answerable(unit="sales", person="sales-officer")
YES, NO = Judgement(value=True, reason="it stands"), Judgement(value=False, reason="it was dropped")
INCIDENT = IncidentRaised(
    incident_id=UUID(int=77),
    matched_on="batch",
    reference="B2209",
    complaint_ids=(THIS, OTHER),
    threshold=3,
    window_days=30,
    leader=Answerable(unit="quality", person="quality-head"),
    ground=Ground(policy="standard@1", clause="CLS-B1"),
    raised_at=NOW,
)


def said(person: str = "after-sales-officer", **changes: Any) -> plan.Said:
    """A person's judgement: founded, unless the changes say otherwise."""
    fields: dict[str, Any] = {
        "kind": Kind.PRODUCT_QUALITY,
        "nature": Nature.QUALITY_ANOMALY,
        "severity": Severity.SERIOUS,
        "founded": YES,
        "demand_reasonable": YES,
    }
    return plan.Said(person=person, **fields | changes)


def on_record(complaint: state.Complaint) -> state.Record:
    """The record of a complaint that is on record."""
    assert not isinstance(complaint, state.NotRecorded)
    return complaint.record


def missed(step: Step = Step.INVESTIGATE, **changes: Any) -> DeadlineMissed:
    """A deadline that passed."""
    fields: dict[str, Any] = {
        "complaint_id": THIS,
        "step": step,
        "due_at": NOW + timedelta(days=5),
        "missed_at": NOW + timedelta(days=5),
        "noticed_at": NOW + timedelta(days=5),
        "owed_by": OFFICER,
        "escalated_to": Answerable(unit="quality", person="quality-head"),
        "ground": Ground(policy="standard@1", clause="ESC-1"),
    }
    return DeadlineMissed(**fields | changes)


complete_it = replace(amend_it, narrative=None, unavailable_details=frozenset(Detail))
plain, ready = on_record(given(record_it)), on_record(given(record_it, complete_it))
classify_it = plan.judged_by_policy(MOMENT, ready)
wait_it = plan.judged_by_policy(MOMENT, plain)
judge_it = plan.judged_by_person(said(), MOMENT, ready)
reject_it = plan.judged_by_person(said(founded=NO), MOMENT, ready)
contest_it = plan.contested("a photo shows the serial number", "li.wei", MOMENT, ready)
join_it = join.JoinIncident(complaint_id=THIS, incident=INCIDENT, now=NOW)
assign_it = plan.assigned_by_policy(MOMENT, on_record(given(record_it, complete_it, classify_it)))
assigned = given(record_it, complete_it, classify_it, assign_it)
reassign_it = plan.reassigned(SALES, "sales sold it", "quality-officer", MOMENT, on_record(assigned))
escalate_it = plan.escalated("two visits", "quality-officer", MOMENT, on_record(assigned))
overdue_it = plan.escalated_overdue(missed(), MOMENT, on_record(assigned))
pass_it = plan.passing(
    Step.CLASSIFY,
    plan.Moment(policy=STANDARD, now=NOW + timedelta(days=30)),
    on_record(given(record_it, wait_it)),
)
stop_it = plan.stopped_clock(UUID(int=88), NOW, MOMENT, on_record(given(record_it, wait_it)))
resume_it = plan.resumed_clock(NOW, MOMENT, on_record(given(record_it, wait_it, stop_it, complete_it)))

# The commands that lead to each situation, and the situation.
HISTORIES: dict[str, tuple[Any, ...]] = {
    "not recorded": (),
    "enquiry": (record_enquiry,),
    "recorded": (record_it,),
    "suspected": (record_it, suspect_it),
    "separated": (record_it, suspect_it, separate_it),
    "waiting": (record_it, wait_it),
    "asked": (record_it, wait_it, stop_it),
    "answered": (record_it, wait_it, stop_it, complete_it),
    "ready": (record_it, complete_it),
    "founded": (record_it, complete_it, classify_it),
    "unfounded": (record_it, complete_it, reject_it),
    "contested": (record_it, complete_it, reject_it, contest_it),
    "assigned": (record_it, complete_it, classify_it, assign_it),
    "joined": (record_it, complete_it, classify_it, assign_it, join_it),
    "escalated": (record_it, complete_it, classify_it, assign_it, escalate_it),
    "withdrawn": (record_it, withdraw_it),
    "merged": (record_it, merge_it),
}
SITUATIONS = {name: given(*commands) for name, commands in HISTORIES.items()}
COMMANDS: dict[str, Any] = {
    "record": record_it,
    "amend": amend_it,
    "convert": convert_it,
    "attach": attach_it,
    "withdraw": withdraw_it,
    "suspect": suspect_it,
    "merge": merge_it,
    "separate": separate_it,
    "classify": classify_it,
    "wait": wait_it,
    "judge": judge_it,
    "reject": reject_it,
    "contest": contest_it,
    "join": join_it,
    "assign": assign_it,
    "reassign": reassign_it,
    "escalate": escalate_it,
    "overdue": overdue_it,
    "pass": pass_it,
    "stop": stop_it,
    "resume": resume_it,
}
