"""Simulated staff and customers: whoever owes the next step of a complaint does it, by a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from deploy.local.calls import Callers, Json

READER: Final = "after-sales-head"  # whose token looks at how complaints stand
TIMES_MAX: Final = 20
HOURS: Final = ((0.55, 0.5, 6.0), (0.9, 6.0, 30.0), (0.97, 30.0, 90.0), (1.0, 90.0, 400.0))


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is missing of a complaint, and who owes it (see GET .../outcome)."""

    step: str
    what: str
    unit: str
    person: str
    about: str | None

    @property
    def key(self) -> str:
        """What tells it from the other things owed."""
        return f"{self.step}/{self.what}/{self.about}/{self.person}"


@dataclass(slots=True)
class Case:
    """A complaint as the people around it remember it; `draw` is their character, by seed and number."""

    complaint_id: UUID
    number: str
    seed: int
    request: Json
    missing_details: tuple[str, ...]
    outcome: Json = field(default_factory=dict)
    owed: dict[str, Owed] = field(default_factory=dict)  # as last seen, by key
    planned: set[str] = field(default_factory=set)
    times: Counter[str] = field(default_factory=Counter)  # how often something was seen to
    memory: Json = field(default_factory=dict)
    over: bool = False

    def draw(self, what: str) -> float:
        """From 0 to 1, always the same for the same thing."""
        return random.Random(f"{self.seed}/{self.number}/{what}").random()

    def happens(self, what: str, share: float) -> bool:
        """Whether it is one of that share of all."""
        return self.draw(what) < share

    def choose(self, what: str, options: Sequence[Any]) -> Any:
        """One of them."""
        return options[int(self.draw(what) * len(options))]

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/v1/complaints/{self.complaint_id}"


Work = Callable[[], Awaitable[None]]
Rule = Callable[["Staff", Case, Owed], Awaitable[None]]
Mood = Callable[["Staff", Case], Awaitable[None]]


class Stuck(Exception):
    """Somebody owes something that they are never let do."""


class Staff:
    """Everybody there is. `rules` say what somebody does who owes something, by what is owed."""

    def __init__(
        self,
        callers: Callers,
        seed: int,
        rules: Mapping[str, Rule],
        moods: Sequence[Mood],
        now: Callable[[], datetime],
        appoint: Callable[[Case, timedelta, Work], None],
    ) -> None:
        self.callers = callers
        self.seed = seed
        self.cases: dict[UUID, Case] = {}
        self.now = now
        self.appoint = appoint
        self.done: Counter[str] = Counter()  # things owed that somebody saw to, by step
        self._rules = rules
        self._moods = moods

    def meet(self, answer: Json, request: Json) -> Case:
        """Remember a complaint that was just recorded."""
        case = Case(
            complaint_id=UUID(answer["complaint_id"]),
            number=answer["number"],
            seed=self.seed,
            request=request,
            missing_details=tuple(answer["missing_details"]),
        )
        self.cases[case.complaint_id] = case
        return case

    async def look(self, case: Case) -> list[Owed]:
        """What is owed of a complaint now, by whom."""
        answer = await self.callers.get("resolution", f"{case.path}/outcome", READER)
        case.outcome = answer.content
        found = owed_of(answer.content)
        case.owed = {each.key: each for each in found}
        return found

    async def plan(self, case: Case) -> None:
        """Look at a complaint, and have whoever owes something see to it after thinking about it."""
        for owed in await self.look(case):
            if owed.key not in case.planned and self._rule(owed):
                case.planned.add(owed.key)
                self.appoint(case, thinking(case, owed), partial(self.act, case, owed))
        await self.feel(case)

    async def act(self, case: Case, owed: Owed) -> None:
        """Do what is owed, as its rule says, if it still is. Stuck where that was refused again and again."""
        case.planned.discard(owed.key)
        rule = self._rule(owed)
        if owed.key not in case.owed or rule is None:
            return
        case.times[owed.key] += 1
        if case.times[owed.key] > TIMES_MAX:
            raise Stuck(f"complaint {case.number}: {owed} was tried {TIMES_MAX} times")
        self.done[owed.step] += 1
        await rule(self, case, owed)

    def _rule(self, owed: Owed) -> Rule | None:
        """What somebody does about it; nothing about what the services see to themselves."""
        return self._rules.get(owed.what)

    async def feel(self, case: Case) -> None:
        """What somebody does of their own accord: the customer contests, a handler passes it on."""
        for mood in self._moods:
            await mood(self, case)


def owed_of(outcome: Json) -> list[Owed]:
    """What an outcome says is missing."""
    return [
        Owed(
            step=each["step"],
            what=each["what"],
            unit=each["owed_by"]["unit"],
            person=each["owed_by"]["person"],
            about=each["about"],
        )
        for step in outcome["steps"]
        for each in step["missing"]
    ]


def thinking(case: Case, owed: Owed) -> timedelta:
    """How long somebody takes: mostly hours, sometimes days, and a few far too long."""
    name = f"{owed.key}/{case.times[owed.key]}"
    quick, within = case.draw(name), case.draw(f"{name}/within")
    low, high = next((low, high) for share, low, high in HOURS if quick < share)
    return timedelta(hours=low + (high - low) * within)
