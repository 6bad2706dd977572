"""Step 5, approve: the offices that the matrix names approve a solution, or one rejects it (PRO-3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import propose as events
from libs.events.contracts.handling import StepDue
from libs.events.contracts.propose import ApprovalNeeded, CostBearer, RemedyKind
from libs.policy import people
from libs.policy.pack import Pack
from services.resolution import state
from services.resolution.solution import Agreed, CarriedOut, NothingProposed, Offered, Proposed, TurnedDown
from services.resolution.state import Case

Event = events.SolutionApproved | events.SolutionRejected


class NotYetProposed(errors.Refused):
    """There is no such solution: it must be proposed first."""

    code = "not_yet_proposed"


class OldProposal(errors.Refused):
    """Another solution was proposed since: decide on that one."""

    code = "old_proposal"


class NotYourOffice(errors.Refused):
    """None of the approvals that are still needed is yours: those named must give them."""

    code = "not_your_office"


class OwnProposal(errors.Refused):
    """Nobody approves their own proposal: another person must."""

    code = "own_proposal"


class NothingToApprove(errors.Refused):
    """This solution was approved, rejected or turned down before; only another proposal can be decided on."""

    code = "nothing_to_approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApproval:
    """Approve for all the offices the approver holds, or reject with a reason.

    `about`: the person complained of; `due`: of another proposal, should this one be rejected.
    """

    complaint_id: UUID
    data_subject: str
    proposal: int
    approver: str
    approved: bool
    reason: str
    about: str | None
    due: StepDue
    policy: Pack
    now: datetime


def decide(command: DecideApproval, case: Case) -> list[Event]:
    """The last approval that is needed makes it complete."""
    state.handled(case)
    solution = case.solution
    if isinstance(solution, NothingProposed) or command.proposal > solution.proposal.proposal:
        raise NotYetProposed
    if command.proposal < solution.proposal.proposal:
        raise OldProposal(proposal=solution.proposal.proposal)
    match solution:
        case Proposed():
            return _decided(command, solution)
        case Offered(proposal) | Agreed(proposal) | CarriedOut(proposal):
            if command.approved and any(each.person == command.approver for each in proposal.approvals):
                return []  # theirs was given before
            raise NothingToApprove
        case TurnedDown(answer=answer):
            if answer is None and not command.approved:
                return []  # it was rejected before
            raise NothingToApprove
        case _:
            assert_never(solution)


def _decided(command: DecideApproval, solution: Proposed) -> list[Event]:
    proposal = solution.proposal
    if command.approver == proposal.proposer:
        raise OwnProposal
    above = frozenset(people.superiors(command.policy, command.approver))
    state.judge_in_own_cause(command.about, command.approver, above)
    mine = tuple(each for each in solution.waiting_for if _may(command, each))
    if not mine:
        if any(each.person == command.approver for each in proposal.approvals) and command.approved:
            return []  # theirs was given before
        raise NotYourOffice(waiting_for=[each.person for each in solution.waiting_for])
    if not command.approved:
        return [_rejected(command, proposal, mine[0])]
    left = len(solution.waiting_for) - len(mine)
    return [
        events.SolutionApproved(
            complaint_id=command.complaint_id,
            proposal=proposal.proposal,
            office=each.office,
            approver=command.approver,
            complete=left == 0 and each is mine[-1],
            approved_at=command.now,
            ground=replace(proposal.ground, clause=each.clause),
        )
        for each in mine
    ]


def _may(command: DecideApproval, needed: ApprovalNeeded) -> bool:
    """Who the proposal names, or another holder of the office."""
    return command.approver in {needed.person, *people.in_office(command.policy, needed.office)}


def _rejected(
    command: DecideApproval, proposal: events.SolutionProposed, needed: ApprovalNeeded
) -> events.SolutionRejected:
    """Goods sent back without approval come at the customer's cost."""
    a_return = any(remedy.kind is RemedyKind.RETURN_AND_REFUND for remedy in proposal.remedies)
    return events.SolutionRejected(
        complaint_id=command.complaint_id,
        data_subject=command.data_subject,
        proposal=proposal.proposal,
        office=needed.office,
        approver=command.approver,
        reason=command.reason,
        cost_bearer=CostBearer.CUSTOMER if a_return else None,
        rejected_at=command.now,
        due=command.due,
        ground=replace(proposal.ground, clause=needed.clause),
    )
