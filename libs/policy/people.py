"""Who takes something on: the first candidate who is there and no judge in their own cause (ASG-2, ASG-4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.events.contracts.assign import PassedOver
from libs.events.contracts.handling import Answerable
from libs.events.contracts.values import Language, Respondent, RespondentKind
from libs.policy.pack import Pack

NOBODY: frozenset[str] = frozenset()
# Why somebody is passed over, as events have it; `terms.WHYS` says it in either language.
UNKNOWN: Final = "is nobody the policy knows"
LEFT: Final = "left on"  # and the day
COMPLAINED_OF: Final = "is complained of"
BELOW: Final = "answers to the person complained of"
HAD_THEIR_SAY: Final = "has dealt with it before"
BELOW_WHO_HAD: Final = "answers to somebody who has dealt with it before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Who it is, and who came first and was passed over, each with the reason."""

    answerable: Answerable
    passed_over: tuple[PassedOver, ...]


def complained_of(pack: Pack, respondent: Respondent) -> str | None:
    """The person a complaint is about: themselves, or the head of the unit complained of."""
    if respondent.kind is RespondentKind.PERSON:
        return respondent.reference
    if respondent.kind is RespondentKind.UNIT and respondent.reference in pack.units:
        return pack.units[respondent.reference].head
    return None


def in_unit(pack: Pack, unit: str) -> tuple[str, ...]:
    """Who answers for a unit: the responsible person, else the deputy, else the head.

    What a unit owed that this version of the policy does not know falls to where all else goes.
    """
    found = pack.units.get(unit) or pack.units[pack.routing[-1].to]
    return found.responsible, found.deputy, found.head


def in_office(pack: Pack, office: str) -> tuple[str, ...]:
    """Who holds an office (or the person of that name), first choice first."""
    return pack.offices[office].held_by if office in pack.offices else (office,)


def choose(
    pack: Pack,
    candidates: Iterable[str],
    on: date,
    about: str | None = None,
    excluded: frozenset[str] = NOBODY,
) -> Chosen:
    """The first of the candidates, then of their superiors, then of the last resort, who may take it.

    `about` is the person complained of: neither they nor anybody below them may (ASG-4). `excluded` have
    had their say already (they judged before, or propose what is to be approved), and nobody below them
    overrules them; should nobody else be left, that alone is overlooked.
    """
    line = tuple(dict.fromkeys(_line(pack, tuple(candidates))))
    passed: list[PassedOver] = []
    for person in line:
        why = _obstacle(pack, person, on, about) or _had_their_say(pack, person, excluded)
        if why is None:
            return Chosen(answerable=answerable(pack, person), passed_over=tuple(passed))
        passed.append(PassedOver(person=person, why=why))
    last = next(person for person in reversed(line) if _obstacle(pack, person, on, about) is None)
    return Chosen(answerable=answerable(pack, last), passed_over=tuple(passed))


def answerable(pack: Pack, person: str) -> Answerable:
    """A person with their unit (ASG-2)."""
    return Answerable(unit=pack.people[person].unit, person=person)


def superiors(pack: Pack, person: str) -> Iterator[str]:
    """Everybody above a person, nearest first; nobody above one the pack does not know."""
    known = pack.people.get(person)
    while known and known.superior:
        yield known.superior
        known = pack.people[known.superior]


def subordinates(pack: Pack, person: str) -> frozenset[str]:
    """Everybody below a person."""
    return frozenset(each for each in pack.people if person in superiors(pack, each))


def head_of(pack: Pack, unit: str) -> str | None:
    """Who heads a unit; None for one the pack does not know (PEN-1)."""
    return pack.units[unit].head if unit in pack.units else None


def name_of(pack: Pack, person: str, language: Language) -> str:
    """How a person is called; those the pack does not know, by their id."""
    known = pack.people.get(person)
    return known.name.in_language(language) if known else person


def unit_title(pack: Pack, unit: str, language: Language) -> str:
    """How a unit is called; one the pack does not know, by its id."""
    known = pack.units.get(unit)
    return known.title.in_language(language) if known else unit


def _line(pack: Pack, candidates: tuple[str, ...]) -> Iterator[str]:
    yield from candidates
    for person in candidates[-1:]:
        yield from superiors(pack, person)
    yield from pack.leadership.last_resort


def _obstacle(pack: Pack, person: str, on: date, about: str | None) -> str | None:
    known = pack.people.get(person)
    if known is None:
        return UNKNOWN
    if known.left_on is not None and known.left_on <= on:
        return f"{LEFT} {known.left_on}"
    if person == about:
        return COMPLAINED_OF
    if about is not None and about in superiors(pack, person):
        return BELOW
    return None


def _had_their_say(pack: Pack, person: str, excluded: frozenset[str]) -> str | None:
    if person in excluded:
        return HAD_THEIR_SAY
    if excluded and not excluded.isdisjoint(superiors(pack, person)):
        return BELOW_WHO_HAD
    return None
