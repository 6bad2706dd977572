"""Checks of lists of clauses: the last holds for all the rest, none is hidden behind another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from libs.policy.checks.finding import Wrong
from libs.policy.document import Path
from libs.policy.schema.classification import Classification
from libs.policy.schema.conditions import Condition, WordList
from libs.policy.schema.part import clauses_in
from libs.policy.schema.people import Unit
from libs.policy.schema.routing import Escalation, PurchasedParts, Route
from libs.policy.schema.thresholds import Contribution


class Conditional(Protocol):
    """A clause that holds under a condition."""

    @property
    def clause(self) -> str: ...
    @property
    def when(self) -> Condition: ...


LISTS = ("kinds", "natures", "severities", "founded", "demand_reasonable")


def classify(classification: Classification) -> Wrong:
    """Every complaint gets a kind, nature, severity and judgements."""
    for name in LISTS:
        given = getattr(classification, name)
        yield from first_match(given, ("classification", name))
        yield from _shared_words(given, ("classification", name))


def route(routing: Sequence[Route], units: Mapping[str, Unit]) -> Wrong:
    """Every complaint goes to a unit that exists."""
    yield from first_match(routing, ("routing",))
    for index, clause in enumerate(routing):
        if clause.to == "station":
            if not clause.when.known_region:
                yield ("routing", index), "a station needs the condition known_region: true"
        elif clause.to not in units:
            yield ("routing", index, "to"), f"there is no unit {clause.to}"


def first_match(given: Sequence[Conditional], path: Path) -> Wrong:
    """No clause overlaps a later one so that it is never reached; the last one leaves no gap."""
    for index, clause in enumerate(given):
        earlier = next((other for other in given[:index] if other.when.covers(clause.when)), None)
        if earlier:
            yield (
                (*path, index),
                f"{clause.clause} is never reached: {earlier.clause} overlaps it and comes first",
            )
    if not given[-1].when.anything:
        yield path, f"there is a gap: the last clause, {given[-1].clause}, must hold without `when`"


def contribute(contributions: Sequence[Contribution], units: Mapping[str, Unit]) -> Wrong:
    """Contributions are owed by units."""
    for index, contribution in enumerate(contributions):
        if contribution.unit not in units:
            yield ("contributions", index, "unit"), f"there is no unit {contribution.unit}"


def name_one_supplier(purchased: Sequence[PurchasedParts]) -> Wrong:
    """A part has one supplier."""
    suppliers: dict[str, str] = {}
    for index, parts in enumerate(purchased):
        for at, number in enumerate(parts.part_numbers):
            if number.casefold() in suppliers:
                other = suppliers[number.casefold()]
                yield ("purchased_parts", index, "part_numbers", at), f"{number} overlaps supplier {other}"
            suppliers.setdefault(number.casefold(), parts.supplier)


def begin_on_the_ladder(escalation: Escalation) -> Wrong:
    """Every cause begins at a rung that is there."""
    for cause in ("overdue", "unsolved", "buck_passing"):
        level = getattr(escalation.begins_at, cause)
        if level > len(escalation.ladder):
            yield ("escalation", "begins_at", cause), f"the ladder has no level {level}"


def mean_one_thing(sections: Mapping[str, Any]) -> Wrong:
    """The id of a clause means one thing in the whole pack."""
    first: dict[str, Path] = {}
    for path, clause in clauses_in(sections):
        if clause.clause in first:
            other = ".".join(map(str, first[clause.clause]))
            yield (*path, "clause"), f"clause {clause.clause} is given twice; it is also {other}"
        first.setdefault(clause.clause, path)


def _shared_words(given: Sequence[Conditional], path: Path) -> Wrong:
    owners: dict[str, str] = {}
    for index, clause in enumerate(given):
        words = clause.when.words or WordList()
        for language, listed in (("zh", words.zh), ("en", words.en)):
            for at, word in enumerate(listed):
                owner = owners.setdefault(word.casefold(), clause.clause)
                if owner != clause.clause:
                    yield (
                        (*path, index, "when", "words", language, at),
                        f'the word "{word}" overlaps {owner}',
                    )
