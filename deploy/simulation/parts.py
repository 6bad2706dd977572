"""Each service in memory: its own reactions, clocks and interface, on lookups that are fed from the log."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI

from deploy.simulation.resources import Simulated
from libs.events.envelope import Recorded
from libs.service.app import Service, create_app
from libs.service.clock import Clock
from libs.service.deadlines import MemoryDeadlines
from libs.service.reaction import Reaction
from services.intake import app as intake_app
from services.intake import clock as intake_clock
from services.intake import desk as intake_desk
from services.intake import neighbours as intake_neighbours
from services.intake import numbers as intake_numbers
from services.intake import reactions as intake_reactions
from services.investigation import app as investigation_app
from services.investigation import clock as investigation_clock
from services.investigation import desk as investigation_desk
from services.investigation import reactions as investigation_reactions
from services.investigation import repairs as investigation_repairs
from services.notifier import app as notifier_app
from services.notifier import clock as notifier_clock
from services.notifier import delivery as notifier_delivery
from services.notifier import reactions as notifier_reactions
from services.notifier.channels.channel import Failed, Outgoing
from services.oversight import app as oversight_app
from services.resolution import app as resolution_app
from services.resolution import clock as resolution_clock
from services.resolution import desk as resolution_desk
from services.resolution import lookups as resolution_lookups
from services.resolution import reactions as resolution_reactions

FAILING: Final = 0.05
UNREACHABLE: Final = 0.01  # of all notices reach nobody over any channel, and are left to a person (NTF-3)


@dataclass(frozen=True, slots=True)
class Ticking:
    """A clock and the deadlines that it passes."""

    clock: Clock
    deadlines: MemoryDeadlines


@dataclass(frozen=True, slots=True)
class Part:
    """One service. `noting` takes in every event of the log, before anybody reacts to it.

    `desk`, where there is one, stands where requests look for it.
    """

    service: Service
    resources: Simulated
    reactions: Sequence[Reaction] = ()
    ticking: Sequence[Ticking] = ()
    noting: Sequence[Callable[[Recorded[Any]], None]] = ()
    desk: Any = None

    def app(self) -> FastAPI:
        """The service's own application, without views in SQL."""
        made = create_app(replace(self.service, views=lambda _: ()), resources=self.resources)
        if self.desk is not None:
            made.state.desk = self.desk
        return made


def intake(resources: Simulated) -> Part:
    """Steps 1 to 3."""
    known = intake_neighbours.MemoryNeighbours()
    kept = MemoryDeadlines(intake_desk.STREAM.category, intake_clock.changes)
    desk = intake_desk.Desk(resources, known, intake_numbers.MemoryNumbers())
    return Part(
        service=intake_app.SERVICE,
        resources=resources,
        reactions=intake_reactions.following(desk),
        ticking=(Ticking(intake_clock.clock(resources, kept, known), kept),),
        noting=(known.note, kept.note),
        desk=desk,
    )


def investigation(resources: Simulated) -> Part:
    """Step 4."""
    repairs = investigation_repairs.MemoryRepairs()
    kept = MemoryDeadlines(investigation_clock.STREAM.category, investigation_clock.changes)
    return Part(
        service=investigation_app.SERVICE,
        resources=resources,
        reactions=investigation_reactions.following(resources, repairs),
        ticking=(Ticking(investigation_clock.clock(resources, kept), kept),),
        noting=(repairs.note, kept.note),
        desk=investigation_desk.Desk(resources, repairs),
    )


def resolution(resources: Simulated) -> Part:
    """Steps 5, 7 and 8."""
    lookups = resolution_lookups.MemoryLookups()
    kept = MemoryDeadlines(resolution_clock.CASE.category, resolution_clock.changes)
    return Part(
        service=resolution_app.SERVICE,
        resources=resources,
        reactions=resolution_reactions.following(resources, lookups),
        ticking=(Ticking(resolution_clock.clock(resources, kept), kept),),
        noting=(lookups.note, kept.note),
        desk=resolution_desk.Desk(resources, lookups),
    )


def notifier(resources: Simulated) -> Part:
    """Step 6, over channels that fail now and then."""
    kept = MemoryDeadlines(notifier_delivery.NOTICES.category, notifier_clock.changes)
    channels = {name: Unsteady(resources.chance) for name in notifier_delivery.channels(resources)}
    sender = notifier_delivery.Sender(resources, channels)
    return Part(
        service=notifier_app.SERVICE,
        resources=resources,
        reactions=notifier_reactions.sending(resources, sender),
        ticking=(Ticking(notifier_clock.clock(resources, kept, sender), kept),),
        noting=(kept.note,),
    )


class Unsteady:
    """A channel that is away for a share of all attempts; see `Channel`."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def send(self, notice: Outgoing) -> None:
        """See `Channel.send`."""
        if self._chance.random() < FAILING:
            raise Failed("the channel is away")
        if random.Random(str(notice.notice_id)).random() < UNREACHABLE:
            raise Failed("there is nobody at this address")


def oversight(resources: Simulated) -> Part:
    """Policies and their acknowledgement."""
    return Part(service=oversight_app.SERVICE, resources=resources)


PARTS: Final[Mapping[str, Callable[[Simulated], Part]]] = {
    "intake": intake,
    "investigation": investigation,
    "resolution": resolution,
    "notifier": notifier,
    "oversight": oversight,
}
