"""What a pack says about sanctions: the schedule, how it came about, and what the law allows (PEN, LAW-1)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from libs.events.contracts.penalize import Charge, SanctionWay
from libs.policy.schema.conditions import ANYTHING, Condition
from libs.policy.schema.part import Amount, Clause, Part, Share, Text, Words

Bears = Literal["direct", "head"]


class LossBracket(Part):
    """Up to a loss (included; none: without limit), the share of a month's wage that each bears."""

    loss_up_to: Amount | None = None
    direct: Share
    head: Share


class SanctionClause(Clause):
    """One entry: who bears what for which charge. Its text is what staff acknowledge (PEN-3)."""

    text: Words
    charge: tuple[Charge, ...] = Field(min_length=1)
    bears: tuple[Bears, ...] = Field(min_length=1)
    when: Condition = ANYTHING
    way: SanctionWay
    amount: Amount | None = None
    multiple: Amount | None = None
    brackets: tuple[LossBracket, ...] = ()

    @model_validator(mode="after")
    def _fixed(self) -> SanctionClause:
        """A way that costs money says how much; one that does not, names none."""
        needed = {
            SanctionWay.FINE: self.amount is not None,
            SanctionWay.PAY_SHARE: bool(self.brackets),
            SanctionWay.GOODS_MULTIPLE: self.multiple is not None,
        }
        if not needed.get(self.way, True):
            raise ValueError(f"{self.way} does not say how much: amount, brackets or multiple")
        given = (self.amount is not None, self.multiple is not None, bool(self.brackets))
        if sum(given) > (1 if self.way in needed else 0):
            raise ValueError(f"{self.way} says more than one way to reckon, or one that it has no use for")
        return self


class SanctionSchedule(Part):
    """Binds only as it was consulted on and published (S1 closing note, LAW-1)."""

    consulted_on: date
    consultation: Text
    clauses: tuple[SanctionClause, ...] = Field(min_length=1)


class MinimumWage(Part):
    """The local minimum wage of a month, from a day on, and where that was announced."""

    since: date
    amount: Amount
    source: Text


class Deductions(Clause):
    """What a month's wage can bear at most (LAW-1)."""

    share_max: Share
    minimum_wages: tuple[MinimumWage, ...] = Field(min_length=1)
    assumed_wage: Amount  # where nobody stated what the person earns
