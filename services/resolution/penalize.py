"""Step 7, penalize: a sanction rests on what was verified, by rules that bound the person (PEN-2, PEN-3)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from libs.events import errors
from libs.events.contracts.penalize import Bears, ResponsibilityRaised, SanctionImposed, SanctionWay
from libs.policy import sanctions
from libs.policy.sanctions import Earnings, Sanction
from libs.policy.schema import sanctions as schema
from services.resolution import binding, deduct, responsibility
from services.resolution.binding import Rules
from services.resolution.deduct import Wage
from services.resolution.responsibility import AlreadySettled, Deciding
from services.resolution.state import Case


class ClauseDoesNotApply(errors.Refused):
    """This clause of the schedule does not apply to what was found: choose one that does, or waive."""

    code = "clause_does_not_apply"


class GoodsValueNeeded(errors.Refused):
    """This clause is reckoned from the value of the goods: state it."""

    code = "goods_value_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImposeSanction(Deciding):
    """By a clause of the schedule in force, and known to the person, when they acted; `wage` as stated."""

    clause: str
    rules: Rules
    wage: Wage
    goods_value: Decimal | None


def decide(command: ImposeSanction, case: Case) -> list[SanctionImposed]:
    """One sanction for each responsibility."""
    found = responsibility.undecided(command, case)
    if not isinstance(found, ResponsibilityRaised):
        if isinstance(found, SanctionImposed) and found.ground.clause == command.clause:
            return []  # imposed before
        raise AlreadySettled
    binding.check(command.rules)
    sanction = _by_clause(command, found)
    cost = deduct.cost(command.rules.policy, sanction.way, sanction.amount, command.wage, command.now)
    return [
        SanctionImposed(
            **responsibility.said_of(command, found, case),
            sanction=len(case.sanctions) + 1,
            way=sanction.way,
            share=sanction.share,
            amount=sanction.amount,
            installments=cost.installments,
            beyond=cost.beyond,
            acted_at=command.rules.acted_at,
            ground=sanction.ground,
            imposed_by=command.author,
            imposed_at=command.now,
        )
    ]


def _by_clause(command: ImposeSanction, raised: ResponsibilityRaised) -> Sanction:
    rules = command.rules
    bears: schema.Bears = "head" if raised.bears is Bears.HEAD else "direct"
    earnings = Earnings(month_wage=command.wage.month, goods_value=command.goods_value)
    choice = sanctions.applicable(rules.policy, rules.facts, raised.charge, bears, earnings)
    found = next((each for each in choice if each.clause == command.clause), None)
    if found is None:
        raise ClauseDoesNotApply(applicable=[each.clause for each in choice])
    if found.way is SanctionWay.GOODS_MULTIPLE and found.amount is None:
        raise GoodsValueNeeded
    return found
