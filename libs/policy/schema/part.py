"""What every part of a policy pack is made of: closed, frozen records, words in two languages, clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from libs.events.contracts.values import Language

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
ClauseId = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9.-]*$", max_length=40)]
Text = Annotated[str, Field(min_length=1)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
Share = Annotated[Decimal, Field(gt=0, le=1)]

ALLOWANCE: Final = re.compile(r"([1-9]\d{0,3}) (elapsed minutes|elapsed hours|working hours|working days)")


class Part(BaseModel):
    """Frozen and closed: what a pack does not know, it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Words(Part):
    """The same text in both languages."""

    zh: Text
    en: Text

    def in_language(self, language: Language) -> str:
        """The text for a reader of `language`."""
        return self.zh if language is Language.CHINESE else self.en


class Clause(Part):
    """One rule: the id that decisions name, what it is called, and the regulation it comes from."""

    clause: ClauseId
    title: Words
    source: Text


def clauses_in(node: Any, path: tuple[int | str, ...] = ()) -> Iterator[tuple[tuple[int | str, ...], Clause]]:
    """Every clause below `node`, with the way there."""
    if isinstance(node, Clause):
        yield path, node
    if isinstance(node, Part):
        node = {name: getattr(node, name) for name in type(node).model_fields}
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from clauses_in(value, (*path, name))
    elif isinstance(node, tuple):
        for index, value in enumerate(node):
            yield from clauses_in(value, (*path, index))


class Counted(StrEnum):
    """What a deadline counts."""

    ELAPSED_MINUTES = "elapsed minutes"
    ELAPSED_HOURS = "elapsed hours"
    WORKING_HOURS = "working hours"
    WORKING_DAYS = "working days"


@dataclass(frozen=True, slots=True)
class Allowance:
    """The time a deadline gives, written "3 working days"; days end at close of business."""

    count: int
    counted: Counted

    def __str__(self) -> str:
        return f"{self.count} {self.counted}"


def _allowance(given: Any) -> Allowance:
    found = ALLOWANCE.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError(f'a time is written like "3 working days"; it counts {", ".join(Counted)}')
    return Allowance(int(found[1]), Counted(found[2]))


Time = Annotated[Allowance, BeforeValidator(_allowance)]
