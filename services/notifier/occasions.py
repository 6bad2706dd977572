"""Which event is told to whom, and with which values: the customer's part and the staff's (NTF-2, NTF-5).

Everything here is a pure function of the event, of the complaint as it stood then, and of the policy.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.events.contracts import assign, classify, improve, intake, investigate, penalize, propose
from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Judgement, Step
from libs.events.contracts.notify import NoticeKind
from libs.events.contracts.propose import Outcome, SolutionProposed, Stage
from libs.events.contracts.values import Detail
from libs.policy import notices, people, terms
from libs.policy.pack import Pack
from services.notifier import words
from services.notifier.history import Complaint
from services.notifier.words import Speaker

Values = Callable[[Speaker], dict[str, str]]

# Late in these the customer waits longer; what is late after that is between us.
DELAYS: Final = frozenset({Step.CLASSIFY, Step.ASSIGN, Step.INVESTIGATE, Step.PROPOSE, Step.NOTIFY})
HEARD: Final = (
    intake.ComplaintRecorded,
    intake.ComplaintAmended,
    intake.EnquiryBecameComplaint,
    classify.ComplaintClassified,
    classify.IncidentRaised,
    assign.ComplaintAssigned,
    assign.ComplaintEscalated,
    investigate.InvestigationOpened,
    investigate.InvestigationJoined,
    investigate.FindingRecorded,
    investigate.DesignDefectReported,
    investigate.ContributionOverdue,
    investigate.SupplierOverdue,
    propose.SolutionProposed,
    propose.SolutionApproved,
    propose.DisputeSettled,
    propose.ExecutionAdvanced,
    propose.ComplaintClosed,
    penalize.AppealOverdue,
    improve.ImprovementCompleted,
    DeadlineWarned,
    DeadlineMissed,
)


TELLING_MEASURES: Final = (propose.ComplaintClosed, improve.ImprovementCompleted)


@dataclass(frozen=True, slots=True)
class Telling:
    """Something to tell `person` inside, or the customer where that is None.

    `occasion`, where given, stands in place of the event: whatever tells of the same occasion tells it once.
    `since`: it has to arrive within the policy's minutes, counted from then (NTF-1).
    """

    kind: NoticeKind
    values: Values
    person: str | None = None
    occasion: UUID | None = None
    since: datetime | None = None


def concerned(event: Any) -> tuple[UUID | None, ...]:
    """The complaints whose customers and staff an event concerns; None: it is of no single one."""
    if isinstance(event, improve.ImprovementCompleted):
        return event.complaint_ids
    return (getattr(event, "complaint_id", None),)


def to_customer(event: Any, complaint: Complaint, policy: Pack, measures: Sequence[str]) -> Iterator[Telling]:
    """What the customer hears; `measures` are the improvements that answer the complaint."""
    in_charge = _in_charge(complaint.answerable, policy, complaint.recorded_at, complaint.about(policy))
    match event:
        case intake.ComplaintRecorded():
            yield Telling(NoticeKind.ACKNOWLEDGEMENT, _acknowledged(event))
            yield from _wanted(event.missing_details)
        case intake.ComplaintAmended() if not complaint.over:
            yield from _wanted(complaint.newly_missing)  # the rest was asked for before (REC-2)
        case intake.EnquiryBecameComplaint(missing_details=missing):
            yield from _wanted(missing)
        case classify.ComplaintClassified(founded=Judgement(value=False) as judgement):
            values = _unfounded(judgement, complaint)
            yield Telling(NoticeKind.UNFOUNDED_REPLY, values, since=event.classified_at)
        case assign.ComplaintAssigned(answerable=answerable):
            yield _progress(Step.ASSIGN, answerable)
        case investigate.InvestigationOpened() | investigate.InvestigationJoined():
            # The first is opened by the assignment, which has just said who looks into it (PRO-6).
            if event.round > 1 or event.answerable != complaint.answerable:
                yield _progress(Step.INVESTIGATE, event.answerable)
        case investigate.FindingRecorded(company_is_cause=False):
            yield Telling(NoticeKind.APPRAISAL, _appraised(event))
        case investigate.FindingRecorded() | propose.DisputeSettled():
            yield _progress(Step.PROPOSE, in_charge)
        case propose.SolutionProposed(approvals=()):
            yield Telling(NoticeKind.SOLUTION, _solution(event), since=event.proposed_at)
        case propose.SolutionApproved(complete=True):
            for proposed in complaint.solutions:
                if proposed.proposal == event.proposal:
                    yield Telling(NoticeKind.SOLUTION, _solution(proposed), since=event.approved_at)
        case propose.ExecutionAdvanced(stage=stage) if stage is not Stage.SIGNED_FOR:  # their own doing
            yield Telling(
                NoticeKind.PROGRESS,
                lambda say: {"step": say.one(terms.STAGES, stage), **say.who(in_charge)},
            )
        case propose.ComplaintClosed(outcome=outcome) if outcome is not Outcome.UNFOUNDED:
            yield Telling(NoticeKind.CLOSING, _closed(outcome, complaint, measures))
        case improve.ImprovementCompleted():
            yield Telling(NoticeKind.IMPROVEMENT, lambda say: {"improvement": say.listed(measures)})
        case DeadlineWarned() | DeadlineMissed():
            yield from _delay(event, complaint, in_charge, policy)
        case _:
            return


def to_staff(event: Any, complaint: Complaint | None, policy: Pack, at: datetime) -> Iterator[Telling]:
    """What people inside hear, nobody twice."""
    about = complaint.about(policy) if complaint else None
    match event:
        case assign.ComplaintAssigned():
            told = dict.fromkeys((event.answerable.person, people.head_of(policy, event.answerable.unit)))
            yield from _each(NoticeKind.ASSIGNMENT, (p for p in told if p and p != about), _assigned(event))
        case DeadlineWarned():
            owed_by = _in_charge(event.owed_by, policy, at, about)
            yield Telling(NoticeKind.DEADLINE_WARNING, _due(event), owed_by.person, _due_to(event))
        case DeadlineMissed(escalated_to=to):
            values = _missed(event, complaint, policy)
            yield Telling(NoticeKind.ESCALATION, values, to.person, _due_to(event))
        case investigate.ContributionOverdue() | investigate.SupplierOverdue() | penalize.AppealOverdue():
            yield Telling(NoticeKind.ESCALATION, _errand_late(event), event.escalated_to.person)
        case assign.ComplaintEscalated() if not _said_before(event, complaint):
            yield Telling(NoticeKind.ESCALATION, _escalated(event), event.to.person)
        case classify.IncidentRaised():
            chosen = notices.told(policy, NoticeKind.BATCH_INCIDENT, policy.day_of(at))
            told = dict.fromkeys(each.person for each in (event.leader, *chosen))
            yield from _each(NoticeKind.BATCH_INCIDENT, told, _incident(event))
        case investigate.DesignDefectReported(text=text):
            told = dict.fromkeys(each.person for each in event.told)
            yield from _each(NoticeKind.DESIGN_DEFECT, told, lambda say: {"defect": text})
        case investigate.FindingRecorded(adopted_from=None):  # an incident's finding is told once
            heads = (people.head_of(policy, party.unit) for party in event.responsible)
            told = dict.fromkeys(head for head in heads if head)
            yield from _each(NoticeKind.QUALITY_ANALYSIS, told, _analysed(event))
        case _:
            return


def _each(kind: NoticeKind, told: Any, values: Values) -> Iterator[Telling]:
    for person in told:
        yield Telling(kind, values, person)


def _in_charge(answerable: Answerable | None, policy: Pack, at: datetime, about: str | None) -> Answerable:
    """Who answers for it; before it is assigned, the unit that gets what nothing else routes (trap 3)."""
    if answerable is not None:
        return answerable
    candidates = people.in_unit(policy, policy.routing[-1].to)
    return people.choose(policy, candidates, policy.day_of(at), about).answerable


def _acknowledged(event: intake.ComplaintRecorded) -> Values:
    return lambda say: {
        "received_at": say.time(event.received_at),
        "subject": event.respondent.name or event.respondent.reference,
        "reply_by": say.time(event.first_reply_due_at),
    }


def _wanted(missing: Sequence[Detail]) -> Iterator[Telling]:
    if missing:
        yield Telling(
            NoticeKind.DETAILS_WANTED,
            lambda say: {"details": say.listed(say.one(words.DETAILS, each) for each in missing)},
        )


def _progress(step: Step, answerable: Answerable) -> Telling:
    return Telling(NoticeKind.PROGRESS, lambda say: {"step": say.step(step), **say.who(answerable)})


def _unfounded(judgement: Judgement, complaint: Complaint) -> Values:
    found = complaint.finding
    return lambda say: {"reason": judgement.reason, **(_appraised(found)(say) if found else {})}


def _appraised(found: investigate.FindingRecorded) -> Values:
    return lambda say: {
        "cause": found.cause.text,
        "appraisal": say.listed(filter(None, (found.appraisal, found.appraisal_basis))),
        "possible_causes": say.listed(found.possible_causes),
    }


def _solution(proposed: SolutionProposed) -> Values:
    return lambda say: {
        "solution": say.remedies(proposed.remedies),
        "cost_bearer": say.one(words.BEARERS, proposed.cost_bearer),
        "quote": say.money(proposed.quote),
    }


def _closed(outcome: Outcome, complaint: Complaint, measures: Sequence[str]) -> Values:
    """The closed loop: what came of it for the customer, and what was improved because of it (S3 2.3)."""
    return lambda say: {
        "outcome": say.one(words.OUTCOMES, outcome),
        "solution": say.remedies(complaint.solutions[-1].remedies) if complaint.solutions else "",
        "improvement": say.listed(measures) or complaint.no_improvement or "",
    }


def _delay(
    event: DeadlineWarned | DeadlineMissed, complaint: Complaint, in_charge: Answerable, policy: Pack
) -> Iterator[Telling]:
    """Told once for each due time: with the warning where the policy says so, else when it has passed."""
    early = isinstance(event, DeadlineWarned) and event.step not in policy.notices.delay_told_before
    answered = event.step is Step.NOTIFY and complaint.answer is not None
    if event.step not in DELAYS or early or answered:
        return
    occasion = uuid.uuid5(complaint.complaint_id, f"{event.step}/{event.due_at.isoformat()}")
    yield Telling(
        NoticeKind.DELAY,
        lambda say: {**_due(event)(say), "person": say.person(in_charge)},
        occasion=occasion,
    )


def _due_to(event: DeadlineWarned | DeadlineMissed) -> UUID:
    """All that one person owes of a step by one time is told of at once."""
    owed_by = event.owed_by.person if event.owed_by else None
    return uuid.uuid5(event.complaint_id, f"{event.step}/{event.due_at.isoformat()}/{owed_by}")


def _due(event: DeadlineWarned | DeadlineMissed) -> Values:
    return lambda say: {"step": say.step(event.step), "due_at": say.time(event.due_at)}


def _assigned(event: assign.ComplaintAssigned) -> Values:
    due = next((each.due_at for each in event.due if each.step is Step.INVESTIGATE), None)
    return lambda say: {
        "kind": say.one(terms.KINDS, event.kind),
        "severity": say.one(terms.SEVERITIES, event.severity),
        "due_at": say.time(due) if due else "",
        **say.who(event.answerable),
    }


def _missed(event: DeadlineMissed, complaint: Complaint | None, policy: Pack) -> Values:
    level = max((complaint.level if complaint else 0) + 1, policy.escalation.begins_at.overdue)
    return lambda say: {
        **_due(event)(say),
        "cause": say.one(terms.CAUSES, EscalationCause.OVERDUE),
        "level": str(min(level, len(policy.escalation.ladder))),
        "owed_by": say.person(event.owed_by) if event.owed_by else "",
    }


ErrandLate = investigate.ContributionOverdue | investigate.SupplierOverdue | penalize.AppealOverdue


def _errand_late(event: ErrandLate) -> Values:
    step = Step.PENALIZE if isinstance(event, penalize.AppealOverdue) else Step.INVESTIGATE
    supplier = event.supplier if isinstance(event, investigate.SupplierOverdue) else None
    owed_by = None if isinstance(event, investigate.SupplierOverdue) else event.owed_by
    return lambda say: {
        "cause": say.one(terms.CAUSES, EscalationCause.OVERDUE),
        "step": say.step(step),
        "due_at": say.time(event.due_at),
        "owed_by": say.person(owed_by) if owed_by else supplier or "",
    }


def _escalated(event: assign.ComplaintEscalated) -> Values:
    return lambda say: {
        "cause": say.one(terms.CAUSES, event.cause),
        "level": str(event.level),
        "tried": event.tried or "",
    }


def _said_before(event: assign.ComplaintEscalated, complaint: Complaint | None) -> bool:
    """The deadline that was missed has told the same person (SLA-3)."""
    missed = complaint.missed if complaint else None
    return event.cause is EscalationCause.OVERDUE and missed is not None and missed.escalated_to == event.to


def _incident(event: classify.IncidentRaised) -> Values:
    return lambda say: {
        "matched_on": event.matched_on,
        "reference": event.reference,
        "count": str(len(event.complaint_ids)),
        "window_days": str(event.window_days),
    }


def _analysed(event: investigate.FindingRecorded) -> Values:
    return lambda say: {
        "cause": event.cause.text,
        "unit": say.listed(dict.fromkeys(say.unit(party.unit) for party in event.responsible)),
        "loss": say.money(event.loss.money) if event.loss else "",
    }
