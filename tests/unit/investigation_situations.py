"""Situations of an investigation, each reached by deciding, and commands to decide on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from libs.events import errors
from libs.events.contracts import investigate as events
from libs.events.contracts.handling import Answerable, Ground, Kind, Severity
from libs.events.contracts.reckoning import Pause, Reckoning
from libs.events.contracts.values import Money
from libs.policy import pack
from services.investigation import (
    adopt,
    evidence,
    finding,
    investigate,
    join,
    overdue,
    recompute,
    state,
    stop,
    supplier,
    visit,
)
from services.investigation.conclusion import Conclusion
from services.investigation.term import Term
from tests.packs import changed
from tests.unit.situations import Told

NOW = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THIS, INCIDENT, EARLIER, OTHER = (UUID(int=n) for n in range(2, 6))
PHOTO, LETTER = UUID(int=20), UUID(int=21)
POLICY = pack.load("standard")
SNOWED = changed(
    ("version: 1", "version: 2"),
    ("single_days: []", "single_days: [{day: 2026-11-25, name: {zh: 雪, en: snow}}]"),
)
GROUND = Ground(policy=POLICY.reference, clause="ASG-R1")
OFFICER = Answerable(unit="quality", person="quality-officer")
HEAD = Answerable(unit="quality", person="quality-head")
LEADER = Answerable(unit="technology", person="technology-head")
DUE = Term(due_at=NOW + 3 * DAY, warn_at=NOW + 2 * DAY)
LATER = Term(due_at=NOW + 10 * DAY, warn_at=NOW + 8 * DAY)
SHARED = replace(LATER, reckoned=Reckoning(since=NOW, severity=Severity.MAJOR))
DUTIES = (
    events.Duty(unit="sales", duty="supply the order", due_at=NOW + DAY),
    events.Duty(unit="production", duty="name the producing unit", due_at=NOW + DAY),
)
SUBJECT = "customer:C-1"

open_it = investigate.OpenInvestigation(
    investigation_id=THIS,
    complaint_id=THIS,
    incident_id=None,
    round=1,
    answerable=OFFICER,
    level=0,
    about=None,
    kind=Kind.PRODUCT_QUALITY,
    severity=Severity.SERIOUS,
    part_number="LED-T8-18W",
    serial_number="SN-1",
    customer_id="C-1",
    duties=DUTIES,
    due=DUE,
    extended=LATER,
    ground=GROUND,
    as_of=10,
    now=NOW,
)
FREIGHT = Answerable(unit="freight", person="freight-officer")
TRANSPORT_DUTIES = (DUTIES[0], events.Duty(unit="freight", duty="supply the waybill", due_at=NOW + 2 * DAY))
reclassify = replace(
    open_it, kind=Kind.TRANSPORT, answerable=FREIGHT, duties=TRANSPORT_DUTIES, as_of=25, now=NOW + DAY
)
hand_over = replace(open_it, answerable=HEAD, due=LATER, as_of=20)
open_incident = replace(
    open_it,
    investigation_id=INCIDENT,
    complaint_id=None,
    incident_id=INCIDENT,
    answerable=LEADER,
    due=SHARED,
)
stop_it = stop.StopInvestigation(why=events.StopCause.WITHDRAWN, as_of=30, now=NOW)
STOOD_STILL = Pause(since=NOW, until=NOW + DAY)
resumed = Reckoning(since=NOW, severity=Severity.SERIOUS, pauses=(STOOD_STILL,))
resume_it = replace(open_it, due=replace(LATER, reckoned=resumed), as_of=40, now=NOW + DAY)
again = replace(open_it, round=2, due=LATER, as_of=50, now=NOW + DAY)
join_it = join.JoinIncident(
    complaint_id=THIS,
    incident_id=INCIDENT,
    round=1,
    answerable=LEADER,
    level=0,
    about=None,
    kind=Kind.PRODUCT_QUALITY,
    severity=Severity.MAJOR,
    part_number="LED-T8-18W",
    serial_number="SN-1",
    customer_id="C-1",
    due=SHARED,
    extended=Term(due_at=NOW + 20 * DAY, warn_at=NOW + 18 * DAY),
    ground=GROUND,
    as_of=25,
    now=NOW,
)
extend_it = join.ExtendInvestigation(complaint_id=OTHER, evidence_ids=(LETTER,), now=NOW)
add_evidence = evidence.AddEvidence(
    complaint_id=THIS,
    data_subject=SUBJECT,
    evidence_id=PHOTO,
    text="驱动电容鼓包",
    attachment_id=None,
    attached=False,
    design_defect=False,
    told=(),
    author="quality-officer",
    now=NOW,
)
contribute = evidence.GiveContribution(
    complaint_id=THIS,
    data_subject=SUBJECT,
    unit="sales",
    known=True,
    text="SO-1, 40 pieces, delivered 2026-11-10",
    author="sales-officer",
    now=NOW,
)
agree_visit = visit.AgreeFieldVisit(
    complaint_id=THIS,
    person="station-east-officer",
    known=True,
    under=frozenset({"station-east-head", "after-sales-head"}),
    agreed_for=NOW + DAY,
    author="station-east-officer",
    author_under=frozenset({"station-east-head", "after-sales-head"}),
    now=NOW,
)
report_visit = visit.ReportFieldVisit(
    complaint_id=THIS,
    data_subject=SUBJECT,
    visit=1,
    arrived_at=NOW + DAY,
    force_majeure=None,
    found="three tubes flicker",
    solved_on_the_spot=False,
    taken_back=True,
    promised_for=date(2026, 11, 30),
    signed_by_customer=True,
    author="station-east-officer",
    under=frozenset({"station-east-head", "after-sales-head"}),
    now=NOW + DAY,
)
notify_supplier = supplier.NotifySupplier(
    complaint_id=THIS,
    data_subject=SUBJECT,
    supplier="battery-supplier",
    problem="capacitors swell",
    model="CAP-22",
    quantity=3,
    place="上海",
    contact="陈工",
    phone="13800000001",
    cost=Money(amount=Decimal("120.00"), currency="CNY"),
    due_at=NOW + 5 * DAY,
    reckoned=Reckoning(since=NOW, severity=Severity.SERIOUS),
    author="procurement-officer",
    under=frozenset({"procurement-head"}),
    now=NOW,
)
settle_notice = supplier.SettleNotice(
    complaint_id=THIS,
    notice=1,
    author="procurement-officer",
    under=frozenset({"procurement-head"}),
    now=NOW,
)
conclusion = Conclusion(
    cause=events.Cause(code="driver-capacitor", text="the driver's capacitor was overheated in soldering"),
    responsible=(
        events.ResponsibleParty(unit="production", person="production-officer", share=Decimal("0.7")),
        events.ResponsibleParty(unit="quality", person="quality-officer", share=Decimal("0.3")),
    ),
    strangers=(),
    company_is_cause=True,
    appraisal=None,
    appraisal_basis=None,
    possible_causes=(),
    evidence_ids=(),
    loss=events.Loss(money=Money(amount=Decimal("900.00"), currency="CNY"), basis="3 tubes and one visit"),
    design_defect=None,
)
not_ours = replace(
    conclusion,
    responsible=(),
    company_is_cause=False,
    appraisal="the tubes are sound",
    appraisal_basis="laboratory report 7",
    possible_causes=("mains voltage",),
    loss=None,
)
record_finding = finding.RecordFinding(
    data_subject=SUBJECT,
    conclusion=conclusion,
    told=(LEADER,),
    repair_before=None,
    author="quality-officer",
    under=frozenset({"quality-head"}),
    now=NOW,
)
miss = overdue.PassDeadline(step=state.FINDING, policy=POLICY, now=NOW + 30 * DAY)
contribution_late = replace(miss, step=f"{state.CONTRIBUTION}/sales")
supplier_late = replace(miss, step=f"{state.SUPPLIER}/1")

STEPS: dict[type, Callable[[Any, state.Investigation], list[Any]]] = {
    investigate.OpenInvestigation: investigate.decide,
    stop.StopInvestigation: stop.decide,
    join.JoinIncident: join.decide,
    join.ExtendInvestigation: join.decide,
    adopt.AdoptFinding: adopt.decide,
    evidence.AddEvidence: evidence.decide,
    evidence.GiveContribution: evidence.decide,
    visit.AgreeFieldVisit: visit.decide,
    visit.ReportFieldVisit: visit.decide,
    supplier.NotifySupplier: supplier.decide,
    supplier.SettleNotice: supplier.decide,
    finding.RecordFinding: finding.decide,
    overdue.PassDeadline: overdue.decide,
    recompute.RecomputeDeadlines: recompute.decide,
}


TOLD: Told[state.Investigation] = Told(state.INITIAL, state.evolve, STEPS)
when, after, given = TOLD.when, TOLD.after, TOLD.given


def file_of(investigation: state.Investigation) -> state.File:
    """The file of an investigation that was opened."""
    assert not isinstance(investigation, state.NotOpened)
    return investigation.file


(for_all,) = when(record_finding, given(open_incident, add_evidence))
adopt_it = adopt.AdoptFinding(finding=for_all, data_subject=SUBJECT, repair_before=None, now=NOW)

SITUATIONS: dict[str, state.Investigation] = {
    "not opened": state.INITIAL,
    "opened": given(open_it),
    "at work": given(open_it, add_evidence, agree_visit, notify_supplier),
    "missed": given(open_it, add_evidence, miss),
    "joined": given(open_it, join_it),
    "found": given(open_it, add_evidence, notify_supplier, record_finding),
    "adopted": given(open_it, join_it, adopt_it),
    "stopped": given(open_it, add_evidence, stop_it),
    "resumed": given(open_it, add_evidence, stop_it, resume_it),
    "again": given(open_it, add_evidence, record_finding, again),
    "incident": given(open_incident, add_evidence),
    "incident found": given(open_incident, add_evidence, extend_it, record_finding),
}
COMMANDS: dict[str, Any] = {
    "open": open_it,
    "hand over": hand_over,
    "stop": stop_it,
    "open again": again,
    "join": join_it,
    "extend": extend_it,
    "adopt": adopt_it,
    "evidence": add_evidence,
    "contribute": contribute,
    "agree visit": agree_visit,
    "report visit": report_visit,
    "notify supplier": notify_supplier,
    "settle notice": settle_notice,
    "find": record_finding,
    "miss": miss,
    "contribution late": contribution_late,
    "supplier late": supplier_late,
    "reclassify": reclassify,
    "recompute": recompute.RecomputeDeadlines(policy=SNOWED, now=NOW),
}


def refuses(
    refusal: type[errors.Failure], command: Any, investigation: state.Investigation
) -> errors.Failure:
    with pytest.raises(refusal) as refused:
        when(command, investigation)
    return refused.value


def kinds(happened: list[Any]) -> tuple[type, ...]:
    return tuple(type(event) for event in happened)
