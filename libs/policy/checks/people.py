"""Checks that people, units and regions fit together."""

from __future__ import annotations

from collections.abc import Mapping

from libs.policy.checks.finding import Wrong, named
from libs.policy.schema.people import Person, Region, Unit
from libs.policy.schema.routing import Leadership


def exist(people: Mapping[str, Person], units: Mapping[str, Unit]) -> Wrong:
    """Units name people, people name units."""
    for name, person in people.items():
        if person.unit not in units:
            yield ("people", name, "unit"), f"there is no unit {person.unit}"
    for name, unit in units.items():
        for place in ("responsible", "deputy", "head"):
            holder = getattr(unit, place)
            if holder not in people:
                yield ("units", name, place), f"there is no person {holder}"


def answer_to_somebody(people: Mapping[str, Person]) -> Wrong:
    """Superiors exist, and nobody is, by however many levels, their own."""
    for name, person in people.items():
        place = ("people", name, "superior")
        if person.superior is not None and person.superior not in people:
            yield place, f"there is no person {person.superior}"
        seen, above = {name}, person.superior
        while above is not None and above in people and above not in seen:
            seen.add(above)
            above = people[above].superior
        if above == name:
            yield place, f"{name} would be their own superior"


def lead(leadership: Leadership, people: Mapping[str, Person]) -> Wrong:
    """Those of last resort are there and answer to nobody: one of them may take any complaint (ASG-4)."""
    for place in ("members", "last_resort"):
        yield from named(getattr(leadership, place), people, "person", ("leadership", place))
    if len(set(leadership.last_resort)) < 3:
        why = "three different people are needed: one complained of, one who sanctions, one who judges that"
        yield ("leadership", "last_resort"), why
    for index, name in enumerate(leadership.last_resort):
        person = people.get(name)
        if person and (person.superior or person.left_on):
            yield (
                ("leadership", "last_resort", index),
                f"{name} answers to somebody or leaves, so a complaint could find nobody",
            )


def own_regions(regions: Mapping[str, Region], units: Mapping[str, Unit]) -> Wrong:
    """Every region has a station, and a place belongs to one region."""
    owners: dict[str, str] = {}
    for name, region in regions.items():
        if region.station not in units:
            yield ("regions", name, "station"), f"there is no unit {region.station}"
        for index, place in enumerate(region.places):
            owner = owners.setdefault(place.casefold(), name)
            if owner != name:
                yield ("regions", name, "places", index), f"{place} overlaps region {owner}"
