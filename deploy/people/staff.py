"""Simulated staff and customers: whoever owes the next step of a complaint does it, by a seed."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from deploy.people import owing
from deploy.people.calls import Answer, Callers, Json
from deploy.people.owing import Owed

READER: Final = "after-sales-head"  # whose token looks at how complaints stand
TIMES_MAX: Final = 40
OF_CASE: Final = ("propose", "penalize")  # steps of which a case says everything

Work = Callable[[], Awaitable[None]]


class Stuck(Exception):
    """Somebody owes something that they are never let do."""


@dataclass(slots=True)
class Case:
    """A complaint as the people around it remember it; `draw` is their character, by seed and number."""

    complaint_id: UUID
    number: str
    seed: int
    request: Json
    missing_details: tuple[str, ...]
    outcome: Json = field(default_factory=dict)
    owed: dict[str, Owed] = field(default_factory=dict)  # as last seen or answered, by key
    notices: list[str] = field(default_factory=list)  # which somebody has to tell by hand (NTF-3)
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
    def round(self) -> int:
        """How often it was reopened, and once more."""
        return int(self.outcome.get("round", 1))

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
        self.observed_until: dict[str, datetime] = {}  # by measure in place
        # By complaint, those that it may be the same as (REC-9); also of what nobody has met yet.
        self.alike: defaultdict[UUID, list[str]] = defaultdict(list)
        self.incidents: set[str] = set()  # whose cause somebody has gone to find
        self.done: Counter[str] = Counter()  # things owed that somebody saw to, by step
        self._on_measures: set[str] = set()  # what somebody will see to, for all complaints of a measure
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

    def hear(self, name: str, complaint_id: UUID | None, said: Json) -> Case | None:
        """An event was heard of: the complaint that somebody should look at for it, if any.

        `said` is the event; only of `owing.WORTH_READING` is it read.
        """
        if complaint_id is None or name not in owing.WAKING:
            return None
        self.alike[complaint_id] += owing.alike(name, said)
        case = self.cases.get(complaint_id)
        if case is not None and name == "notice_task_raised":
            case.notices.append(str(said["notice_id"]))
        return case

    async def look(self, case: Case) -> list[Owed]:
        """What is owed of a complaint now, by whom."""
        answer = await self.callers.get("resolution", f"{case.path}/outcome", READER)
        case.outcome = answer.content
        found = list(owing.of_outcome(answer.content))
        case.owed = {each.key: each for each in found}
        return found

    async def plan(self, case: Case) -> None:
        """Look at a complaint, and have whoever owes something see to it after thinking about it."""
        await self.look(case)
        for mood in self._moods:
            await mood(self, case)
        self._appoint(case)

    def learn(self, case: Case, standing: Json) -> None:
        """How a case now stands was answered to somebody: whoever owes something by that goes on."""
        gone = {"measure"} if standing["improvement_not_needed"] or standing["improvement_ids"] else set()
        known = owing.of_case(standing)
        self._replace(case, known, lambda each: each.step not in OF_CASE and each.what not in gone)

    def learn_of_measure(self, case: Case, measure: Json) -> None:
        """The same of a measure, which is owed by all the complaints it answers."""
        if measure["observed_until"]:
            self.observed_until[measure["improvement_id"]] = datetime.fromisoformat(measure["observed_until"])
        self._replace(case, owing.of_measure(measure), lambda each: each.step != "improve")

    def _replace(self, case: Case, known: Iterator[Owed], stays: Callable[[Owed], bool]) -> None:
        kept = {key: each for key, each in case.owed.items() if stays(each)}
        case.owed = kept | {each.key: each for each in known}
        self._appoint(case)

    def _appoint(self, case: Case) -> None:
        """Have what can be done now seen to, each thing once."""
        for owed in owing.next_of(list(case.owed.values())):
            if owed.what not in self._rules or owed.key in case.planned or self._is_seen_to(owed):
                continue
            if owing.has_begun(case.outcome, owed):
                case.planned.add(owed.key)
                self.pace.appoint(case, self.pace.thinking(case, owed), partial(self.act, case, owed))
            elif (waits := f"waits/{owed.key}") not in case.planned:
                case.planned.add(waits)
                case.times[owed.key] += 1
                self.pace.appoint(case, self.pace.thinking(case, owed), partial(self._again, case, waits))

    def _is_seen_to(self, owed: Owed) -> bool:
        """Whether somebody sees to it already, for another complaint; else it is seen to from now on."""
        name = f"{owed.what}/{owed.about}"
        if not owed.of_measure or name not in self._on_measures:
            self._on_measures |= {name} if owed.of_measure else set()
            return False
        return True

    def keep(self, case: Case, owed: Owed) -> None:
        """Somebody has it in mind for later, so that nobody else begins with it."""
        case.planned.add(owed.key)
        if owed.of_measure:
            self._on_measures.add(f"{owed.what}/{owed.about}")

    async def _again(self, case: Case, waits: str) -> None:
        case.planned.discard(waits)
        await self.plan(case)

    async def act(self, case: Case, owed: Owed) -> None:
        """Do what is owed, as its rule says, if it still is. Stuck where that was refused again and again."""
        case.planned.discard(owed.key)
        self._on_measures.discard(f"{owed.what}/{owed.about}")
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
