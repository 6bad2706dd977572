"""What the law lets a month's wage bear: deductions in installments (LAW-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Final

from libs.events.contracts.handling import Ground
from libs.events.contracts.penalize import Installment
from libs.events.contracts.values import Money
from libs.policy.pack import Pack
from libs.policy.warranty import months_after

CENT: Final = Decimal("0.01")
MONTHS_MAX: Final = 120
NOTHING: Final[Mapping[date, Decimal]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """A sum in installments; `beyond` is what no month can bear, as the wage leaves nothing to deduct."""

    installments: tuple[Installment, ...]
    beyond: Money
    ground: Ground


def installments(
    pack: Pack,
    amount: Decimal,
    first_month: date,
    month_wage: Decimal | None = None,
    already: Mapping[date, Decimal] = NOTHING,
) -> Deduction:
    """Spread a sum (the pack's currency) over months from that of `first_month` on.

    No month bears more than the pack's share of its wage, nor goes below the minimum wage of that month;
    `already` (first day of a month to sum) is what other sanctions take. `month_wage` None: as assumed.
    """
    wage = pack.deductions.assumed_wage if month_wage is None else month_wage
    left, month, found = amount, first_month.replace(day=1), []
    for _ in range(MONTHS_MAX):
        if left <= 0:
            break
        bearable = min(left, _bearable(pack, wage, month) - already.get(month, Decimal(0)))
        if bearable > 0:
            money = Money(amount=bearable, currency=pack.currency)
            found.append(Installment(month=month, money=money))
            left -= bearable
        month = months_after(month, 1)
    return Deduction(
        installments=tuple(found),
        beyond=Money(amount=max(left, Decimal(0)), currency=pack.currency),
        ground=pack.ground(pack.deductions.clause),
    )


def minimum_wage(pack: Pack, month: date) -> Decimal:
    """The minimum wage in that month; before the first one that the pack knows, that first one."""
    figures = pack.deductions.minimum_wages
    return next((each.amount for each in reversed(figures) if each.since <= month), figures[0].amount)


def _bearable(pack: Pack, wage: Decimal, month: date) -> Decimal:
    share = (wage * pack.deductions.share_max).quantize(CENT, ROUND_DOWN)
    return max(min(share, wage - minimum_wage(pack, month)), Decimal(0))
