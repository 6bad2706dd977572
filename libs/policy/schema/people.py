"""What a pack says about people: who is in which unit, under whom, and which offices they hold (ASG-2)."""

from __future__ import annotations

from datetime import date
from functools import cached_property

from pydantic import Field

from libs.policy.schema.conditions import WordList
from libs.policy.schema.part import Id, Part, Text, Words


class Person(Part):
    """Somebody with a role; `superior` is who they answer to, `left_on` the first day they are gone."""

    name: Words
    unit: Id
    superior: Id | None = None
    left_on: date | None = None


class Unit(Part):
    """A department or station: who takes its complaints, who stands in, who heads it."""

    title: Words
    responsible: Id
    deputy: Id
    head: Id


class Office(Part):
    """A task that somebody must hold: the first of `held_by` who may and can takes it."""

    title: Words
    held_by: tuple[Id, ...] = Field(min_length=1)


class Region(Part):
    """The places that a service station owns, as words of an address (ASG-3)."""

    title: Words
    station: Id
    places: tuple[Text, ...] = Field(min_length=1)

    @cached_property
    def words(self) -> WordList:
        """The places, ready to be found in an address."""
        english = tuple(place for place in self.places if place.isascii())
        return WordList(zh=tuple(place for place in self.places if not place.isascii()), en=english)
