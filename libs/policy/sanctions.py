"""Sanctions by policy: which clauses of the schedule apply to whom, and what they come to (PEN-1, PEN-2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from libs.events.contracts.handling import Answerable, Ground
from libs.events.contracts.penalize import Charge, SanctionWay
from libs.events.contracts.values import Language, Money
from libs.policy import people
from libs.policy.facts import Facts, holds
from libs.policy.pack import Pack
from libs.policy.schema.sanctions import Bears, SanctionClause

CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """What sums are reckoned from, in the pack's currency; None where it is not known."""

    month_wage: Decimal | None = None  # the pack's assumption stands in
    goods_value: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanction:
    """One clause that applies: its way, its share of a month's wage or its sum, its words and its ground."""

    clause: str
    title: str
    text: str
    way: SanctionWay
    share: Decimal | None
    amount: Money | None
    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Somebody who answers, as who did it or as the head of the unit."""

    answerable: Answerable
    bears: Bears


UNKNOWN: Final = Earnings()


def applicable(
    pack: Pack,
    facts: Facts,
    charge: Charge,
    bears: Bears,
    earnings: Earnings = UNKNOWN,
    language: Language = Language.CHINESE,
) -> tuple[Sanction, ...]:
    """The clauses of the schedule that apply, in its order; who decides picks one, or waives.

    `facts` with kind, severity, loss and repeat repair as found; `bears`: as who did it, or as their head.
    `pack` is the one in force on the day of the act (PEN-3).
    """
    return tuple(
        _sanction(pack, clause, facts, bears, earnings, language)
        for clause in pack.sanctions.clauses
        if charge in clause.charge and bears in clause.bears and holds(pack, clause.when, facts)
    )


def borne_by(pack: Pack, responsible: Sequence[Answerable]) -> tuple[Bearer, ...]:
    """Everybody who answers: those directly responsible, then the heads of their units, each once (PEN-1)."""
    bearers = {each.person: Bearer(answerable=each, bears="direct") for each in responsible}
    for each in responsible:
        head = people.head_of(pack, each.unit)
        if head is not None and head not in bearers:
            bearers[head] = Bearer(answerable=people.answerable(pack, head), bears="head")
    return tuple(bearers.values())


def decides_appeal(
    pack: Pack, on: date, imposed_by: str, sanctioned: str, complained_of: str | None = None
) -> Answerable:
    """Another person than who imposed it or is complained of, and nobody below the sanctioned (PEN-4)."""
    office = people.in_office(pack, pack.leadership.decides_appeals)
    excluded = frozenset({imposed_by, complained_of} if complained_of else {imposed_by})
    return people.choose(pack, office, on, sanctioned, excluded).answerable


def _sanction(
    pack: Pack, clause: SanctionClause, facts: Facts, bears: Bears, earnings: Earnings, language: Language
) -> Sanction:
    share = _share(clause, facts.loss or Decimal(0), bears)
    amount = _amount(pack, clause, share, earnings)
    return Sanction(
        clause=clause.clause,
        title=clause.title.in_language(language),
        text=clause.text.in_language(language),
        way=clause.way,
        share=share,
        amount=None if amount is None else Money(amount=amount, currency=pack.currency),
        ground=pack.ground(clause.clause),
    )


def _share(clause: SanctionClause, loss: Decimal, bears: Bears) -> Decimal | None:
    """The share of a month's wage, by the bracket the loss falls in."""
    for bracket in clause.brackets:
        if bracket.loss_up_to is None or loss <= bracket.loss_up_to:
            return bracket.direct if bears == "direct" else bracket.head
    return None


def _amount(pack: Pack, clause: SanctionClause, share: Decimal | None, earnings: Earnings) -> Decimal | None:
    if share is not None:
        wage = earnings.month_wage
        return (share * (pack.deductions.assumed_wage if wage is None else wage)).quantize(
            CENT, ROUND_HALF_UP
        )
    if clause.multiple is not None and earnings.goods_value is not None:
        return (clause.multiple * earnings.goods_value).quantize(CENT, ROUND_HALF_UP)
    return None if clause.amount is None else clause.amount.quantize(CENT)
