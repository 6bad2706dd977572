"""Step 3 by policy: the unit and the named person who answer for a complaint (ASG)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from libs.events.contracts.assign import PassedOver
from libs.events.contracts.handling import Answerable, Ground
from libs.policy import people
from libs.policy.facts import Facts, find_word, holds
from libs.policy.pack import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Who answers, by which clause, and who came first and was passed over.

    `supplier` is who made the part, where it was purchased and the unit deals with it together with them.
    """

    answerable: Answerable
    passed_over: tuple[PassedOver, ...]
    ground: Ground
    supplier: str | None = None


def route(pack: Pack, facts: Facts, on: date, excluded: frozenset[str] = people.NOBODY) -> Routed:
    """Whom the policy names; `facts` as `located` returns them, with their kind. `on`: the day there."""
    clause = next((each for each in pack.routing[:-1] if holds(pack, each.when, facts)), pack.routing[-1])
    region = pack.regions.get(facts.region or "")
    unit = region.station if region and clause.to == "station" else clause.to
    about = people.complained_of(pack, facts.respondent)
    chosen = people.choose(pack, people.in_unit(pack, unit), on, about, excluded)
    supplier = supplier_of(pack, facts.product.part_number) if facts.product else None
    return Routed(
        answerable=chosen.answerable,
        passed_over=chosen.passed_over,
        ground=pack.ground(clause.clause),
        supplier=supplier if clause.when.purchased_part else None,
    )


def located(pack: Pack, facts: Facts, address: str | None) -> Facts:
    """The facts with what the policy knows about place and part: the region, and whether it was purchased."""
    part_number = facts.product.part_number if facts.product else None
    return replace(
        facts,
        region=region_of(pack, address),
        purchased_part=supplier_of(pack, part_number) is not None,
    )


def region_of(pack: Pack, address: str | None) -> str | None:
    """The region whose places the address names (ASG-3)."""
    if address:
        text = address.casefold()
        for name, region in pack.regions.items():
            if find_word(region.words, text):
                return name
    return None


def supplier_of(pack: Pack, part_number: str | None) -> str | None:
    """Who supplied a part, where it was purchased or outsourced (ASG-1)."""
    if part_number:
        number = part_number.casefold()
        for parts in pack.purchased_parts:
            if parts.pattern.fullmatch(number):
                return parts.supplier
    return None


def reassignments_max(pack: Pack) -> int:
    """More reassignments than this are buck-passing (ASG-5)."""
    return pack.buck_passing.reassignments_max
