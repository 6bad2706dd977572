"""Step 5, answer: the customer accepts, declines or counters; a dispute is settled (PRO-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import propose as events
from libs.events.contracts.handling import Answerable, Ground, StepDue
from libs.events.contracts.propose import Answer
from services.resolution import state
from services.resolution.solution import Agreed, CarriedOut, NothingProposed, Offered, Proposed, TurnedDown
from services.resolution.state import Case


class NotYetOffered(errors.Refused):
    """This solution must be proposed and approved first."""

    code = "not_yet_offered"


class AnsweredBefore(errors.Refused):
    """The customer answered this solution before: propose another one, or carry it out."""

    code = "answered_before"


class NoDispute(errors.Refused):
    """Only what the customer declined or countered can be settled as a dispute: record their answer first."""

    code = "no_dispute"


class QuoteNotAccepted(errors.Refused):
    """Work out of warranty starts once the customer has accepted its quote: propose what they will accept."""

    code = "quote_not_accepted"


class NotTheAdjudicator(errors.Refused):
    """A dispute is settled by the person the policy designates: it must be them."""

    code = "not_the_adjudicator"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerProposal:
    """What the customer said; `author` wrote it down. `due`: of carrying it out, or of another proposal."""

    complaint_id: UUID
    data_subject: str
    proposal: int
    answer: Answer
    text: str | None
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: str | None  # the person complained of
    due: StepDue
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleDispute:
    """The last proposal holds, says whom the policy designates (`adjudicator`); `due`: of carrying it out."""

    complaint_id: UUID
    data_subject: str
    proposal: int
    author: str
    adjudicator: Answerable
    reason: str
    ground: Ground
    due: StepDue
    now: datetime


Command = AnswerProposal | SettleDispute
Event = events.CustomerAnswered | events.DisputeSettled


def decide(command: Command, case: Case) -> list[Event]:
    """What the customer's answer, or the settlement of a dispute, makes of the solution."""
    state.handled(case)
    if isinstance(command, SettleDispute):
        return _settle(command, case)
    state.judge_in_own_cause(command.about, command.author, command.under)
    return _answer(command, case)


def _answer(command: AnswerProposal, case: Case) -> list[Event]:
    match case.solution:
        case Offered(proposal) if proposal.proposal == command.proposal:
            return [
                events.CustomerAnswered(
                    complaint_id=command.complaint_id,
                    data_subject=command.data_subject,
                    proposal=command.proposal,
                    answer=command.answer,
                    text=command.text,
                    author=command.author,
                    due=command.due,
                    answered_at=command.now,
                )
            ]
        case TurnedDown(proposal, answer) if proposal.proposal == command.proposal and answer:
            return _before(command.answer is answer)
        case Agreed(proposal) | CarriedOut(proposal) if proposal.proposal == command.proposal:
            return _before(command.answer is Answer.ACCEPTED)
        case NothingProposed() | Proposed() | TurnedDown() | Offered() | Agreed() | CarriedOut():
            if command.proposal < case.proposals:
                raise AnsweredBefore(proposal=case.proposals)
            raise NotYetOffered(proposal=case.proposals)
        case _:
            assert_never(case.solution)


def _before(same: bool) -> list[Event]:
    if same:
        return []  # said before
    raise AnsweredBefore


def _settle(command: SettleDispute, case: Case) -> list[Event]:
    match case.solution:
        case TurnedDown(proposal, answer) if answer and proposal.proposal == command.proposal:
            if command.author != command.adjudicator.person:
                raise NotTheAdjudicator(adjudicator=command.adjudicator.person)
            if proposal.quote is not None:
                raise QuoteNotAccepted(proposal=proposal.proposal)
            return [
                events.DisputeSettled(
                    complaint_id=command.complaint_id,
                    data_subject=command.data_subject,
                    proposal=command.proposal,
                    settled_by=command.author,
                    reason=command.reason,
                    ground=command.ground,
                    due=command.due,
                    settled_at=command.now,
                )
            ]
        case Agreed(proposal) | CarriedOut(proposal) if proposal.proposal == command.proposal:
            return []  # it is settled
        case _:
            raise NoDispute(proposal=case.proposals)
