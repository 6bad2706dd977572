"""What a pack says about classifying: lists of clauses of which the first that holds decides (CLS)."""

from __future__ import annotations

from pydantic import Field

from libs.events.contracts.handling import Kind, Nature, Severity
from libs.policy.schema.conditions import ANYTHING, Condition, WordList
from libs.policy.schema.part import Clause, Part, Words


class KindClause(Clause):
    """What a complaint is about (CLS-1)."""

    kind: Kind
    when: Condition = ANYTHING

    @property
    def outcome(self) -> str:
        """What it decides, in a word."""
        return self.kind


class NatureClause(Clause):
    """Where it comes from (CLS-2)."""

    nature: Nature
    when: Condition = ANYTHING

    @property
    def outcome(self) -> str:
        """What it decides, in a word."""
        return self.nature


class SeverityClause(Clause):
    """How grave it is (CLS-3)."""

    severity: Severity
    when: Condition = ANYTHING

    @property
    def outcome(self) -> str:
        """What it decides, in a word."""
        return self.severity


class JudgementClause(Clause):
    """Yes or no, and the reason that is given for it (CLS-4)."""

    value: bool
    reason: Words
    when: Condition = ANYTHING

    @property
    def outcome(self) -> str:
        """What it decides, in a word."""
        return "yes" if self.value else "no"


class Classification(Part):
    """All of step 2. A word behind one of the `negations` does not count: "no fire"."""

    negations: WordList
    kinds: tuple[KindClause, ...] = Field(min_length=1)
    natures: tuple[NatureClause, ...] = Field(min_length=1)
    severities: tuple[SeverityClause, ...] = Field(min_length=1)
    founded: tuple[JudgementClause, ...] = Field(min_length=1)
    demand_reasonable: tuple[JudgementClause, ...] = Field(min_length=1)
