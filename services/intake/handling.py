"""What intake knows of steps 2 and 3 of a complaint: how it was judged, who answers for it, what is due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events.contracts import assign, classify, clock, term
from libs.events.contracts.handling import Answerable, Severity, Step, StepDue
from libs.events.contracts.values import Detail
from libs.policy.calendar import Span

Event = (
    classify.ComplaintClassified
    | classify.ClassificationContested
    | classify.ComplaintJoinedIncident
    | assign.ComplaintAssigned
    | assign.ComplaintEscalated
    | clock.DeadlineWarned
    | clock.DeadlineMissed
    | term.ClockStopped
    | term.ClockResumed
    | term.DeadlinesRecomputed
)


@dataclass(frozen=True, slots=True)
class Term:
    """What intake owes next, judging or assigning: by when, who, and what the clock has said of it.

    `fixed` is where the deadline lay at first; events that say so have moved it to `due`.
    """

    due: StepDue
    owed_by: Answerable | None
    fixed: StepDue
    moved_at: datetime | None = None
    warned: bool = False
    missed: bool = False

    @classmethod
    def first(cls, due: StepDue, owed_by: Answerable | None) -> Term:
        """As it is fixed."""
        return cls(due, owed_by, fixed=due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Everything that was decided, and where that leaves the complaint.

    Time for it counts from `counted_from`. `waited`: while details were `missing`, at present since
    `waiting_since`; `stops` are the times the customer, who had been asked for them, was waited for (SLA-9),
    `stopped` those that were not answered yet, and `awaited` what was asked for and is missing still.
    `stood_still`: while it was merged into another, at present since `stopped_since`, when it was withdrawn
    or merged. Later steps are due at `due`, counted from the assignment `first`, whatever hands it went
    through, and lie there since `due_moved_at` where they have moved. `late` are the terms of this round that
    were missed, and went to leadership. `answerable` is who has it now, `level` how far it was escalated
    since it was assigned, `reassigned` how often it changed hands since leadership last had it.
    """

    counted_from: datetime
    missing: frozenset[Detail] = frozenset()
    waiting_since: datetime | None = None
    waited: tuple[Span, ...] = ()
    awaited: frozenset[Detail] = frozenset()
    stopped: tuple[term.ClockStopped, ...] = ()
    stops: tuple[tuple[UUID, Span], ...] = ()
    stopped_since: datetime | None = None
    stood_still: tuple[Span, ...] = ()
    judgements: tuple[classify.ComplaintClassified, ...] = ()
    contests: tuple[classify.ClassificationContested, ...] = ()
    assignments: tuple[assign.ComplaintAssigned, ...] = ()
    first: assign.ComplaintAssigned | None = None
    due: tuple[StepDue, ...] = ()
    due_moved_at: datetime | None = None
    late: tuple[Term, ...] = ()
    escalations: tuple[assign.ComplaintEscalated, ...] = ()
    incident: classify.ComplaintJoinedIncident | None = None
    answerable: Answerable | None = None
    level: int = 0
    reassigned: int = 0
    term: Term | None = None

    @property
    def round(self) -> int:
        """Which judgement it is, from 1; a contest starts the next (CLS-5)."""
        return 1 + len(self.contests)

    @property
    def judgement(self) -> classify.ComplaintClassified | None:
        """The judgement that holds in this round: the last one, for no rule judges after a person (CLS-6)."""
        last = self.judgements[-1] if self.judgements else None
        return last if last and last.round == self.round else None

    @property
    def judged_by_person(self) -> bool:
        """Whether a person has judged it in this round."""
        return any(each.round == self.round and each.ground.person for each in self.judgements)

    @property
    def founded(self) -> bool | None:
        """Founded or not; None until that is judged."""
        judged = self.judgement
        return judged.founded.value if judged and judged.founded else None

    @property
    def severity(self) -> Severity:
        """As judged; major in a batch incident (CLS-7), minor until it is known better."""
        if self.incident is not None:
            return Severity.MAJOR
        return self.judgements[-1].severity if self.judgements else Severity.MINOR

    @property
    def judges_before(self) -> frozenset[str]:
        """The persons who judged it in earlier rounds."""
        earlier = (judged.ground.person for judged in self.judgements if judged.round < self.round)
        return frozenset(person for person in earlier if person is not None)

    @property
    def pauses(self) -> tuple[Span, ...]:
        """What does not count: while the customer was waited for, and while it stood still."""
        return (*(span for _, span in self.stops), *self.stood_still)

    def answered(self, at: datetime) -> Handling:
        """The customer is waited for no longer; what was past the policy's limit has counted already."""
        waited = ((each, Span(span.start, max(span.start, min(span.end, at)))) for each, span in self.stops)
        return replace(self, stopped=(), awaited=frozenset(), stops=tuple(waited))

    @property
    def entries(self) -> int:
        """How much was decided so far: names what is decided next."""
        return len(self.judgements) + len(self.contests) + len(self.assignments) + len(self.escalations)


def begun(at: datetime, missing: Collection[Detail]) -> Handling:
    """Nothing is decided of a complaint that came in at that time."""
    return Handling(counted_from=at, missing=frozenset(missing), waiting_since=at if missing else None)


def supplied(handling: Handling, missing: Collection[Detail], at: datetime) -> Handling:
    """After an amendment that leaves these details missing: the customer is waited for, or no longer."""
    handling = replace(handling, missing=frozenset(missing), awaited=handling.awaited.intersection(missing))
    if handling.waiting_since is None:
        return replace(handling, waiting_since=at) if missing else handling
    if missing:
        return handling
    waited = (*handling.waited, Span(handling.waiting_since, at))
    return replace(handling, waiting_since=None, waited=waited)


def stopped(handling: Handling, at: datetime) -> Handling:
    """No clock runs on."""
    return replace(handling, term=None, stopped_since=at)


def resumed(handling: Handling, at: datetime) -> Handling:
    """It goes on where it stood; the time between does not count."""
    if handling.stopped_since is None:
        return handling
    stood_still = (*handling.stood_still, Span(handling.stopped_since, at))
    return replace(handling, stopped_since=None, stood_still=stood_still)


def after(handling: Handling, event: Event) -> Handling:
    """Where it stands after `event`."""
    match event:
        case classify.ComplaintClassified():
            return _classified(handling, event)
        case classify.ClassificationContested():
            return replace(
                handling,
                contests=(*handling.contests, event),
                counted_from=event.contested_at,
                waited=(),
                stood_still=(),
                late=(),
                term=None,
            )
        case classify.ComplaintJoinedIncident():
            return replace(handling, incident=event)
        case assign.ComplaintAssigned():
            return replace(
                handling,
                assignments=(*handling.assignments, event),
                first=handling.first if handling.answerable else event,
                due=event.due,
                due_moved_at=handling.due_moved_at if handling.answerable else None,
                answerable=event.answerable,
                level=0,
                reassigned=_reassigned(handling, event),
                term=None,
            )
        case assign.ComplaintEscalated():
            return _escalated(handling, event)
        case clock.DeadlineWarned(step=step):
            return _told(handling, step, warned=True)
        case clock.DeadlineMissed(step=step):
            return _told(handling, step, warned=True, missed=True)
        case term.ClockStopped():
            stop = (event.notice_id, Span(event.since, event.until))
            stopped = replace(
                handling,
                stopped=(*handling.stopped, event),
                awaited=handling.missing,
                stops=(*handling.stops, stop),
            )
            return moved(stopped, event.due, event.stopped_at)
        case term.ClockResumed():
            return moved(handling.answered(event.answered_at), event.due, event.resumed_at)
        case term.DeadlinesRecomputed():
            return _recomputed(handling, event)
        case _:
            assert_never(event)


def _classified(handling: Handling, event: classify.ComplaintClassified) -> Handling:
    judged = replace(handling, judgements=(*handling.judgements, event))
    if event.founded is not None and not event.founded.value:
        judged = replace(judged, answerable=None, level=0, reassigned=0)
    if not event.due:
        return replace(judged, term=None)
    if handling.term is not None and handling.term.due == event.due[0]:
        return judged  # the same deadline goes on (trap 1)
    return replace(judged, term=Term.first(event.due[0], event.owed_by))


def moved(handling: Handling, due: tuple[StepDue, ...], at: datetime) -> Handling:
    """The same deadline lies elsewhere; what the clock has to say of that it says anew."""
    before = handling.term
    if before is None or not due or due[0].step is not before.due.step:
        return handling
    return replace(handling, term=replace(before, due=due[0], moved_at=at, warned=False, missed=False))


def _recomputed(handling: Handling, event: term.DeadlinesRecomputed) -> Handling:
    lies = {(each.due.step, each.before_at, each.running): each.due for each in event.moved}
    stood = {(each.due.step, each.before_at) for each in event.moved if each.breach is term.Breach.STANDS}
    due = tuple(
        lies.get((each.step, each.due_at, True)) or lies.get((each.step, each.due_at, False)) or each
        for each in handling.due
    )
    late = (lies.get((each.due.step, each.due.due_at, False)) for each in handling.late)
    return replace(
        handling,
        term=_own(handling.term, lies, stood, event.recomputed_at),
        late=tuple(replace(term, due=now or term.due) for term, now in zip(handling.late, late, strict=True)),
        due=due,
        due_moved_at=event.recomputed_at if due != handling.due else handling.due_moved_at,
    )


def _own(
    owed: Term | None,
    lies: Mapping[tuple[Step, datetime, bool], StepDue],
    stood: Collection[tuple[Step, datetime]],
    at: datetime,
) -> Term | None:
    """Where a policy has it now; what was missed, and is missed there too, was said."""
    there = lies.get((owed.due.step, owed.due.due_at, True)) if owed else None
    if owed is None or there is None:
        return owed
    said = (owed.due.step, owed.due.due_at) in stood
    return replace(owed, due=there, moved_at=at, warned=said and owed.warned, missed=said and owed.missed)


def _reassigned(handling: Handling, event: assign.ComplaintAssigned) -> int:
    """How often people have passed it on; when the policy finds it another owner, nobody has (ASG-5)."""
    passed_on = handling.answerable is not None and event.ground.person is not None
    return handling.reassigned + passed_on if handling.answerable else 0


def _escalated(handling: Handling, event: assign.ComplaintEscalated) -> Handling:
    return replace(
        handling,
        escalations=(*handling.escalations, event),
        level=event.level,
        reassigned=0,
        answerable=event.to if handling.answerable else None,
        term=Term.first(event.due[0], event.to) if event.due else handling.term,
        late=(*handling.late, handling.term) if event.due and handling.term else handling.late,
    )


def _told(handling: Handling, step: Step, *, warned: bool, missed: bool = False) -> Handling:
    if handling.term is None or handling.term.due.step is not step:
        return handling
    return replace(handling, term=replace(handling.term, warned=warned, missed=missed))
