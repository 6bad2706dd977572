"""Sanctions by policy: which clauses of the schedule apply to whom, and what they come to (PEN-1, PEN-2)."""

from __future__ import annotations

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
class Sanction:
    """One clause that applies: its way, its share of a month's wage or its sum, and its ground."""

    clause: str
    title: str
    way: SanctionWay
    share: Decimal | None
    amount: Money | None
    ground: Ground


def applicable(
    pack: Pack,
    facts: Facts,
    charge: Charge,
    bears: Bears,
    *,
    month_wage: Decimal | None = None,
    goods_value: Decimal | None = None,
) -> tuple[Sanction, ...]:
    """The clauses of the schedule that apply, in its order; who decides picks one, or waives.

    `facts` with kind, severity, loss and repeat repair as found; `bears`: as who did it, or as their head.
    `month_wage` (the pack's currency) where it is known, else the pack's assumption. `pack` is the one in
    force on the day of the act (PEN-3).
    """
    return tuple(
        _sanction(pack, clause, facts, bears, month_wage, goods_value)
        for clause in pack.sanctions.clauses
        if charge in clause.charge
        and bears in clause.bears
        and holds(clause.when, facts, pack.classification.negations)
    )


def find(pack: Pack, clause: str) -> SanctionClause | None:
    """The schedule's clause of that id."""
    return next((each for each in pack.sanctions.clauses if each.clause == clause), None)


def borne_by(pack: Pack, persons: tuple[str, ...]) -> tuple[tuple[str, Bears], ...]:
    """Everybody who answers: those directly responsible, and the heads of their units, each once (PEN-1)."""
    bearers: dict[str, Bears] = dict.fromkeys(persons, "direct")
    for person in persons:
        known = pack.people.get(person)
        head = people.head_of(pack, known.unit) if known else None
        if head is not None:
            bearers.setdefault(head, "head")
    return tuple(bearers.items())


def decides_appeal(pack: Pack, on: date, imposed_by: str, sanctioned: str) -> Answerable:
    """Another person than who imposed it, and neither the sanctioned nor anybody below them (PEN-4)."""
    office = people.in_office(pack, pack.leadership.decides_appeals)
    return people.choose(pack, office, on, sanctioned, frozenset({imposed_by})).answerable


def _sanction(
    pack: Pack,
    clause: SanctionClause,
    facts: Facts,
    bears: Bears,
    month_wage: Decimal | None,
    goods_value: Decimal | None,
) -> Sanction:
    share, amount = None, clause.amount
    if clause.brackets:
        loss = facts.loss or Decimal(0)
        bracket = next(each for each in clause.brackets if each.loss_up_to is None or loss <= each.loss_up_to)
        share = bracket.direct if bears == "direct" else bracket.head
        amount = share * (pack.deductions.assumed_wage if month_wage is None else month_wage)
    elif clause.multiple is not None:
        amount = None if goods_value is None else clause.multiple * goods_value
    return Sanction(
        clause=clause.clause,
        title=clause.title.in_language(Language.CHINESE),
        way=clause.way,
        share=share,
        amount=None
        if amount is None
        else Money(amount=amount.quantize(CENT, ROUND_HALF_UP), currency=pack.currency),
        ground=pack.ground(clause.clause),
    )
