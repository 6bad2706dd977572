"""Warranty by policy: in or out, by the first term that matches the part (PRO-2)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from libs.events.contracts.propose import WarrantyDecision
from libs.events.contracts.values import Language, Product
from libs.policy.pack import Pack
from libs.policy.schema.solutions import WarrantyTerm


def decide_warranty(
    pack: Pack, product: Product | None, on: date, language: Language = Language.CHINESE
) -> WarrantyDecision | None:
    """Whether the product was in warranty on the day of the fault (or report); None where there is none."""
    if product is None:
        return None
    if product.delivered_on is None:
        unknown = pack.warranty.unknown_delivery
        return WarrantyDecision(
            in_warranty=unknown.in_warranty,
            clause=unknown.clause,
            reason=unknown.reason.in_language(language),
        )
    term = _term(pack, product.part_number or "")
    ends = months_after(product.delivered_on, term.months)
    words = f"{term.title.in_language(language)}: {product.delivered_on} – {ends}"
    return WarrantyDecision(in_warranty=on <= ends, clause=term.clause, reason=words)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _term(pack: Pack, part_number: str) -> WarrantyTerm:
    number = part_number.casefold()
    terms = pack.warranty.terms
    return next((term for term in terms if term.pattern.fullmatch(number)), terms[-1])
