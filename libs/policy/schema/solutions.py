"""What a pack says about solutions: who must approve what, and what is in warranty (PRO)."""

from __future__ import annotations

from fnmatch import translate
from functools import cached_property
from re import Pattern, compile

from pydantic import Field

from libs.events.contracts.handling import Severity
from libs.events.contracts.propose import RemedyKind
from libs.policy.schema.part import Amount, Clause, Id, Part, Text, Words


class Bracket(Part):
    """Up to an amount (included; none: without limit) these offices approve; no office: the handler."""

    up_to: Amount | None = None
    offices: tuple[Id, ...]


class ApprovalClause(Clause):
    """Who approves these remedies at these severities, by the sum of the proposal (PRO-3, PRO-7)."""

    remedies: tuple[RemedyKind, ...] = Field(min_length=1)
    severities: tuple[Severity, ...] = Field(min_length=1)
    brackets: tuple[Bracket, ...] = Field(min_length=1)


class AlwaysApproved(Clause):
    """Remedies that need these offices whatever the amount (S1 一.11)."""

    remedies: tuple[RemedyKind, ...] = Field(min_length=1)
    offices: tuple[Id, ...] = Field(min_length=1)


class Approvals(Part):
    """The approval matrix."""

    always: tuple[AlwaysApproved, ...]
    matrix: tuple[ApprovalClause, ...] = Field(min_length=1)


class WarrantyTerm(Clause):
    """How many months after delivery products whose part number matches are mended free of charge."""

    part_numbers: tuple[Text, ...] = Field(min_length=1)
    months: int = Field(ge=0, le=600)

    @cached_property
    def pattern(self) -> Pattern[str]:
        """Matches the part numbers, whatever their case."""
        return compile("|".join(translate(number.casefold()) for number in self.part_numbers))


class UnknownDelivery(Clause):
    """What holds where nobody knows the delivery date."""

    in_warranty: bool
    reason: Words


class Warranty(Part):
    """The first term that matches decides (PRO-2)."""

    terms: tuple[WarrantyTerm, ...] = Field(min_length=1)
    unknown_delivery: UnknownDelivery
