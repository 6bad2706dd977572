"""One simulated organisation, from its first contact to its last: contacts come in, people see to them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from deploy.people import customs, policies
from deploy.people.calls import Callers
from deploy.people.owing import WAKING, Owed
from deploy.people.staff import Case, Staff, Work
from deploy.simulation import contacts, invariants
from deploy.simulation.invariants import Invariant
from deploy.simulation.resources import LOG
from deploy.simulation.world import World, running
from libs.events.envelope import Recorded
from libs.events.memory_bus import ROUGH, Faults

# Hours to think, by share of all: below the first number, from the second to the third.
HOURS: Final = ((0.55, 0.5, 6.0), (0.9, 6.0, 30.0), (0.97, 30.0, 90.0), (1.0, 90.0, 400.0))
MONTH: Final = timedelta(days=30)
AFTERWARDS: Final = timedelta(days=300)  # for what is under way: measures are observed for months
DESK: Final = "after-sales-officer"


@dataclass(frozen=True, slots=True)
class Story:
    """How it went."""

    seed: int
    world: World
    staff: Staff
    events: int
    invariants: Sequence[Invariant]

    @property
    def broken(self) -> Invariant | None:
        """The first invariant that did not hold."""
        return next((each for each in self.invariants if each.broken), None)


async def tell(seed: int, months: int, count: int, faults: Faults = ROUGH) -> Story:
    """Live through `months` in which `count` contacts come in, and then until nothing more happens."""
    async with running(seed, faults) as world:
        callers = Callers(world.clients, world.ground.signing_keys)

        staff = Staff(callers, seed, customs.RULES, customs.MOODS, Leisure(world))
        world.bus.subscribe("staff", partial(hear, world, staff))
        await policies.publish(callers, world.now)
        arrivals(world, staff, seed, months * MONTH, count)
        await world.run(world.now + months * MONTH + AFTERWARDS, partial(attend, world, staff))
        held = await invariants.check(world, staff, count)
        return Story(seed, world, staff, (await world.log.head(LOG)).seq, held)


class Leisure:
    """People of a simulated world take their time; see `Pace`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.now: Callable[[], datetime] = lambda: world.now

    def thinking(self, case: Case, owed: Owed) -> timedelta:
        """Mostly hours, sometimes days, and a few far too long."""
        name = f"{owed.key}/{case.times[owed.key]}"
        share, within = case.draw(name), case.draw(f"{name}/within")
        low, high = next((low, high) for upto, low, high in HOURS if share < upto)
        return timedelta(hours=low + (high - low) * within)

    def after(self, time: timedelta) -> timedelta:
        """As long as that."""
        return time

    def appoint(self, case: Case, after: timedelta, work: Work) -> None:
        """On the world's agenda."""
        self._world.appoint(self._world.now + after, work)


def arrivals(world: World, staff: Staff, seed: int, span: timedelta, count: int) -> None:
    """Appoint every contact, at any hour of any day."""
    chance = random.Random(f"{seed}/contacts")
    moments = sorted(world.now + chance.random() * span for _ in range(count))
    for number, at in enumerate(moments, 1):
        world.appoint(at, partial(record, staff, contacts.contact(number, at, chance)))


async def record(staff: Staff, body: dict[str, object]) -> None:
    """Somebody at the desk takes a contact down."""
    answer = await staff.callers.post("intake", "/v1/complaints", DESK, body)
    staff.meet(answer.content, body)


async def hear(world: World, staff: Staff, recorded: Recorded[Any]) -> None:
    """What people hear of, somebody looks at; of what nobody has met yet, whoever records it."""
    envelope = recorded.envelope
    name = envelope.type.split(".")[2]
    if envelope.complaint_id and name in WAKING:
        staff.hear(name, envelope.complaint_id, json.loads(envelope.body))
        world.changed[envelope.complaint_id] = None


async def attend(world: World, staff: Staff) -> None:
    """Whatever was heard of, somebody looks at."""
    while world.changed:
        changed = list(world.changed)
        world.changed.clear()
        for complaint_id in changed:
            if (case := staff.cases.get(complaint_id)) is not None:
                await staff.plan(case)
