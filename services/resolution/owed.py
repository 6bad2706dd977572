"""What is still owed of steps 5, 7 and 8, by whom and by when: for the clock and for the outcome alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from libs.events.contracts.handling import Answerable, Step
from libs.events.contracts.penalize import Charge
from libs.events.contracts.propose import SolutionProposed
from libs.policy import people
from libs.policy.pack import Pack
from services.resolution import state
from services.resolution.measure import Completed, Improvement, NotPlanned, Planned, Verified
from services.resolution.solution import Agreed, CarriedOut, NothingProposed, Offered, Proposed, TurnedDown
from services.resolution.state import Case, Handling


class Want(StrEnum):
    """What is missing of a step."""

    RECORD = "record"
    DETAILS = "details"
    JUDGEMENT = "judgement"
    ASSIGNMENT = "assignment"
    FINDING = "finding"
    PROPOSAL = "proposal"
    APPROVAL = "approval"
    CUSTOMER_ANSWER = "customer_answer"
    EXECUTION = "execution"
    NOTICE = "notice"
    REPLY = "reply"
    DECISION = "decision"
    APPEAL_DECISION = "appeal_decision"
    MEASURE = "measure"
    COMPLETION = "completion"
    VERIFICATION = "verification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """Something that is missing. `due_at` is None while the customer is waited for: no clock runs (SLA-9)."""

    step: Step
    what: Want
    owed_by: Answerable
    due_at: datetime | None
    warn_at: datetime | None = None
    about: str | None = None  # whose responsibility, which sanction, proposal or improvement
    term: str | None = None  # what tells its deadline from others of the step, where that has several
    charge: Charge | None = None  # of a responsibility, and what it rests on
    rests_on: UUID | None = None


def of_solution(case: Case, handling: Handling, policy: Pack) -> Iterator[Owed]:
    """What is missing of step 5: the handler owes it, or whoever must approve."""
    due, by = handling.due_of(Step.PROPOSE), handling.answerable
    due_at, warn_at = (due.due_at, due.warn_at) if due else (None, None)
    match case.solution:
        case NothingProposed() | TurnedDown():
            yield Owed(
                step=Step.PROPOSE,
                what=Want.PROPOSAL,
                owed_by=by,
                due_at=due_at,
                warn_at=warn_at,
                term=_round(case),
            )
        case Proposed() as proposed:
            asked = proposed.proposal.due
            for needed in proposed.waiting_for:
                yield Owed(
                    step=Step.PROPOSE,
                    what=Want.APPROVAL,
                    owed_by=people.answerable(policy, needed.person)
                    if needed.person in policy.people
                    else Answerable(unit=needed.office, person=needed.person),
                    due_at=asked.due_at if asked else due_at,
                    warn_at=asked.warn_at if asked else warn_at,
                    about=str(case.proposals),
                    term=approval(proposed.proposal, needed.office) if asked else None,
                )
        case Offered():
            yield Owed(
                step=Step.PROPOSE,
                what=Want.CUSTOMER_ANSWER,
                owed_by=by,
                due_at=None,
                about=str(case.proposals),
            )
        case Agreed():
            yield Owed(
                step=Step.PROPOSE,
                what=Want.EXECUTION,
                owed_by=by,
                due_at=due_at,
                warn_at=warn_at,
                about=str(case.proposals),
                term=_round(case),
            )
        case CarriedOut():
            return
        case _:
            assert_never(case.solution)


def approval(of: SolutionProposed, office: str) -> str:
    """What the deadline of an office's approval is about."""
    return f"{of.proposal}/{office}"


def _round(case: Case) -> str | None:
    """Which proposal was answered: what follows it has a deadline of its own."""
    return None if isinstance(case.solution, NothingProposed) else str(case.proposals)


def of_responsibilities(case: Case) -> Iterator[Owed]:
    """What is missing of step 7: a decision about each person, and about each appeal."""
    for raised in case.unsettled:
        yield Owed(
            step=Step.PENALIZE,
            what=Want.DECISION,
            owed_by=raised.owed_by,
            due_at=raised.due.due_at,
            warn_at=raised.due.warn_at,
            about=raised.person,
            term=state.name_of(raised),
            charge=raised.charge,
            rests_on=raised.rests_on,
        )
    for sanction in case.appeals:
        if appealed := sanction.appealed:
            yield Owed(
                step=Step.PENALIZE,
                what=Want.APPEAL_DECISION,
                owed_by=appealed.judge,
                due_at=appealed.due.due_at,
                warn_at=appealed.due.warn_at,
                about=str(appealed.sanction),
            )


def of_case_measure(case: Case, handling: Handling) -> Iterator[Owed]:
    """What is missing of step 8 in the complaint itself: a measure, or a reason why none is needed."""
    if case.spared is None and not case.improvements:
        due = handling.due_of(Step.IMPROVE)
        yield Owed(
            step=Step.IMPROVE,
            what=Want.MEASURE,
            owed_by=handling.answerable,
            due_at=due.due_at if due else None,
            warn_at=due.warn_at if due else None,
        )


def of_improvement(improvement: Improvement) -> Iterator[Owed]:
    """What is missing of a measure: its completion by its owner, then the check of its effect by another."""
    match improvement:
        case Planned(plan):
            what, by = Want.COMPLETION, plan.owner
        case Completed(plan, completed):
            what, by = Want.VERIFICATION, completed.verifier
        case NotPlanned() | Verified():
            return
        case _:
            assert_never(improvement)
    yield Owed(
        step=Step.IMPROVE,
        what=what,
        owed_by=by,
        due_at=plan.due_at,
        warn_at=plan.warn_at,
        about=str(plan.improvement_id),
    )
