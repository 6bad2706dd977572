"""Step 5, execute: an agreed solution is carried out, stage by stage, until nothing is left to do (PRO-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import propose as events
from libs.events.contracts.propose import RemedyKind, Stage
from services.resolution import state
from services.resolution.solution import Agreed, CarriedOut, NothingProposed, Offered, Proposed, TurnedDown
from services.resolution.state import Case

# Work on the goods is tested, certified by a repair report or replacement certificate, and signed for.
ALL_STAGES: Final = tuple(Stage)
PLAIN_STAGES: Final = (Stage.STARTED, Stage.DONE)
ON_GOODS: Final = frozenset(
    {RemedyKind.REPAIR, RemedyKind.PART_REPLACEMENT, RemedyKind.UNIT_REPLACEMENT, RemedyKind.EXCHANGE}
)


class NotYetAccepted(errors.Refused):
    """Nothing is carried out before the solution is approved and the customer has accepted it."""

    code = "not_yet_accepted"


class StageOutOfOrder(errors.Refused):
    """Another stage comes first."""

    code = "stage_out_of_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceExecution:
    """The solution came to `stage`; `about`: the person complained of."""

    complaint_id: UUID
    data_subject: str
    proposal: int
    stage: Stage
    note: str | None
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: str | None
    now: datetime


def stages(proposal: events.SolutionProposed) -> tuple[Stage, ...]:
    """What it takes to carry a solution out, in order."""
    on_goods = any(remedy.kind in ON_GOODS for remedy in proposal.remedies)
    return ALL_STAGES if on_goods else PLAIN_STAGES


def next_stage(solution: Agreed) -> Stage:
    """What comes next of a solution that is being carried out."""
    wanted = stages(solution.proposal)
    return wanted[0] if solution.stage is None else wanted[wanted.index(solution.stage) + 1]


def decide(command: AdvanceExecution, case: Case) -> list[events.ExecutionAdvanced]:
    """One stage after the other; none is passed over."""
    state.handled(case)
    state.judge_in_own_cause(command.about, command.author, command.under)
    match case.solution:
        case Agreed(proposal, reached) if proposal.proposal == command.proposal:
            wanted, following = stages(proposal), next_stage(case.solution)
            if command.stage is following:
                return [_advanced(command, complete=following is wanted[-1])]
            if reached and command.stage in wanted[: wanted.index(reached) + 1]:
                return []  # that far it had come before
            raise StageOutOfOrder(f"Next comes {following}; {command.stage} follows later or not at all.")
        case CarriedOut(proposal) if proposal.proposal == command.proposal:
            if command.stage in stages(proposal):
                return []
            raise StageOutOfOrder("All of it is done; this stage is not called for.")
        case NothingProposed() | Proposed() | Offered() | TurnedDown() | Agreed() | CarriedOut():
            raise NotYetAccepted(proposal=case.proposals)
        case _:
            assert_never(case.solution)


def _advanced(command: AdvanceExecution, *, complete: bool) -> events.ExecutionAdvanced:
    return events.ExecutionAdvanced(
        complaint_id=command.complaint_id,
        data_subject=command.data_subject,
        proposal=command.proposal,
        stage=command.stage,
        note=command.note,
        complete=complete,
        author=command.author,
        advanced_at=command.now,
    )
