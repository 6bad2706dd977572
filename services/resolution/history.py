"""What a complaint's whole history says, whichever service said it: the facts that decisions here rest on.

Nothing of it is kept in our own streams (docs/decisions/0007): it is read anew whenever it is needed, so that
whichever event is heard first, or twice, the newest word holds.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.events.contracts import intake
from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated
from libs.events.contracts.classify import (
    ClassificationContested,
    ComplaintClassified,
    ComplaintJoinedIncident,
)
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Ground, Kind, Severity, Step, StepDue
from libs.events.contracts.investigate import (
    ContributionOverdue,
    FieldVisitAgreed,
    FieldVisitMade,
    FindingRecorded,
    SupplierOverdue,
)
from libs.events.contracts.notify import (
    FirstReplyGiven,
    NoticeDelivered,
    NoticeHandedOver,
    NoticeKind,
    NoticeTaskRaised,
    NoticeWritten,
    Recipient,
)
from libs.events.contracts.penalize import AppealOverdue
from libs.events.contracts.propose import ComplaintReopened, SolutionProposed
from libs.events.contracts.term import ClockResumed, ClockStopped, DeadlinesRecomputed
from libs.events.contracts.values import Channel, Contact, Demand, Language, Product, Respondent
from libs.events.envelope import Recorded
from libs.policy.calendar import Span
from libs.policy.facts import Facts
from services.resolution import lateness, measure, state
from services.resolution.lateness import Lateness
from services.resolution.measure import Improvement
from services.resolution.state import Case

OWN: Final = "resolution-"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is on record of a step: what, by whom, when."""

    event_id: UUID
    step: Step
    what: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A complaint as its history tells it.

    `judged` is the judgement that holds, None while it is contested. `due` are the times that the assignment
    at seq `due_as_of` gave; `moves` says where those lie that a new calendar moved at seq `moved_as_of`.
    `first_due` is when judging or assigning is; `first_owed` who owes what nobody was assigned for yet, where
    events say so. `as_of` is the seq of the newest assignment, escalation or move. `told` are the kinds of
    notices that reached the customer since what they are about last changed; `tasks` those that a person must
    deliver, and who.
    """

    complaint_id: UUID
    data_subject: str
    contact: Contact
    number: str
    respondent: Respondent
    product: Product | None
    demand: Demand
    channel: Channel
    language: Language
    narrative: str
    occurred_at: datetime | None
    received_at: datetime
    recorded_at: datetime
    first_reply_due_at: datetime
    judged: ComplaintClassified | None = None
    contested: Recorded[ClassificationContested] | None = None
    kind: Kind | None = None
    severity: Severity = Severity.MINOR
    answerable: Answerable | None = None
    due: tuple[StepDue, ...] = ()
    ground: Ground | None = None
    due_as_of: int = 0
    moves: Mapping[tuple[Step, datetime], StepDue] = field(default_factory=dict)
    moved_as_of: int = 0
    first_due: Mapping[Step, datetime] = field(default_factory=dict)
    first_owed: Mapping[Step, Answerable] = field(default_factory=dict)
    waits: tuple[Span, ...] = ()  # while the customer owed details
    as_of: int = 0
    finding: Recorded[FindingRecorded] | None = None
    lates: tuple[Lateness, ...] = ()
    told: frozenset[NoticeKind] = frozenset()
    tasks: Mapping[NoticeKind, Answerable] = field(default_factory=dict)
    visitors: Mapping[int, str] = field(default_factory=dict)  # who was to make which visit
    offers: frozenset[UUID] = frozenset()  # the notices that tell of a solution
    old_offers: frozenset[UUID] = frozenset()  # those of them that tell of one before
    answered: bool = False
    withdrawn: bool = False
    merged_into: UUID | None = None
    separated: Recorded[intake.ComplaintSeparated] | None = None
    case: Case = state.INITIAL
    version: int = 0
    measures: Mapping[UUID, Improvement] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()

    @property
    def facts(self) -> Facts:
        """What policy is told of it."""
        found = self.finding.event if self.finding else None
        return Facts(
            respondent=self.respondent,
            product=self.product,
            narrative=self.narrative,
            demand=self.demand,
            channel=self.channel,
            language=self.language,
            occurred_at=self.occurred_at,
            kind=self.kind,
            severity=self.severity,
            loss=found.loss.money.amount if found and found.loss else None,
            repeat_repair=bool(found and found.repeat_repair),
        )

    def due_of(self, step: Step) -> datetime | None:
        """When a later step is due by the assignment."""
        return next((each.due_at for each in self.due if each.step is step), None)


def follow(complaint: Complaint | None, recorded: Recorded[Any]) -> Complaint | None:
    """The complaint after one more event of any service, in log order; None before it is recorded."""
    event, envelope = recorded.event, recorded.envelope
    if isinstance(event, intake.ComplaintRecorded):
        complaint = _recorded(event)
    if complaint is None:
        return None
    complaint = _after(complaint, recorded)
    if (entry := _entry(recorded)) is not None:
        complaint = replace(complaint, entries=(*complaint.entries, entry))
    if envelope.stream == f"{OWN}{complaint.complaint_id}":
        complaint = replace(complaint, case=state.evolve(complaint.case, event), version=envelope.version)
    return complaint


def with_measures(complaint: Complaint, measures: Mapping[UUID, Sequence[Recorded[Any]]]) -> Complaint:
    """The complaint with the measures that its case names, by the events of their streams.

    A measure's events are entries of each of its complaints, and in the history of one of them already.
    """
    entries = {each.event_id: each for each in complaint.entries}
    found: dict[UUID, Improvement] = {}
    for improvement_id, events in measures.items():
        improvement: Improvement = measure.INITIAL
        for recorded in events:
            improvement = measure.evolve(improvement, recorded.event)
            if (entry := _entry(recorded)) is not None:
                entries[entry.event_id] = entry
        found[improvement_id] = improvement
    return replace(complaint, measures=found, entries=tuple(entries.values()))


def step_of(event: object) -> Step | None:
    """The step that an event is on record of: each step has its own module of contracts."""
    if isinstance(event, DeadlineMissed | DeadlineWarned):
        return event.step
    return _STEPS.get(type(event).__module__.rpartition(".")[2])


_STEPS: Final = {"intake": Step.RECORD} | {str(step): step for step in Step if step is not Step.RECORD}


def _entry(recorded: Recorded[Any]) -> Entry | None:
    envelope = recorded.envelope
    if (step := step_of(recorded.event)) is None:
        return None
    # Interned: the same few words stand in the dozens of entries of every complaint that is kept at hand.
    what, by = sys.intern(envelope.type.split(".")[2]), sys.intern(envelope.actor)
    return Entry(envelope.event_id, step, what, by, envelope.at)


def _recorded(event: intake.ComplaintRecorded) -> Complaint:
    return Complaint(
        complaint_id=event.complaint_id,
        data_subject=event.data_subject,
        contact=event.contact,
        number=event.number,
        respondent=event.respondent,
        product=event.product,
        demand=event.demand,
        channel=event.channel,
        language=event.complainant.language,
        narrative=event.narrative,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        recorded_at=event.recorded_at,
        first_reply_due_at=event.first_reply_due_at,
    )


def _after(complaint: Complaint, recorded: Recorded[Any]) -> Complaint:
    event, envelope = recorded.event, recorded.envelope
    match event:
        case intake.ComplaintAmended():
            return _amended(complaint, event)
        case intake.EnquiryBecameComplaint():
            return replace(complaint, contact=Contact.COMPLAINT)
        case intake.ComplaintWithdrawn():
            return replace(complaint, withdrawn=True)
        case intake.ComplaintMerged(merged_into=other):
            return replace(complaint, merged_into=other, separated=None)
        case intake.ComplaintSeparated() if complaint.merged_into == event.separated_from:
            return replace(complaint, merged_into=None, separated=recorded)
        case ComplaintClassified():
            return _judged(complaint, event)
        case ClassificationContested():
            told = complaint.told - {NoticeKind.UNFOUNDED_REPLY}
            complaint = replace(complaint, first_due={}, first_owed={})
            return replace(complaint, judged=None, contested=recorded, finding=None, told=told)
        case ComplaintJoinedIncident():
            return replace(complaint, severity=Severity.MAJOR)
        case ComplaintAssigned() | ComplaintEscalated():
            return _assigned(complaint, event, envelope.seq)
        case ClockStopped() | ClockResumed():
            return _waited(complaint, event)
        case DeadlinesRecomputed():
            return _recomputed(complaint, event, envelope.seq)
        case FindingRecorded():
            return replace(complaint, finding=recorded)
        case DeadlineMissed() | ContributionOverdue() | SupplierOverdue() | AppealOverdue():
            late = lateness.of(recorded, complaint.answerable)
            return replace(complaint, lates=(*complaint.lates, late))
        case FieldVisitAgreed(visit=visit, person=person):
            return replace(complaint, visitors={**complaint.visitors, visit: person})
        case FieldVisitMade(on_time=False, visit=visit):
            late = lateness.of_visit(recorded, complaint.visitors.get(visit))
            return replace(complaint, lates=(*complaint.lates, late))
        case SolutionProposed():
            tasks = dict(complaint.tasks)
            tasks.pop(NoticeKind.SOLUTION, None)
            told = complaint.told - {NoticeKind.SOLUTION}
            return replace(complaint, told=told, tasks=tasks, old_offers=complaint.offers)
        case ComplaintReopened():
            return _reopened(complaint, recorded)
        case _:
            return _told(complaint, event)


def _reopened(complaint: Complaint, recorded: Recorded[ComplaintReopened]) -> Complaint:
    """A further round finds and tells anew; one that was contested is judged anew, and waits for that."""
    not_good_enough = lateness.of_reopening(recorded, complaint.case.closed, complaint.answerable)
    complaint = replace(complaint, lates=(*complaint.lates, *not_good_enough))
    if complaint.judged is None or complaint.judged.founded is None:
        return complaint
    due = recorded.event.due or complaint.due
    return replace(complaint, finding=None, told=frozenset(), due=due)


def _told(complaint: Complaint, event: object) -> Complaint:
    """What reached the customer, and what did not."""
    match event:
        case NoticeWritten(kind=NoticeKind.SOLUTION, notice_id=written):
            return replace(complaint, offers=complaint.offers | {written})
        case NoticeDelivered(recipient=Recipient.CUSTOMER) | NoticeHandedOver(recipient=Recipient.CUSTOMER):
            if event.notice_id in complaint.old_offers:
                return complaint
            return replace(complaint, told=complaint.told | {event.kind})
        case FirstReplyGiven():
            return replace(complaint, answered=True)
        case NoticeTaskRaised():
            return replace(complaint, tasks={**complaint.tasks, event.kind: event.owed_by})
        case _:
            return complaint


def _amended(complaint: Complaint, event: intake.ComplaintAmended) -> Complaint:
    narrative = complaint.narrative if event.narrative is None else event.narrative
    if event.supplement is not None:
        narrative = f"{narrative}\n{event.supplement}"
    return replace(
        complaint,
        data_subject=event.data_subject,
        respondent=event.respondent or complaint.respondent,
        product=event.product or complaint.product,
        demand=event.demand or complaint.demand,
        language=event.complainant.language if event.complainant else complaint.language,
        narrative=narrative,
        occurred_at=event.occurred_at or complaint.occurred_at,
    )


def _judged(complaint: Complaint, event: ComplaintClassified) -> Complaint:
    known = complaint.judged is not None
    owed = {each.step: event.owed_by for each in event.due if event.owed_by}
    complaint = replace(
        complaint,
        judged=event,
        first_due=_first_due(complaint, event.due),
        first_owed={**complaint.first_owed, **owed},
    )
    if complaint.answerable is not None and known:
        return complaint  # what it is was fixed by the assignment
    return replace(complaint, kind=event.kind, severity=event.severity)


def _waited(complaint: Complaint, event: ClockStopped | ClockResumed) -> Complaint:
    if isinstance(event, ClockStopped):
        waits = (*complaint.waits, Span(event.since, event.until))
    else:
        at = event.answered_at
        waits = tuple(Span(each.start, max(each.start, min(each.end, at))) for each in complaint.waits)
    return replace(complaint, first_due=_first_due(complaint, event.due), waits=waits)


def _first_due(complaint: Complaint, due: tuple[StepDue, ...]) -> dict[Step, datetime]:
    return {**complaint.first_due, **{each.step: each.due_at for each in due}}


def _recomputed(complaint: Complaint, event: DeadlinesRecomputed, seq: int) -> Complaint:
    """What the assignment gave lies elsewhere by the calendar now (SLA-2)."""
    whole = (each for each in event.moved if each.running and each.about is None)
    moves = {(each.due.step, each.before_at): each.due for each in whole}
    if not moves:
        return complaint
    there = {(due.step, due.due_at) for due in moves.values()}  # what lay there once may lie there again
    first = {step: moves[step, at].due_at for step, at in complaint.first_due.items() if (step, at) in moves}
    return replace(
        complaint,
        due=tuple(moves.get((each.step, each.due_at), each) for each in complaint.due),
        moves={at: due for at, due in complaint.moves.items() if at not in there} | moves,
        moved_as_of=seq,
        first_due={**complaint.first_due, **first},
        as_of=seq if complaint.answerable else complaint.as_of,
    )


def _assigned(complaint: Complaint, event: ComplaintAssigned | ComplaintEscalated, seq: int) -> Complaint:
    if isinstance(event, ComplaintAssigned):
        return replace(
            complaint,
            data_subject=event.data_subject,
            answerable=event.answerable,
            kind=event.kind,
            severity=event.severity,
            due=event.due,
            ground=event.ground,
            due_as_of=complaint.due_as_of if event.due == complaint.due else seq,  # only changed hands
            as_of=seq,
        )
    complaint = replace(complaint, first_due=_first_due(complaint, event.due))
    if complaint.answerable is None:  # there is no more to take over than what was late (SLA-3)
        late = {event.step} | {each.step for each in event.due}
        owed = {step: event.to for step in late if step}
        return replace(complaint, first_owed={**complaint.first_owed, **owed})
    return replace(complaint, answerable=event.to, as_of=seq)
