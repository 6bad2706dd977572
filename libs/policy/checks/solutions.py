"""Checks of what costs money: approvals, warranty, sanctions, wages."""

from __future__ import annotations

from datetime import date
from itertools import pairwise, product
from typing import Final

from libs.events.contracts.handling import Severity
from libs.events.contracts.propose import RemedyKind
from libs.policy.checks.finding import Wrong, brackets
from libs.policy.schema.sanctions import Deductions, SanctionSchedule
from libs.policy.schema.solutions import Approvals, Warranty

# Packs published before it had a name say nothing of it, and never change: under them nobody gives it.
UNSAID: Final = frozenset({RemedyKind.ADVANCE_COMPENSATION})


def approvals_are_whole(approvals: Approvals) -> Wrong:
    """Every remedy at every severity and amount has one clause: who approves is never open, never twofold."""
    owners: dict[tuple[RemedyKind, Severity], str] = {}
    for index, clause in enumerate(approvals.matrix):
        path = ("approvals", "matrix", index)
        yield from brackets((each.up_to for each in clause.brackets), "up_to", (*path, "brackets"))
        for remedy, severity in product(clause.remedies, clause.severities):
            owner = owners.setdefault((remedy, severity), clause.clause)
            if owner != clause.clause:
                yield path, f"{clause.clause} overlaps {owner} in {remedy}, {severity}"
    for remedy, severity in product(RemedyKind, Severity):
        if remedy not in UNSAID and (remedy, severity) not in owners:
            yield ("approvals", "matrix"), f"nobody approves {remedy}, {severity}"


def warranty_is_whole(warranty: Warranty) -> Wrong:
    """Every product has a term, and the first that matches hides no later one."""
    for index, term in enumerate(warranty.terms):
        earlier = {number for other in warranty.terms[:index] for number in other.part_numbers}
        if "*" in earlier or earlier & set(term.part_numbers):
            yield ("warranty", "terms", index), f"{term.clause} overlaps a term before it"
    if "*" not in warranty.terms[-1].part_numbers:
        yield ("warranty", "terms"), 'the last term must hold for every part number, "*"'


def sanctions_were_consulted_on(sanctions: SanctionSchedule, effective_from: date) -> Wrong:
    """A schedule binds only after consultation (LAW-1)."""
    if sanctions.consulted_on > effective_from:
        yield ("sanctions", "consulted_on"), "consultation must come before the pack takes effect"


def loss_brackets_are_whole(sanctions: SanctionSchedule) -> Wrong:
    """Every loss falls in one bracket."""
    for index, clause in enumerate(sanctions.clauses):
        if clause.brackets:
            path = ("sanctions", "clauses", index, "brackets")
            yield from brackets((each.loss_up_to for each in clause.brackets), "loss_up_to", path)


def minimum_wages_follow(deductions: Deductions) -> Wrong:
    """Minimum wages stand in the order of time."""
    for index, (before, after) in enumerate(pairwise(deductions.minimum_wages), start=1):
        if after.since <= before.since:
            yield (
                ("deductions", "minimum_wages", index, "since"),
                f"{after.since} overlaps the entry before, since {before.since}",
            )
