"""What a pack says about who answers: routes, purchased parts, the ladder of escalation (ASG, SLA-3)."""

from __future__ import annotations

from fnmatch import translate
from functools import cached_property
from re import Pattern, compile
from typing import Literal

from pydantic import Field

from libs.policy.schema.conditions import ANYTHING, Condition
from libs.policy.schema.part import Clause, Id, Part, Text, Words


class Route(Clause):
    """Which unit answers; `station` is the one that owns the complainant's region (ASG-1, ASG-3)."""

    to: Id | Literal["station"]
    when: Condition = ANYTHING


class PurchasedParts(Part):
    """Part numbers, `*` for anything, that a supplier makes: procurement deals with them, and with it."""

    supplier: Id
    title: Words
    part_numbers: tuple[Text, ...] = Field(min_length=1)

    @cached_property
    def pattern(self) -> Pattern[str]:
        """Matches the part numbers, whatever their case."""
        return compile("|".join(translate(number.casefold()) for number in self.part_numbers))


class Rung(Clause):
    """One level of the ladder: the head of the unit that owes it, that head's superior, or an office."""

    to: Literal["unit-head", "superior"] | Id


class FirstRungs(Part):
    """At which level of the ladder (from 1) an escalation begins, by its cause."""

    overdue: int = Field(ge=1)
    unsolved: int = Field(ge=1)
    buck_passing: int = Field(ge=1)


class Escalation(Part):
    """The ladder, lowest level first; beyond its end the last level stays responsible (SLA-3, ASG-6)."""

    begins_at: FirstRungs
    ladder: tuple[Rung, ...] = Field(min_length=1)


class BuckPassing(Clause):
    """How often a complaint may be reassigned before that is buck-passing (ASG-5)."""

    reassignments_max: int = Field(ge=0, le=20)


class Leadership(Part):
    """Who leads. `last_resort` answers to nobody and takes what nobody below may: three at least (ASG-4)."""

    members: tuple[Id, ...] = Field(min_length=1)
    last_resort: tuple[Id, ...] = Field(min_length=3)
    adjudicates_disputes: Id
    judges_contests: Id
    decides_appeals: Id
