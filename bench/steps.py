"""Rows on pure decisions: the slowest `decide` of all steps, and a deadline of thirty working days."""

import asyncio
import importlib
import itertools
import pkgutil
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Any

import services
from bench import situations
from bench.measure import Contestant, Group, Row, Sample, Scale
from bench.servers import Place
from bench.situations import Situation
from bench.workers import alone
from deploy.simulation import story
from libs.events import errors
from libs.events.contracts.handling import Severity, Step
from libs.policy import deadlines, pack

UNIT = "us median"
DECIDE, DEADLINE = "the slowest decider", "thirty working days"
SEED, MONTHS = 7, 1
SAMPLES_MAX = 40  # situations of one decider
TIMES = 15  # that each is decided
NAMED = 3
STARTS = 400  # an hour and some minutes apart
BETWEEN = timedelta(minutes=67)
THIRTY = "30 working days"
REFUSALS = (errors.Refused, errors.NotFound, errors.StaleVersion)

ROWS = (
    Row("decide", "decide of any step, the slowest", UNIT, DECIDE, 50.0, at_most=True),
    Row("deadline", "deadline over 30 working days", UNIT, DEADLINE, 100.0, at_most=True),
)


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """No server takes part."""
    made: dict[str, Contestant] = {
        DECIDE: partial(alone, place.programs, decide, scale.decided_complaints),
        DEADLINE: partial(alone, place.programs, deadline),
    }
    yield {name: contestant for name, contestant in made.items() if name in wanted}


def decide(complaints: int) -> Sample:
    """Every decider, on what a month of simulated complaints brings before it, or nearly does."""
    deciders = {module.__name__.removeprefix("services."): module for module in steps()}
    seen = met(deciders, complaints)
    seen = {name: made for name, made in situations.further(seen).items() if made} | seen
    medians = {name: median_us(deciders[name].decide, met_here) for name, met_here in seen.items()}
    slowest = sorted(medians, key=lambda name: -medians[name])
    named = ", ".join(f"{name} {medians[name]:.1f}" for name in slowest[:NAMED])
    remark = f"slowest: {named}; of {len(medians)} deciders"
    if missed := sorted(deciders.keys() - seen.keys()):
        remark += f"; nobody came to {', '.join(missed)}"
    return Sample({UNIT: medians[slowest[0]]}, remark=remark)


def steps() -> Iterator[ModuleType]:
    """Every module of a service that has a `decide`."""
    for found in pkgutil.walk_packages(services.__path__, "services."):
        if ".migrations" not in found.name:
            module = importlib.import_module(found.name)
            if hasattr(module, "decide"):
                yield module


def met(deciders: Mapping[str, ModuleType], complaints: int) -> dict[str, list[Situation]]:
    """What each decider is asked in a simulation: callers reach it through its module, so we can listen."""
    seen: defaultdict[str, list[Situation]] = defaultdict(list)
    first = {name: module.decide for name, module in deciders.items()}

    def listening(name: str) -> Callable[[Any, Any], Any]:
        def heard(command: Any, state: Any) -> Any:
            if len(seen[name]) < SAMPLES_MAX:
                seen[name].append((command, state))
            return first[name](command, state)

        return heard

    try:
        for name, module in deciders.items():
            vars(module)["decide"] = listening(name)
        asyncio.run(story.tell(SEED, MONTHS, complaints))
    finally:
        for name, module in deciders.items():
            vars(module)["decide"] = first[name]
    return dict(seen)


def median_us(decided: Callable[[Any, Any], Any], met_here: list[Situation]) -> float:
    """Over all of them; a refusal is a decision like any other."""
    took = []
    for command, state in itertools.chain.from_iterable(itertools.repeat(met_here, TIMES)):
        began = time.perf_counter_ns()
        with suppress(*REFUSALS):
            decided(command, state)
        took.append(time.perf_counter_ns() - began)
    return statistics.median(took) / 1e3


def deadline() -> Sample:
    """The shipped policy's longest time, begun at any hour of some weeks."""
    policy, start = pack.load("standard"), datetime(2026, 9, 1, tzinfo=UTC)
    took = []
    for number in range(STARTS):
        began = time.perf_counter_ns()
        due = deadlines.due(policy, Step.IMPROVE, Severity.MINOR, start + number * BETWEEN)
        took.append(time.perf_counter_ns() - began)
        if due.allowed != THIRTY:
            raise RuntimeError(f"the policy allows {due.allowed}, not {THIRTY}")
    return Sample({UNIT: statistics.median(took) / 1e3})


GROUP = Group(ROWS, contestants)
