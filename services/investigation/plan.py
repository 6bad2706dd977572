"""How an investigation is to be led, by the history of a complaint or incident and policy (ASG-7, INV-2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.events.contracts.classify import IncidentRaised
from libs.events.contracts.handling import Kind, Severity, Step
from libs.events.contracts.reckoning import Pause, Reckoning
from libs.policy import contributions, deadlines, incidents, people
from libs.policy.calendar import Span
from libs.policy.pack import Pack
from services.investigation import investigate, join, stop
from services.investigation.history import Complaint
from services.investigation.state import File
from services.investigation.term import Term

Command = investigate.OpenInvestigation | stop.StopInvestigation


def for_complaint(complaint: Complaint, policy: Pack, now: datetime) -> Command | None:
    """What a complaint's newest history asks for; None while nobody answers for it."""
    if complaint.stopped is not None:
        return stop.StopInvestigation(why=complaint.stopped, as_of=complaint.as_of, now=now)
    if complaint.answerable is None or complaint.ground is None:
        return None
    kind, severity = _what(complaint)
    due = _due(complaint, policy, severity, now)
    product = complaint.product
    return investigate.OpenInvestigation(
        investigation_id=complaint.complaint_id,
        complaint_id=complaint.complaint_id,
        incident_id=None,
        round=complaint.round,
        answerable=complaint.answerable,
        level=complaint.level,
        about=people.complained_of(policy, complaint.respondent),
        kind=kind,
        severity=severity,
        part_number=product.part_number if product else None,
        serial_number=product.serial_number if product else None,
        customer_id=complaint.customer_id,
        duties=contributions.duties(policy, kind, severity, now),
        due=due,
        extended=_extended(complaint, policy, severity, due),
        ground=complaint.ground,
        as_of=complaint.as_of,
        now=now,
    )


def for_incident(
    incident: IncidentRaised, seq: int, policy: Pack, now: datetime
) -> investigate.OpenInvestigation:
    """One investigation for all, led as the incident names it, due as a major complaint is (CLS-7)."""
    due = _term(policy, Severity.MAJOR, incident.raised_at)
    alike = incidents.fields_of(incident.matched_on, incident.reference)
    return investigate.OpenInvestigation(
        investigation_id=incident.incident_id,
        complaint_id=None,
        incident_id=incident.incident_id,
        round=1,
        answerable=incident.leader,
        level=0,
        about=None,
        kind=Kind.PRODUCT_QUALITY,
        severity=Severity.MAJOR,
        part_number=alike.get("part_number"),
        serial_number=None,
        customer_id=None,
        duties=contributions.duties(policy, Kind.PRODUCT_QUALITY, Severity.MAJOR, now),
        due=due,
        extended=due,
        ground=incident.ground,
        as_of=seq,
        now=now,
    )


def joining(complaint: Complaint, incident: File, policy: Pack, now: datetime) -> join.JoinIncident:
    """The incident does it for the complaint; its leader owes it, or whom the complaint was escalated to."""
    product = complaint.product
    escalated = complaint.answerable if complaint.level else None
    owed = incident.term
    due = Term(due_at=owed.due_at, warn_at=owed.warn_at, reckoned=owed.reckoned)
    assert complaint.ground is not None, "what joined an incident has the ground of that"
    return join.JoinIncident(
        complaint_id=complaint.complaint_id,
        incident_id=incident.investigation_id,
        round=complaint.round,
        answerable=escalated or incident.answerable,
        level=complaint.level,
        about=people.complained_of(policy, complaint.respondent),
        kind=complaint.kind or incident.kind,
        severity=Severity.MAJOR,
        part_number=product.part_number if product else None,
        serial_number=product.serial_number if product else None,
        customer_id=complaint.customer_id,
        due=due,
        extended=_extended(complaint, policy, Severity.MAJOR, due),
        ground=complaint.ground,
        as_of=complaint.as_of,
        now=now,
    )


def _what(complaint: Complaint) -> tuple[Kind, Severity]:
    assert complaint.kind is not None, "an assignment says the kind"
    assert complaint.severity is not None, "an assignment says the severity"
    return complaint.kind, complaint.severity


def _due(complaint: Complaint, policy: Pack, severity: Severity, now: datetime) -> Term:
    """As the assignment gave it (ASG-7); reckoned anew where a round began without one, or it stood still."""
    if complaint.given is not None and not complaint.pauses:
        return Term(due_at=complaint.given.due_at, warn_at=complaint.given.warn_at)
    return _term(policy, severity, complaint.since or now, complaint.pauses)


def _extended(complaint: Complaint, policy: Pack, severity: Severity, due: Term) -> Term:
    """The time of whoever it was escalated to, should the time before have passed."""
    return _term(policy, severity, complaint.escalated_at) if complaint.escalated_at else due


def _term(policy: Pack, severity: Severity, start: datetime, pauses: Sequence[Span] = ()) -> Term:
    due = deadlines.due(policy, Step.INVESTIGATE, severity, start, pauses)
    stood_still = tuple(Pause(since=pause.start, until=pause.end) for pause in pauses)
    reckoned = Reckoning(since=start, severity=severity, pauses=stood_still)
    return Term(due_at=due.due_at, warn_at=due.warn_at, reckoned=reckoned)
