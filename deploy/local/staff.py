"""Simulated staff and customers: whoever owes the next step of a complaint does it, by a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from deploy.local.calls import Answer, Callers, Json

READER: Final = "after-sales-head"  # whose token looks at how complaints stand
TIMES_MAX: Final = 40
# In turn: nobody begins with what comes after something that is missing. All else may be done at any time.
IN_TURN: Final = ("details", "judgement", "assignment", "finding", "proposal", "measure")

Work = Callable[[], Awaitable[None]]


class Stuck(Exception):
    """Somebody owes something that they are never let do."""


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
    memory: Json = field(default_factory=dict)  # what the services last answered, by subject

    def draw(self, what: str) -> float:
        """From 0 to 1, always the same for the same thing."""
        return random.Random(f"{self.seed}/{self.number}/{what}").random()

    def happens(self, what: str, share: float) -> bool:
        """Whether it is one of that share of all."""
        return self.draw(what) < share

    def choose(self, what: str, options: Sequence[Any]) -> Any:
        """One of them."""
        return options[int(self.draw(what) * len(options))]

    def once(self, what: str) -> bool:
        """Whether it is the first time."""
        self.times[what] += 1
        return self.times[what] == 1

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/v1/complaints/{self.complaint_id}"


class Pace(Protocol):
    """How time goes for people: in a simulation they think for hours, in a demonstration not at all."""

    now: Callable[[], datetime]

    def thinking(self, case: Case, owed: Owed) -> timedelta:
        """How long somebody takes before they see to it."""
        ...

    def after(self, time: timedelta) -> timedelta:
        """How long that is, said of something that people do in their own time."""
        ...

    def appoint(self, case: Case, after: timedelta, work: Work) -> None:
        """Have it done then, or never, where that is too long to wait for."""
        ...


Rule = Callable[["Staff", Case, Owed], Awaitable[Answer | None]]
Mood = Callable[["Staff", Case], Awaitable[None]]


class Staff:
    """Everybody there is. `rules` say what somebody does who owes something, by what is owed."""

    def __init__(
        self,
        callers: Callers,
        seed: int,
        rules: Mapping[str, Rule],
        moods: Sequence[Mood],
        pace: Pace,
    ) -> None:
        self.callers = callers
        self.seed = seed
        self.pace = pace
        self.cases: dict[UUID, Case] = {}
        self.measures: dict[str, str] = {}  # cause code to the measure that answers it
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
        found = list(owed_of(answer.content))
        case.owed = {each.key: each for each in found}
        return found

    async def plan(self, case: Case) -> None:
        """Look at a complaint, and have whoever owes something see to it after thinking about it."""
        for owed in next_of(await self.look(case)):
            if owed.key not in case.planned and owed.what in self._rules:
                case.planned.add(owed.key)
                self.pace.appoint(case, self.pace.thinking(case, owed), partial(self.act, case, owed))
        for mood in self._moods:
            await mood(self, case)

    async def act(self, case: Case, owed: Owed) -> None:
        """Do what is owed, as its rule says, if it still is. Stuck where that was refused again and again."""
        case.planned.discard(owed.key)
        if owed.key not in case.owed:
            return
        case.times[owed.key] += 1
        if case.times[owed.key] > TIMES_MAX:
            why = case.memory.get("refused", "though nobody refused")
            raise Stuck(f"complaint {case.number}: {owed} was tried {TIMES_MAX} times, {why}")
        answer = await self._rules[owed.what](self, case, owed)
        if answer is not None and answer.refused:
            case.memory["refused"] = answer.content
            # Nobody hears of a refusal, so whoever got it looks again by themselves.
            self.pace.appoint(case, self.pace.thinking(case, owed), partial(self.plan, case))
        else:
            self.done[owed.step] += 1


def next_of(found: Sequence[Owed]) -> Iterator[Owed]:
    """What can be done now; a solution and a measure may be thought of side by side."""
    turns = [IN_TURN.index(each.what) for each in found if each.what in IN_TURN]
    turn = IN_TURN[min(turns)] if turns else None
    late = turn in IN_TURN[-2:]
    for each in found:
        if each.what not in IN_TURN or each.what == turn or (late and each.what in IN_TURN[-2:]):
            yield each


def owed_of(outcome: Json) -> Iterator[Owed]:
    """What an outcome says is missing."""
    for step in outcome["steps"]:
        for each in step["missing"]:
            by = each["owed_by"]
            yield Owed(step["step"], each["what"], by["unit"], by["person"], each["about"])
