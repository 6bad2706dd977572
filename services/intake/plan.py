"""How steps 2 and 3 are to be decided, by the record as it stands and the policy in force; all of it pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from libs.events import errors
from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import (
    Answerable,
    Ground,
    Judgement,
    Kind,
    Nature,
    Severity,
    Step,
    StepDue,
)
from libs.events.contracts.personal import Erased
from libs.policy import classification, deadlines, escalation, incidents, people, routing
from libs.policy.facts import Facts
from libs.policy.pack import Pack
from services.intake import (
    assign,
    classify,
    contest,
    escalate,
    fixed,
    merge,
    overdue,
    reassign,
    recompute,
    wait,
    withdraw,
)
from services.intake.handling import Handling
from services.intake.state import Complaint, NotRecorded, Record

C = TypeVar("C")
E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When something is decided, and by which policy; `closed`: whether every step had its outcome then."""

    policy: Pack
    now: datetime
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A person's judgement."""

    person: str
    kind: Kind
    nature: Nature
    severity: Severity
    founded: Judgement | None
    demand_reasonable: Judgement | None


def planned(
    plan: Callable[[Moment, Record], C], decide: Callable[[C, Complaint], list[E]]
) -> Callable[[Moment, Complaint], list[E]]:
    """Decides on what `plan` makes of the record as it is just then, so that nothing comes between."""

    def decide_now(moment: Moment, complaint: Complaint) -> list[E]:
        if isinstance(complaint, NotRecorded):
            raise errors.NotFound("There is no such complaint.")
        return decide(plan(moment, complaint.record), complaint)

    return decide_now


def judged_by_policy(moment: Moment, record: Record) -> classify.ClassifyComplaint:
    """The rule's judgement; after a contest only of kind and severity, for another judge must follow."""
    found, before = classification.classify(moment.policy, facts(record)), record.handling.judgement
    if record.handling.round > 1:
        found = replace(found, founded=None, demand_reasonable=None)
    if before is not None and record.handling.judged_by_person:  # which leaves to say by when it is owed
        found = replace(
            found,
            kind=before.kind,
            nature=before.nature,
            severity=before.severity,
            founded=before.founded,
            demand_reasonable=before.demand_reasonable,
            ground=moment.policy.ground(moment.policy.deadlines.of(Step.CLASSIFY).clause),
        )
    owed_by, due = _next(
        moment, record, found.founded, found.severity, (found.kind, found.nature, found.severity)
    )
    return classify.ClassifyComplaint(
        complaint_id=record.complaint_id,
        kind=found.kind,
        nature=found.nature,
        severity=found.severity,
        founded=found.founded,
        demand_reasonable=found.demand_reasonable,
        ground=found.ground,
        owed_by=owed_by,
        due=due,
        now=moment.now,
    )


def judged_by_person(said: Said, moment: Moment, record: Record) -> classify.ClassifyComplaint:
    """What a person judges, whatever a rule would."""
    owed_by, due = _next(moment, record, said.founded, said.severity, (said.kind, said.nature, said.severity))
    return classify.ClassifyComplaint(
        complaint_id=record.complaint_id,
        kind=said.kind,
        nature=said.nature,
        severity=said.severity,
        founded=said.founded,
        demand_reasonable=said.demand_reasonable,
        ground=Ground(policy=moment.policy.reference, person=said.person),
        owed_by=owed_by,
        due=due,
        own_cause=_own_cause(moment, record, said.person),
        closed=moment.closed,
        now=moment.now,
    )


def contested(new_facts: str, author: str, moment: Moment, record: Record) -> contest.ContestClassification:
    """What the customer brings up against the judgement (CLS-5)."""
    return contest.ContestClassification(
        complaint_id=record.complaint_id,
        new_facts=new_facts,
        author=author,
        times_max=incidents.contests_max(moment.policy),
        ground=moment.policy.ground(moment.policy.thresholds.contests.clause),
        now=moment.now,
    )


def assigned_by_policy(moment: Moment, record: Record) -> assign.AssignComplaint:
    """Whom the policy names for it (ASG-1 to ASG-4)."""
    policy, judgement, has_it = moment.policy, record.handling.judgement, record.handling.answerable
    kind = judgement.kind if judgement else None
    known = replace(facts(record), kind=kind, severity=record.handling.severity)
    address = _text(record.statement.complainant.address)
    routed = routing.route(policy, routing.located(policy, known, address), policy.day_of(moment.now))
    return assign.AssignComplaint(
        complaint_id=record.complaint_id,
        answerable=routed.answerable,
        passed_over=routed.passed_over,
        due=deadlines.all_due(policy, record.handling.severity, moment.now),
        keeps_it=has_it is not None and has_it.unit == routed.answerable.unit,
        reason=assign.why(policy, record, routed.supplier),
        ground=routed.ground,
        now=moment.now,
    )


def withdrawn(person: str, reason: str, moment: Moment, record: Record) -> withdraw.WithdrawComplaint:
    """That the complainant took it back, as somebody says."""
    return withdraw.WithdrawComplaint(reason=reason, **_ending(person, moment, record))


def merged(into: Complaint, person: str, reason: str, moment: Moment, record: Record) -> merge.MergeComplaint:
    """That it is the same as another one, as somebody says (REC-9)."""
    return merge.MergeComplaint(into=into, reason=reason, **_ending(person, moment, record))


def _ending(person: str, moment: Moment, record: Record) -> dict[str, Any]:
    own_cause = _own_cause(moment, record, person)
    said = {"author": person, "own_cause": own_cause, "closed": moment.closed, "now": moment.now}
    return {"complaint_id": record.complaint_id, **said}


def reassigned(
    to: Answerable, reason: str, person: str, moment: Moment, record: Record
) -> reassign.ReassignComplaint:
    """Whom a person names for it, and what speaks against that (ASG-4, ASG-5)."""
    policy = moment.policy
    return reassign.ReassignComplaint(
        complaint_id=record.complaint_id,
        answerable=to,
        reason=reason,
        obstacle=_obstacle(moment, to),
        own_cause=_own_cause(moment, record, to.person),
        due=deadlines.all_due(policy, record.handling.severity, moment.now),
        reassignments_max=routing.reassignments_max(policy),
        leadership=_above(moment, record, EscalationCause.BUCK_PASSING, to),
        ground=Ground(policy=policy.reference, person=person),
        closed=moment.closed,
        now=moment.now,
    )


def escalated(tried: str, person: str, moment: Moment, record: Record) -> escalate.EscalateComplaint:
    """To whom it goes that could not be solved (ASG-6)."""
    above = _above(moment, record, EscalationCause.UNSOLVED, record.handling.answerable)
    return escalate.EscalateComplaint(
        complaint_id=record.complaint_id,
        tried=tried,
        leadership=replace(above, ground=replace(above.ground, person=person)),
        closed=moment.closed,
        now=moment.now,
    )


def escalated_overdue(missed: DeadlineMissed, moment: Moment, record: Record) -> escalate.EscalateOverdue:
    """To whom it goes that was not done in time, and the time they have for it (SLA-3)."""
    above = _above(moment, record, EscalationCause.OVERDUE, missed.owed_by)
    due: tuple[StepDue, ...] = ()
    if missed.step in (Step.CLASSIFY, Step.ASSIGN) and above.level > record.handling.level:
        due = (_due(moment.policy, missed.step, record.handling.severity, moment.now),)
    return escalate.EscalateOverdue(
        complaint_id=record.complaint_id,
        step=missed.step,
        due_at=missed.due_at,
        owed_by=missed.owed_by,
        leadership=above,
        due=due,
        closed=moment.closed,
        now=moment.now,
    )


def stopped_clock(asked_by: UUID, asked_at: datetime, moment: Moment, record: Record) -> wait.StopClock:
    """The customer owes details, and was asked for them (REC-2, SLA-9)."""
    policy, handling = moment.policy, record.handling
    waiting = deadlines.pause(policy, max(asked_at, handling.waiting_since or asked_at))
    waited = replace(handling, stops=(*handling.stops, (asked_by, waiting)))
    return wait.StopClock(
        complaint_id=record.complaint_id,
        notice_id=asked_by,
        waiting=waiting,
        due=_lies(policy, waited),
        ground=_waiting_ground(policy),
        now=moment.now,
    )


def resumed_clock(answered_at: datetime, moment: Moment, record: Record) -> wait.ResumeClock:
    """Everything that the customer was asked for is on record."""
    policy, handling = moment.policy, record.handling
    return wait.ResumeClock(
        complaint_id=record.complaint_id,
        answered_at=answered_at,
        due=_lies(policy, handling.answered(answered_at)) if handling.stopped else (),
        ground=_waiting_ground(policy),
        now=moment.now,
    )


def recomputed(done: Mapping[Step, datetime], moment: Moment, record: Record) -> recompute.RecomputeDeadlines:
    """What the policy in force moves; `done`: the later steps that had their outcome, and when (SLA-2)."""
    policy = moment.policy
    return recompute.RecomputeDeadlines(
        complaint_id=record.complaint_id,
        moved=tuple(fixed.moved(policy, record, done, moment.now)),
        ground=policy.ground(),
        closed=moment.closed,
        now=moment.now,
    )


def passing(step: Step, moment: Moment, record: Record) -> overdue.PassDeadline:
    """To whom a late judgement or assignment goes."""
    owed_by = record.handling.term.owed_by if record.handling.term else None
    return overdue.PassDeadline(
        step=step,
        leadership=_above(moment, record, EscalationCause.OVERDUE, owed_by),
        ground=moment.policy.ground(moment.policy.deadlines.of(step).clause),
        now=moment.now,
    )


def facts(record: Record) -> Facts:
    """What policy is told; personal texts that were erased say nothing."""
    said = record.statement
    spoken = [text for text in (said.narrative, *said.supplements) if not isinstance(text, Erased)]
    return Facts(
        respondent=said.respondent,
        product=said.product,
        narrative="\n".join(spoken + [contest.new_facts for contest in record.handling.contests]),
        demand=said.demand,
        language=said.complainant.language,
        occurred_at=said.occurred_at,
        missing_details=record.missing_details,
        batch_incident=record.handling.incident is not None,
    )


def about(policy: Pack, record: Record) -> str | None:
    """The person complained of (ASG-4)."""
    return people.complained_of(policy, record.statement.respondent)


def _next(
    moment: Moment,
    record: Record,
    founded: Judgement | None,
    severity: Severity,
    judged: tuple[Kind, Nature, Severity],
) -> tuple[Answerable | None, tuple[StepDue, ...]]:
    """What intake owes after a judgement: the next one, or to assign; who, and by when."""
    handling = record.handling
    if handling.answerable is not None or (founded is not None and not founded.value):
        return None, ()
    step = Step.CLASSIFY if founded is None else Step.ASSIGN
    severity = Severity.MAJOR if handling.incident else severity
    term, before = handling.term, handling.judgement
    if term is not None and term.due.step is step and before is not None:
        unchanged = judged == (before.kind, before.nature, before.severity)
        if unchanged or term.missed or handling.level:
            return term.owed_by, (term.due,)  # the same deadline goes on (trap 1)
    return _owed_by(moment, record, step), (_counted(moment, record, step, severity),)


def _counted(moment: Moment, record: Record, step: Step, severity: Severity) -> StepDue:
    """From recording (or contest) on. What could only begin after its time was up has its time from then."""
    handling = record.handling
    # The desk has to ask for details: judging stands still once it has; what comes after waits for them.
    pauses = handling.pauses if step is Step.CLASSIFY else (*handling.pauses, *handling.waited)
    found = deadlines.due(moment.policy, step, severity, handling.counted_from, pauses)
    if found.due_at <= moment.now:
        return _due(moment.policy, step, severity, moment.now)
    return StepDue(step=step, due_at=found.due_at, warn_at=found.warn_at)


def _lies(policy: Pack, handling: Handling) -> tuple[StepDue, ...]:
    """Where what runs lies with its pauses; nothing where that is where it lies, or it was missed before."""
    term = handling.term
    if term is None or term.missed:
        return ()
    due = fixed.lies(policy, fixed.own(handling, term))
    return () if due == term.due else (due,)


def _waiting_ground(policy: Pack) -> Ground:
    waiting = policy.deadlines.waiting
    return policy.ground(waiting.clause) if waiting else policy.ground()


def _due(policy: Pack, step: Step, severity: Severity, start: datetime) -> StepDue:
    found = deadlines.due(policy, step, severity, start)
    return StepDue(step=step, due_at=found.due_at, warn_at=found.warn_at)


def _owed_by(moment: Moment, record: Record, step: Step) -> Answerable:
    """After a contest the judge of contests; else whoever answers for what no clause routes."""
    policy, on, of = moment.policy, moment.policy.day_of(moment.now), about(moment.policy, record)
    if step is Step.CLASSIFY and record.handling.round > 1:
        return incidents.judges_contest(policy, on, record.handling.judges_before, of)
    return people.choose(policy, people.in_unit(policy, policy.routing[-1].to), on, of).answerable


def _above(
    moment: Moment, record: Record, cause: EscalationCause, owed_by: Answerable | None
) -> escalation.Escalated:
    policy = moment.policy
    return escalation.escalate(
        policy, cause, policy.day_of(moment.now), owed_by, record.handling.level, about(policy, record)
    )


def _own_cause(moment: Moment, record: Record, person: str) -> bool:
    of = about(moment.policy, record)
    return of is not None and (person == of or of in people.superiors(moment.policy, person))


def _obstacle(moment: Moment, to: Answerable) -> str | None:
    """Why the policy would not have it that they answer for anything."""
    known = moment.policy.people.get(to.person)
    if known is None or known.unit != to.unit:
        return f"{to.person} is nobody the policy knows in {to.unit}"
    chosen = people.choose(moment.policy, (to.person,), moment.policy.day_of(moment.now))
    return None if chosen.answerable == to else f"{to.person} {chosen.passed_over[0].why}"


def _text(said: str | None) -> str | None:
    return None if isinstance(said, Erased) else said
