"""What resolution knows of a complaint: its solution, who answers for what, its measures, its end.

Steps 5, 7 and 8 go on side by side, so a case is a record of three tracks rather than one situation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import improve, penalize, propose
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Kind, Severity, Step, StepDue
from libs.events.contracts.penalize import Charge
from libs.events.contracts.term import Breach, DeadlinesRecomputed, MovedDue
from libs.policy.calendar import Span
from services.resolution import sanctioned
from services.resolution import solution as solving
from services.resolution.sanctioned import Sanction
from services.resolution.solution import NothingProposed, Offered, Solution

Event = (
    propose.CaseOpened
    | propose.CaseHandedOver
    | propose.SolutionProposed
    | propose.SolutionApproved
    | propose.SolutionRejected
    | propose.CustomerAnswered
    | propose.DisputeSettled
    | propose.ExecutionAdvanced
    | propose.ComplaintClosed
    | propose.ComplaintReopened
    | penalize.ResponsibilityRaised
    | penalize.SanctionImposed
    | penalize.ResponsibilityWaived
    | penalize.NoFaultFound
    | penalize.CaseStated
    | penalize.SanctionAppealed
    | penalize.AppealDecided
    | penalize.AppealOverdue
    | penalize.RewardGranted
    | improve.ComplaintJoinedImprovement
    | improve.ImprovementNotNeeded
    | DeadlineWarned
    | DeadlineMissed
    | DeadlinesRecomputed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Who answers for the complaint, how grave it is, and by when each later step is due."""

    answerable: Answerable
    kind: Kind
    severity: Severity
    due: tuple[StepDue, ...]
    acted_on: int

    def due_of(self, step: Step) -> StepDue | None:
        """When a step is due, if that was fixed."""
        return next((each for each in self.due if each.step is step), None)


Said = tuple[Step, datetime, str | None]
Place = tuple[str | None, Charge, UUID]  # whose responsibility, for what, resting on which event
Settlement = penalize.SanctionImposed | penalize.ResponsibilityWaived | penalize.NoFaultFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that is on record; `handling` is None until somebody was made answerable.

    `since` is when this round of it began, `waits` are the times the customer was waited for (SLA-9).
    `graded` says since when it is how grave; the time of step 5 counts from what was `answered_at` then, the
    times of a reopening from `again_since`; the decisions `with_step` are due when step 7 was to be.
    `warned` and `missed` hold what the clock has said: of which step, due when, about which of several.
    """

    handling: Handling | None = None
    round: int = 1
    since: datetime | None = None
    waits: tuple[Span, ...] = ()
    graded: tuple[tuple[datetime, Severity], ...] = ()
    answered_at: datetime | None = None
    again_since: datetime | None = None
    with_step: frozenset[str] = frozenset()
    solution: Solution = field(default_factory=NothingProposed)
    proposals: int = 0
    raised: tuple[penalize.ResponsibilityRaised, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    sanctions: tuple[Sanction, ...] = ()
    rewards: tuple[penalize.RewardGranted, ...] = ()
    improvements: tuple[UUID, ...] = ()
    spared: improve.ImprovementNotNeeded | None = None
    closed: propose.ComplaintClosed | None = None
    warned: frozenset[Said] = frozenset()
    missed: frozenset[Said] = frozenset()

    @property
    def unsettled(self) -> tuple[penalize.ResponsibilityRaised, ...]:
        """The responsibilities that still want a sanction, a waiver or a finding of no fault."""
        settled = {place(each) for each in self.settlements}
        return tuple(each for each in self.raised if place(each) not in settled)

    @property
    def appeals(self) -> tuple[Sanction, ...]:
        """The sanctions whose appeal waits for its judge."""
        return tuple(each for each in self.sanctions if each.appealed and not each.decided)

    def severity_at(self, at: datetime) -> Severity:
        """How grave it was then; minor until somebody was made answerable."""
        return next((severity for since, severity in reversed(self.graded) if since <= at), Severity.MINOR)

    @property
    def reopened(self) -> bool:
        """Whether it is open in a further round."""
        return self.round > 1 and self.closed is None


INITIAL: Final = Case()


class NotYetAssigned(errors.Refused):
    """The complaint must be assigned first (step 3); its case then opens by itself."""

    code = "not_yet_assigned"


class AlreadyClosed(errors.Refused):
    """The complaint is closed; it must be reopened first."""

    code = "already_closed"


class JudgeInOwnCause(errors.Refused):
    """This concerns you, or somebody you answer to: another person must decide it."""

    code = "judge_in_own_cause"


class NotYetFound(errors.Refused):
    """The cause must be found first (step 4); then it can be said whether it calls for a measure."""

    code = "not_yet_found"


class NotYetSanctioned(errors.Refused):
    """There is no such sanction: it must be imposed first."""

    code = "not_yet_sanctioned"


def place(of: penalize.ResponsibilityRaised | Settlement) -> Place:
    """What tells one responsibility of a case from another."""
    return of.person, of.charge, of.rests_on


def handled(case: Case) -> Handling:
    """How an open case is handled; refused while it has not opened, or once it closed."""
    if case.closed is not None:
        raise AlreadyClosed(outcome=case.closed.outcome)
    if case.handling is None:
        raise NotYetAssigned
    return case.handling


def judge_in_own_cause(about: str | None, author: str, under: frozenset[str]) -> None:
    """Refused to the person complained of, and to whoever answers to them (ASG-4)."""
    if about is not None and about in {author, *under}:
        raise JudgeInOwnCause


def sanction(case: Case, number: int) -> Sanction:
    """The sanction of that number; refused where there is none."""
    found = next((each for each in case.sanctions if each.imposed.sanction == number), None)
    if found is None:
        raise NotYetSanctioned
    return found


def name_of(of: penalize.ResponsibilityRaised | Settlement) -> str:
    """The same in a word: what its deadline is about."""
    return "/".join(map(str, place(of)))


def evolve(case: Case, event: Event) -> Case:
    """The case after `event`."""
    match event:
        case propose.CaseOpened() | propose.CaseHandedOver():
            return _handed(case, event)
        case propose.ComplaintClosed():
            return replace(case, closed=event)
        case propose.ComplaintReopened():
            return _reopened(case, event)
        case DeadlineWarned(step=step, due_at=due_at, about=about):
            return replace(case, warned=case.warned | {(step, due_at, about)})
        case DeadlineMissed(step=step, due_at=due_at, about=about):
            return replace(case, missed=case.missed | {(step, due_at, about)})
        case DeadlinesRecomputed():
            return _recomputed(case, event)
        case improve.ComplaintJoinedImprovement(improvement_id=joined):
            return replace(case, improvements=(*case.improvements, joined))
        case improve.ImprovementNotNeeded():
            return replace(case, spared=event)
        case penalize.RewardGranted():
            return replace(case, rewards=(*case.rewards, event))
        case (
            penalize.ResponsibilityRaised()
            | penalize.SanctionImposed()
            | penalize.ResponsibilityWaived()
            | penalize.NoFaultFound()
        ):
            return _answered_for(case, event)
        case (
            penalize.CaseStated()
            | penalize.SanctionAppealed()
            | penalize.AppealDecided()
            | penalize.AppealOverdue()
        ):
            return replace(case, sanctions=tuple(sanctioned.heard(each, event) for each in case.sanctions))
        case propose.SolutionProposed():
            return replace(case, proposals=event.proposal, solution=solving.proposed(event))
        case (
            propose.SolutionApproved()
            | propose.SolutionRejected()
            | propose.CustomerAnswered()
            | propose.DisputeSettled()
            | propose.ExecutionAdvanced()
        ):
            return replace(_due_now(case, event), solution=solving.after(case.solution, event))
        case _:
            assert_never(event)


def _handed(case: Case, event: propose.CaseOpened | propose.CaseHandedOver) -> Case:
    at = event.opened_at if isinstance(event, propose.CaseOpened) else event.handed_over_at
    handling = _handling(case, event)
    before = case.handling.due if case.handling else ()
    moved = {due.step: due.due_at for due in handling.due if due.due_at <= at}  # late all the same
    kept = case.handling is not None and set(handling.due) == set(before)

    def said(known: frozenset[Said]) -> frozenset[Said]:
        late = ((due.step, due.due_at, None) in known for due in before)
        again = (due.step for due, was in zip(before, late, strict=True) if was and due.step in moved)
        return known | {(step, moved[step], None) for step in again}

    return replace(
        case,
        warned=said(case.warned) if moved else case.warned,
        missed=said(case.missed) if moved else case.missed,
        handling=handling,
        since=case.since or (at if isinstance(event, propose.CaseOpened) else None),
        graded=(*case.graded, (at, event.severity)),
        again_since=case.again_since if kept else None,
    )


def _handling(case: Case, event: propose.CaseOpened | propose.CaseHandedOver) -> Handling:
    """What follows an answered proposal keeps the time that the answer gave it, whoever takes over."""
    answered = case.handling and not isinstance(case.solution, NothingProposed)
    given = case.handling.due_of(Step.PROPOSE) if case.handling and answered else None
    handling = Handling(
        answerable=event.answerable,
        kind=event.kind,
        severity=event.severity,
        due=event.due,
        acted_on=event.acted_on,
    )
    return replace(handling, due=_with(handling.due, given)) if given else handling


def _reopened(case: Case, event: propose.ComplaintReopened) -> Case:
    """A further round begins: it needs its own solution and measure; who answered for what stays answered."""
    handling = case.handling and replace(case.handling, due=event.due or case.handling.due)
    return replace(
        case,
        handling=handling,
        round=case.round + 1,
        since=event.reopened_at,
        waits=(),
        answered_at=None,
        again_since=event.reopened_at if event.due else case.again_since,
        solution=NothingProposed(),
        improvements=(),
        spared=None,
        closed=None,
        warned=frozenset(each for each in case.warned if each[0] is Step.PENALIZE),
        missed=frozenset(each for each in case.missed if each[0] is Step.PENALIZE),
    )


def _due_now(case: Case, event: Event) -> Case:
    """Once an office or the customer has answered, the time of step 5 is that of what follows (SLA-9)."""
    case = replace(case, waits=_waited(case, event))
    match event:
        case propose.SolutionRejected(due=StepDue() as due, rejected_at=at):
            pass
        case (
            propose.CustomerAnswered(due=due, answered_at=at) | propose.DisputeSettled(due=due, settled_at=at)
        ):
            pass
        case _:
            return case
    handling = case.handling and replace(case.handling, due=_with(case.handling.due, due))
    return replace(case, handling=handling, answered_at=at)


def _with(all_due: tuple[StepDue, ...], due: StepDue) -> tuple[StepDue, ...]:
    """The due times with another one for step 5."""
    others = (each for each in all_due if each.step is not Step.PROPOSE)
    return (*others, replace(due, step=Step.PROPOSE))


def _waited(case: Case, event: Event) -> tuple[Span, ...]:
    if isinstance(event, propose.CustomerAnswered) and isinstance(case.solution, Offered):
        return (*case.waits, Span(case.solution.since, event.answered_at))
    return case.waits


def _answered_for(case: Case, event: penalize.ResponsibilityRaised | Settlement) -> Case:
    if isinstance(event, penalize.ResponsibilityRaised):
        step = case.handling.due_of(Step.PENALIZE) if case.handling else None
        with_step = case.with_step | ({name_of(event)} if event.due == step else frozenset())
        return replace(case, raised=(*case.raised, event), with_step=with_step)
    settled = replace(case, settlements=(*case.settlements, event))
    if isinstance(event, penalize.SanctionImposed):
        return replace(settled, sanctions=(*case.sanctions, Sanction(event)))
    return settled


def _recomputed(case: Case, event: DeadlinesRecomputed) -> Case:
    """Each lies where the event says; what was missed, and is missed there too, was said."""
    lies = {(each.due.step, each.about): each for each in event.moved}
    stood = {each for each in event.moved if each.breach is Breach.STANDS}

    def said(before: frozenset[Said]) -> frozenset[Said]:
        known = (each for each in stood if (each.due.step, each.before_at, each.about) in before)
        return before | {(each.due.step, each.due.due_at, each.about) for each in known}

    return replace(
        case,
        handling=case.handling and replace(case.handling, due=_dues(case, case.handling, lies)),
        solution=solving.moved(case.solution, lies),
        raised=tuple(
            replace(each, due=now.due) if (now := lies.get((Step.PENALIZE, name_of(each)))) else each
            for each in case.raised
        ),
        sanctions=tuple(
            sanctioned.moved(each, lies.get((Step.PENALIZE, each.appeal))) for each in case.sanctions
        ),
        warned=said(case.warned),
        missed=said(case.missed),
    )


Lies = Mapping[tuple[Step, str | None], MovedDue]


def _dues(case: Case, handling: Handling, lies: Lies) -> tuple[StepDue, ...]:
    answered = None if isinstance(case.solution, NothingProposed) else str(case.proposals)
    found = (lies.get((each.step, answered if each.step is Step.PROPOSE else None)) for each in handling.due)
    return tuple(now.due if now else each for each, now in zip(handling.due, found, strict=True))
