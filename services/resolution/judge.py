"""Step 7, judge: an appeal is upheld, or the sanction is reduced or lifted, by another person (PEN-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import penalize as events
from libs.events.contracts.penalize import AppealOutcome, SanctionImposed, SanctionWay
from libs.events.contracts.values import Money
from libs.policy.pack import Pack
from services.resolution import deduct, state
from services.resolution.deduct import Cost, Wage
from services.resolution.state import Case

# Ways that cost no sum, the mildest first.
MILDEST_FIRST: Final = (
    SanctionWay.CRITICISM,
    SanctionWay.DEMERIT,
    SanctionWay.MAJOR_DEMERIT,
    SanctionWay.DISMISSAL,
    SanctionWay.DEALER_CANCELLATION,
    SanctionWay.LEGAL_ACTION,
)


class NotYetAppealed(errors.Refused):
    """The person must appeal first."""

    code = "not_yet_appealed"


class DecidedBefore(errors.Refused):
    """This appeal was decided before, otherwise; it is decided once."""

    code = "decided_before"


class NotTheJudge(errors.Refused):
    """An appeal is decided by the person whom the policy designated when it was made: it must be them."""

    code = "not_the_judge"


class NotReduced(errors.Refused):
    """A reduced sanction is milder and not nothing: give a smaller sum or a milder way, or lift it."""

    code = "not_reduced"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAppeal:
    """For a reduced sanction its new sum (`amount`), or its milder `way` where it cost none.

    `policy`: the one on the day of the act, by which it was imposed.
    """

    complaint_id: UUID
    data_subject: str
    sanction: int
    outcome: AppealOutcome
    way: SanctionWay | None
    amount: Money | None
    wage: Wage
    policy: Pack
    reason: str
    author: str
    now: datetime


def decide(command: DecideAppeal, case: Case) -> list[events.AppealDecided]:
    """Who imposed a sanction, or bears it, is no judge of it; also after the complaint has closed."""
    sanction = state.sanction(case, command.sanction)
    if sanction.appealed is None:
        raise NotYetAppealed
    if command.author in (sanction.imposed.person, sanction.imposed.imposed_by):
        raise state.JudgeInOwnCause
    if command.author != sanction.appealed.judge.person:
        raise NotTheJudge(judge=sanction.appealed.judge.person)
    decided = _decided(command, sanction.imposed)
    if sanction.decided is None:
        return [decided]
    before = sanction.decided
    if (before.outcome, before.way, before.amount) == (decided.outcome, decided.way, decided.amount):
        return []
    raise DecidedBefore


def _decided(command: DecideAppeal, imposed: SanctionImposed) -> events.AppealDecided:
    way, amount, cost = _what_holds(command, imposed)
    return events.AppealDecided(
        complaint_id=command.complaint_id,
        data_subject=command.data_subject,
        sanction=command.sanction,
        outcome=command.outcome,
        way=way,
        amount=amount,
        installments=cost.installments,
        beyond=cost.beyond,
        reason=command.reason,
        decided_by=command.author,
        decided_at=command.now,
        ground=command.policy.ground(imposed.ground.clause or ""),
    )


def _what_holds(
    command: DecideAppeal, imposed: SanctionImposed
) -> tuple[SanctionWay | None, Money | None, Cost]:
    match command.outcome:
        case AppealOutcome.UPHELD:
            kept = Cost(installments=imposed.installments, beyond=imposed.beyond)
            return imposed.way, imposed.amount, kept
        case AppealOutcome.LIFTED:
            return None, None, Cost()
        case AppealOutcome.REDUCED if imposed.amount is None:
            return _milder(command.way, imposed.way), None, Cost()
        case AppealOutcome.REDUCED:
            left = _smaller(command.amount, imposed.amount)
            cost = deduct.cost(command.policy, imposed.way, left, command.wage, command.now)
            return imposed.way, left, cost
        case _:
            assert_never(command.outcome)


def _milder(way: SanctionWay | None, before: SanctionWay) -> SanctionWay:
    known = before in MILDEST_FIRST and way in MILDEST_FIRST
    if way is None or not known or MILDEST_FIRST.index(way) >= MILDEST_FIRST.index(before):
        raise NotReduced
    return way


def _smaller(amount: Money | None, before: Money) -> Money:
    if amount is None or amount.currency != before.currency or not 0 < amount.amount < before.amount:
        raise NotReduced
    return amount
