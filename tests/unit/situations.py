"""Situations reached by deciding, never written by hand: given commands, when one more comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

S = TypeVar("S")


@dataclass(frozen=True)
class Told(Generic[S]):
    """How a kind of stream is told: where it begins, what an event changes, which step decides."""

    initial: S
    evolve: Callable[[S, Any], S]
    steps: Mapping[type, Callable[[Any, S], Sequence[Any]]]

    def when(self, command: Any, situation: S) -> list[Any]:
        """What comes of a command."""
        return list(self.steps[type(command)](command, situation))

    def after(self, situation: S, happened: Sequence[Any]) -> S:
        """The situation after these events."""
        for event in happened:
            situation = self.evolve(situation, event)
        return situation

    def given(self, *commands: Any) -> S:
        """The situation that these commands lead to."""
        situation = self.initial
        for command in commands:
            situation = self.after(situation, self.when(command, situation))
        return situation
