"""What becomes of a solution: proposed, approved, offered, turned down or agreed, carried out (PRO)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from libs.events import errors
from libs.events.contracts import propose
from libs.events.contracts.handling import Step
from libs.events.contracts.propose import Answer, Stage
from libs.events.contracts.term import MovedDue


@dataclass(frozen=True, slots=True)
class NothingProposed:
    """No solution is on record yet."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A solution waits for offices to approve it (PRO-3)."""

    proposal: propose.SolutionProposed
    approved: frozenset[str] = frozenset()

    @property
    def waiting_for(self) -> tuple[propose.ApprovalNeeded, ...]:
        """The approvals that are still needed."""
        return tuple(each for each in self.proposal.approvals if each.office not in self.approved)


@dataclass(frozen=True, slots=True)
class Offered:
    """A solution may be carried out once the customer, who is waited for since then, accepts it (PRO-4)."""

    proposal: propose.SolutionProposed
    since: datetime


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """An office or the customer would not have it: another one is owed; `answer` is the customer's."""

    proposal: propose.SolutionProposed
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Agreed:
    """The customer accepted it, or a dispute was settled: it is being carried out (PRO-5)."""

    proposal: propose.SolutionProposed
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """All of it is done, and signed for where that is called for: step 5 has its outcome."""

    proposal: propose.SolutionProposed


Solution = NothingProposed | Proposed | Offered | TurnedDown | Agreed | CarriedOut


def proposed(event: propose.SolutionProposed) -> Solution:
    """It waits for who must approve it, or for the customer."""
    return Proposed(event) if event.approvals else Offered(event, event.proposed_at)


def after(
    solution: Solution,
    event: propose.SolutionApproved
    | propose.SolutionRejected
    | propose.CustomerAnswered
    | propose.DisputeSettled
    | propose.ExecutionAdvanced,
) -> Solution:
    """After an event of it."""
    if isinstance(solution, NothingProposed):
        raise errors.ContractError("A solution must be proposed before anything becomes of it.")
    match event:
        case propose.SolutionApproved(office=office, complete=complete):
            before = solution.approved if isinstance(solution, Proposed) else frozenset[str]()
            approved = Proposed(solution.proposal, before | {office})
            return Offered(solution.proposal, event.approved_at) if complete else approved
        case propose.SolutionRejected():
            return TurnedDown(solution.proposal, None)
        case propose.CustomerAnswered(answer=Answer.ACCEPTED) | propose.DisputeSettled():
            return Agreed(solution.proposal)
        case propose.CustomerAnswered(answer=answer):
            return TurnedDown(solution.proposal, answer)
        case propose.ExecutionAdvanced(complete=True):
            return CarriedOut(solution.proposal)
        case propose.ExecutionAdvanced(stage=stage):
            return Agreed(solution.proposal, stage)
        case _:
            assert_never(event)


def moved(solution: Solution, lies: Mapping[tuple[Step, str | None], MovedDue]) -> Solution:
    """Its approvals are due where that says."""
    if not isinstance(solution, Proposed):
        return solution
    number = solution.proposal.proposal
    found = [lies.get((Step.PROPOSE, f"{number}/{each.office}")) for each in solution.waiting_for]
    return next(
        (replace(solution, proposal=replace(solution.proposal, due=now.due)) for now in found if now),
        solution,
    )
