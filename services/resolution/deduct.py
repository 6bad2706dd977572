"""What a sanction costs month by month: sums that come off a wage keep within what the law allows (LAW-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from libs.events.contracts.penalize import Installment, SanctionWay
from libs.events.contracts.values import Money
from libs.policy import wages
from libs.policy.pack import Pack

FROM_WAGES: Final = frozenset({SanctionWay.PAY_SHARE, SanctionWay.FINE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wage:
    """A person's month's wage as stated (None: as the policy assumes), and what months bear already."""

    month: Decimal | None = None
    already: Mapping[date, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What each month bears, and what none can."""

    installments: tuple[Installment, ...] = ()
    beyond: Money | None = None


def cost(policy: Pack, way: SanctionWay, amount: Money | None, wage: Wage, now: datetime) -> Cost:
    """A sum over months from this one on; nothing where the way takes no wage."""
    if amount is None or way not in FROM_WAGES:
        return Cost()
    spread = wages.installments(policy, amount.amount, policy.day_of(now), wage.month, wage.already)
    return Cost(installments=spread.installments, beyond=spread.beyond if spread.beyond.amount > 0 else None)
