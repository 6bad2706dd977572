"""Step 5, propose: a solution that answers the demand: warranty, quote, approvals it needs (PRO).

By whoever has the complaint. The offices that the matrix names `approve` it, if any must; the customer is
told (step 6, `notify`) and answers (`answer`). Accepted, it is carried out (`execute`); declined, another
is owed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import propose as events
from libs.events.contracts.handling import Severity, StepDue
from libs.events.contracts.propose import CostBearer, RemedyKind
from libs.events.contracts.values import Language, Money, Product
from libs.policy import approvals, warranty
from libs.policy.pack import Pack
from services.resolution import state
from services.resolution.solution import Agreed, CarriedOut, NothingProposed, Offered, Proposed, TurnedDown
from services.resolution.state import Case

# What is done to the goods: free of charge in warranty, quoted before work starts out of it (PRO-2).
WORK: Final = frozenset(
    {RemedyKind.REPAIR, RemedyKind.PART_REPLACEMENT, RemedyKind.UNIT_REPLACEMENT, RemedyKind.EXCHANGE}
)


class QuoteNeeded(errors.Refused):
    """The goods are out of warranty: add a quote, which the customer must accept before work starts."""

    code = "quote_needed"


class FreeOfCharge(errors.Refused):
    """The goods are in warranty: the work is free of charge, so leave out the quote and do not bill them."""

    code = "free_of_charge"


class RemedyNotOffered(errors.Refused):
    """The policy lets nobody give this remedy: propose another one."""

    code = "remedy_not_offered"


class SolutionPending(errors.Refused):
    """A solution is on the table: it must be rejected or turned down before another one is proposed."""

    code = "solution_pending"


class SolutionAgreed(errors.Refused):
    """The customer's solution is settled; the complaint must be closed and reopened before another one."""

    code = "solution_agreed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeSolution:
    """What is to be done, and at whose cost; warranty and approvals come of the policy.

    `fault_on` is the day of the fault, by which warranty is judged; `about` the person complained of;
    `approvals_due` when approvals are due, should any be needed; `severity` as it is by now: a complaint that
    joined a batch incident since it was assigned is major, and so are its approvals (CLS-7).
    """

    complaint_id: UUID
    data_subject: str
    remedies: tuple[events.Remedy, ...]
    cost_bearer: CostBearer
    quote: Money | None
    product: Product | None
    fault_on: date
    language: Language
    about: str | None
    severity: Severity
    proposer: str
    under: frozenset[str]  # everybody the proposer answers to
    policy: Pack
    approvals_due: StepDue
    today: date
    now: datetime


def decide(command: ProposeSolution, case: Case) -> list[events.SolutionProposed]:
    """One solution at a time, each under its own number."""
    state.handled(case)
    state.judge_in_own_cause(command.about, command.proposer, command.under)
    match case.solution:
        case NothingProposed() | TurnedDown():
            return [_proposed(command, case.proposals + 1)]
        case Proposed(proposal) | Offered(proposal) | Agreed(proposal) | CarriedOut(proposal) if _said(
            command, proposal
        ):
            return []  # said before
        case Proposed(proposal) | Offered(proposal):
            raise SolutionPending(proposal=proposal.proposal)
        case Agreed(proposal) | CarriedOut(proposal):
            raise SolutionAgreed(proposal=proposal.proposal)
        case _:
            assert_never(case.solution)


def _said(command: ProposeSolution, proposal: events.SolutionProposed) -> bool:
    said = (command.remedies, command.cost_bearer, command.quote, command.proposer)
    return said == (proposal.remedies, proposal.cost_bearer, proposal.quote, proposal.proposer)


def _proposed(command: ProposeSolution, number: int) -> events.SolutionProposed:
    covered = warranty.decide_warranty(command.policy, command.product, command.fault_on, command.language)
    _check_quote(command, covered)
    kinds = [remedy.kind for remedy in command.remedies]
    if unnamed := approvals.unnamed(command.policy, kinds, command.severity):
        raise RemedyNotOffered(remedies=list(unnamed))
    needed = approvals.approvals_needed(
        command.policy,
        [(remedy.kind, remedy.money) for remedy in command.remedies],
        command.severity,
        command.proposer,
        command.today,
        command.about,
    )
    return events.SolutionProposed(
        complaint_id=command.complaint_id,
        data_subject=command.data_subject,
        proposal=number,
        remedies=command.remedies,
        cost_bearer=command.cost_bearer,
        warranty=covered,
        quote=command.quote,
        approvals=needed.needed,
        proposer=command.proposer,
        ground=needed.ground,
        proposed_at=command.now,
        due=command.approvals_due if needed.needed else None,
    )


def _check_quote(command: ProposeSolution, covered: events.WarrantyDecision | None) -> None:
    if covered is None or WORK.isdisjoint(remedy.kind for remedy in command.remedies):
        return
    if not covered.in_warranty and command.quote is None:
        raise QuoteNeeded(clause=covered.clause, reason=covered.reason)
    if covered.in_warranty and (command.quote or command.cost_bearer is CostBearer.CUSTOMER):
        raise FreeOfCharge(clause=covered.clause, reason=covered.reason)
