"""The eight steps of a complaint: what is on record, what is missing, who owes it by when, the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from libs.events.contracts import propose
from libs.events.contracts.handling import Answerable, Step
from libs.events.contracts.notify import NoticeKind
from libs.events.contracts.values import Contact
from libs.policy import deadlines, incidents, people
from libs.policy.calendar import Span
from libs.policy.pack import Pack
from services.resolution import lateness, owed
from services.resolution.history import Complaint, Entry
from services.resolution.owed import Owed, Want
from services.resolution.solution import Offered

# Which steps a complaint goes through, by how it ends. Whoever answers for a fault is decided on all of them.
PATHS: Final = {
    propose.Outcome.RESOLVED: frozenset(Step),
    propose.Outcome.UNFOUNDED: frozenset({Step.RECORD, Step.CLASSIFY, Step.NOTIFY, Step.PENALIZE}),
    propose.Outcome.WITHDRAWN: frozenset({Step.RECORD, Step.PENALIZE}),
    propose.Outcome.MERGED: frozenset({Step.RECORD, Step.PENALIZE}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """One step: `wanted` on this complaint's path or not, what is on record, what is missing of it."""

    step: Step
    wanted: bool
    on_record: tuple[Entry, ...]
    missing: tuple[Owed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where a complaint stands; `path`: how it ends, as things are. An enquiry is not on any path."""

    complaint_id: UUID
    path: propose.Outcome | None
    round: int
    steps: tuple[StepOutcome, ...]
    closed: propose.ComplaintClosed | None

    @property
    def missing(self) -> tuple[Owed, ...]:
        """All that is still owed."""
        return tuple(each for step in self.steps for each in step.missing)

    @property
    def complete(self) -> bool:
        """Every step has its outcome on record, and the complaint has not been closed for it yet."""
        return self.path is not None and self.closed is None and not self.missing


def of(complaint: Complaint, policy: Pack) -> Outcome:
    """The eight steps of a complaint; `policy` says who owes what nobody was assigned."""
    path = path_of(complaint)
    wanted = PATHS[path] if path else frozenset({Step.RECORD, Step.NOTIFY})
    missing = list(_missing(complaint, path, policy))
    return Outcome(
        complaint_id=complaint.complaint_id,
        path=path,
        round=complaint.case.round,
        steps=tuple(
            StepOutcome(
                step=step,
                wanted=step in wanted,
                on_record=tuple(entry for entry in complaint.entries if entry.step is step),
                missing=tuple(each for each in missing if each.step is step and step in wanted),
            )
            for step in Step
        ),
        closed=complaint.case.closed,
    )


def spent(complaint: Complaint, policy: Pack, now: datetime) -> deadlines.Spent:
    """What it took from recording to its end, or so far: on the clock, and without waits for the customer."""
    case, closed = complaint.case, complaint.case.closed
    end = closed.closed_at if closed else now
    offered = (Span(case.solution.since, end),) if isinstance(case.solution, Offered) else ()
    return deadlines.spent(policy, complaint.recorded_at, end, (*complaint.waits, *case.waits, *offered))


def path_of(complaint: Complaint) -> propose.Outcome | None:
    """How the complaint ends, as things are; None for an enquiry, which may yet become one (REC-4)."""
    if complaint.merged_into is not None:
        return propose.Outcome.MERGED
    if complaint.withdrawn:
        return propose.Outcome.WITHDRAWN
    if complaint.contact is Contact.ENQUIRY:
        return None
    founded = complaint.judged.founded if complaint.judged else None
    if founded is not None and not founded.value:
        return propose.Outcome.UNFOUNDED
    return propose.Outcome.RESOLVED


def _missing(complaint: Complaint, path: propose.Outcome | None, policy: Pack) -> Iterator[Owed]:
    yield from _decisions(complaint, policy)
    if complaint.case.closed is not None:
        return
    if path is None:
        if not complaint.answered:
            by = complaint.first_owed.get(Step.NOTIFY) or _desk(complaint, policy)
            due_at = complaint.first_reply_due_at
            yield Owed(step=Step.NOTIFY, what=Want.REPLY, owed_by=by, due_at=due_at)
    elif path is propose.Outcome.UNFOUNDED:
        if NoticeKind.UNFOUNDED_REPLY not in complaint.told:
            yield _notice(complaint, policy, NoticeKind.UNFOUNDED_REPLY, complaint.first_reply_due_at)
    elif path is propose.Outcome.RESOLVED:
        yield from _first_steps(complaint, policy)
        yield from _later_steps(complaint, policy)


def _first_steps(complaint: Complaint, policy: Pack) -> Iterator[Owed]:
    """Steps 2 to 4: judged, assigned, found."""
    if complaint.judged is None or complaint.judged.founded is None:
        due_at = complaint.first_due.get(Step.CLASSIFY) or (
            deadlines.due(policy, Step.CLASSIFY, complaint.severity, _judging_since(complaint)).due_at
        )
        waits = complaint.judged is not None and complaint.contested is None  # then a judge is waited for
        yield Owed(
            step=Step.CLASSIFY,
            what=Want.DETAILS if waits else Want.JUDGEMENT,
            owed_by=complaint.first_owed.get(Step.CLASSIFY) or _judge(complaint, policy),
            due_at=due_at,
        )
    if complaint.answerable is None:
        due_at = complaint.first_due.get(Step.ASSIGN) or (
            deadlines.due(policy, Step.ASSIGN, complaint.severity, complaint.recorded_at).due_at
        )
        by = complaint.first_owed.get(Step.ASSIGN) or _desk(complaint, policy)
        yield Owed(step=Step.ASSIGN, what=Want.ASSIGNMENT, owed_by=by, due_at=due_at)
    if complaint.finding is None:
        yield _owed(complaint, policy, Step.INVESTIGATE, Want.FINDING)


def _later_steps(complaint: Complaint, policy: Pack) -> Iterator[Owed]:
    """Steps 5 to 8, but for the decisions that are owed on every path."""
    case = complaint.case
    if case.handling is None:
        yield _owed(complaint, policy, Step.PROPOSE, Want.PROPOSAL)
        yield _owed(complaint, policy, Step.IMPROVE, Want.MEASURE)
    else:
        yield from owed.of_solution(case, case.handling, policy)
        yield from owed.of_case_measure(case, case.handling)
    if NoticeKind.SOLUTION not in complaint.told:
        due_at = complaint.due_of(Step.NOTIFY)
        yield _notice(complaint, policy, NoticeKind.SOLUTION, due_at)
    if complaint.finding is None:
        yield _owed(complaint, policy, Step.PENALIZE, Want.DECISION)
    for improvement_id in case.improvements:
        if improvement_id in complaint.measures:
            yield from owed.of_improvement(complaint.measures[improvement_id])
        else:
            yield _owed(complaint, policy, Step.IMPROVE, Want.COMPLETION)


def _decisions(complaint: Complaint, policy: Pack) -> Iterator[Owed]:
    """What is owed of step 7: decisions, and what was verified and is still to be put to somebody."""
    case = complaint.case
    yield from owed.of_responsibilities(case)
    put = {each.rests_on for each in (*case.raised, *case.settlements)}
    verified = [late.rests_on for late in lateness.charged(complaint.lates)]
    if complaint.finding is not None:
        verified.append(complaint.finding.envelope.event_id)
    if not put.issuperset(verified):
        yield _owed(complaint, policy, Step.PENALIZE, Want.DECISION)


def _owed(complaint: Complaint, policy: Pack, step: Step, what: Want) -> Owed:
    """By whoever answers for the complaint, else by the unit that gets what nothing else routes."""
    by = complaint.answerable or _desk(complaint, policy)
    return Owed(step=step, what=what, owed_by=by, due_at=complaint.due_of(step))


def _notice(complaint: Complaint, policy: Pack, kind: NoticeKind, due_at: datetime | None) -> Owed:
    """By the person to whom its delivery was given by hand, else by whoever answers (trap 13)."""
    by = complaint.tasks.get(kind) or complaint.answerable or complaint.first_owed.get(Step.NOTIFY)
    by = by or _desk(complaint, policy)
    return Owed(step=Step.NOTIFY, what=Want.NOTICE, owed_by=by, due_at=due_at, about=kind)


def _judging_since(complaint: Complaint) -> datetime:
    return complaint.contested.event.contested_at if complaint.contested else complaint.recorded_at


def _judge(complaint: Complaint, policy: Pack) -> Answerable:
    """Another judge where it is contested (CLS-5)."""
    if complaint.contested is None:
        return _desk(complaint, policy)
    event = complaint.contested.event
    before = frozenset({event.judged_before_by} if event.judged_before_by else ())
    about = people.complained_of(policy, complaint.respondent)
    return incidents.judges_contest(policy, policy.day_of(event.contested_at), before, about)


def _desk(complaint: Complaint, policy: Pack) -> Answerable:
    """The unit that gets what nothing else routes, but nobody whom the complaint is about (ASG-4)."""
    unit = policy.routing[-1].to
    named = people.in_unit(policy, unit) if unit in policy.units else policy.leadership.members
    about = people.complained_of(policy, complaint.respondent)
    return people.choose(policy, named, policy.day_of(complaint.recorded_at), about).answerable
