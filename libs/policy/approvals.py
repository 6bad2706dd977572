"""Approvals by policy: which offices a proposal needs, or that the handler decides alone (PRO-3, PRO-7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from libs.events.contracts.assign import PassedOver
from libs.events.contracts.handling import Answerable, Ground, Severity
from libs.events.contracts.propose import ApprovalNeeded, RemedyKind
from libs.events.contracts.values import Money
from libs.policy import people
from libs.policy.pack import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The approvals a proposal needs, none where the handler decides alone; `ground` names the clauses."""

    needed: tuple[ApprovalNeeded, ...]
    passed_over: tuple[PassedOver, ...]
    ground: Ground


def approvals_needed(
    pack: Pack,
    remedies: Sequence[tuple[RemedyKind, Money | None]],
    severity: Severity,
    proposer: str,
    on: date,
    about: str | None = None,
) -> Approvals:
    """What the matrix asks of a proposal, by the sum of all its remedies: splitting one saves no approval.

    A sum in a currency other than the pack's counts as without limit. Nobody approves their own proposal.
    """
    total = _total(pack, remedies)
    kinds = tuple(dict.fromkeys(kind for kind, _ in remedies))
    clauses: list[str] = []
    offices: dict[str, str] = {}
    for clause, needed in _asked(pack, kinds, severity, total):
        clauses.append(clause)
        for office in needed:
            offices.setdefault(office, clause)
    approvals: list[ApprovalNeeded] = []
    passed_over: list[PassedOver] = []
    for office, clause in offices.items():
        chosen = people.choose(pack, people.in_office(pack, office), on, about, frozenset({proposer}))
        passed_over += chosen.passed_over
        approvals.append(ApprovalNeeded(office=office, person=chosen.answerable.person, clause=clause))
    return Approvals(needed=tuple(approvals), passed_over=tuple(passed_over), ground=pack.ground(*clauses))


def unnamed(pack: Pack, remedies: Sequence[RemedyKind], severity: Severity) -> tuple[RemedyKind, ...]:
    """The remedies that the pack lets nobody give at that severity."""
    named = {
        kind for clause in pack.approvals.matrix if severity in clause.severities for kind in clause.remedies
    }
    return tuple(kind for kind in remedies if kind not in named)


def settles_dispute(pack: Pack, on: date, excluded: frozenset[str], about: str | None = None) -> Answerable:
    """The designated person who settles under the contract what a customer would not accept (PRO-4)."""
    office = people.in_office(pack, pack.leadership.adjudicates_disputes)
    return people.choose(pack, office, on, about, excluded).answerable


def _asked(
    pack: Pack, kinds: Sequence[RemedyKind], severity: Severity, total: Decimal | None
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for always in pack.approvals.always:
        if not set(kinds).isdisjoint(always.remedies):
            yield always.clause, always.offices
    for clause in pack.approvals.matrix:
        if severity in clause.severities and not set(kinds).isdisjoint(clause.remedies):
            bracket = next(
                each
                for each in clause.brackets
                if each.up_to is None or (total is not None and total <= each.up_to)
            )
            yield clause.clause, bracket.offices


def _total(pack: Pack, remedies: Sequence[tuple[RemedyKind, Money | None]]) -> Decimal | None:
    """The sum in the pack's currency; None where a part of it is in another."""
    sums = [money for _, money in remedies if money is not None]
    if any(money.currency != pack.currency for money in sums):
        return None
    return sum((money.amount for money in sums), Decimal(0))
