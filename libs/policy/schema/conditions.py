"""When a clause holds: every condition given must, and one of the values listed suffices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal

from pydantic import Field

from libs.events.contracts.handling import Kind, Severity
from libs.events.contracts.values import Channel, DemandKind, RespondentKind
from libs.policy.schema.part import Amount, Part, Text

LISTS: Final = ("respondent", "kind", "severity", "demand", "channel")
FLAGS: Final = (
    "known_region",
    "purchased_part",
    "batch_incident",
    "none_defective",
    "before_delivery",
    "repeat_repair",
)
FLOORS: Final = ("defective_at_least", "demand_over", "loss_over")


@dataclass(frozen=True, slots=True)
class Needle:
    """One word to look for. English: whole words, the start of one where it was written with `*`."""

    text: str
    whole: bool
    start: bool


class WordList(Part):
    """Words that say what a complaint is about; "explo*" stands for every word that begins so."""

    zh: tuple[Text, ...] = ()
    en: tuple[Text, ...] = ()

    @cached_property
    def needles(self) -> tuple[Needle, ...]:
        """The words, ready to be looked for."""
        chinese = (Needle(word, whole=False, start=False) for word in self.zh)
        english = (
            Needle(word.rstrip("*").casefold(), whole=not word.endswith("*"), start=True) for word in self.en
        )
        return (*chinese, *english)


class Condition(Part):
    """Empty, it holds for every complaint."""

    respondent: tuple[RespondentKind, ...] = ()
    kind: tuple[Kind, ...] = ()
    severity: tuple[Severity, ...] = ()
    demand: tuple[DemandKind, ...] = ()
    channel: tuple[Channel, ...] = ()
    words: WordList | None = None
    known_region: Literal[True] | None = None
    purchased_part: Literal[True] | None = None
    batch_incident: Literal[True] | None = None
    none_defective: Literal[True] | None = None
    before_delivery: Literal[True] | None = None
    repeat_repair: Literal[True] | None = None
    defective_at_least: int | None = Field(default=None, ge=1)
    demand_over: Amount | None = None
    loss_over: Amount | None = None

    @cached_property
    def anything(self) -> bool:
        """Whether it holds for every complaint."""
        return self == Condition()

    def covers(self, other: Condition) -> bool:
        """Whether it holds wherever `other` does, so that `other` behind it is never reached."""
        return all(self._covering(other))

    def _covering(self, other: Condition) -> Iterator[bool]:
        for name in LISTS:
            mine, theirs = set(getattr(self, name)), set(getattr(other, name))
            yield not mine or (bool(theirs) and theirs <= mine)
        for name in FLAGS:
            yield getattr(self, name) is None or getattr(other, name) is True
        for name in FLOORS:
            floor, higher = getattr(self, name), getattr(other, name)
            yield floor is None or (higher is not None and Decimal(higher) >= floor)
        if self.words is None:
            yield True
        else:
            yield other.words is not None and set(other.words.needles) <= set(self.words.needles)


ANYTHING: Final = Condition()
