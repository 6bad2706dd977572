"""Each service in memory: its own reactions, clocks and interface, on lookups that are fed from the log."""

from __future__ import annotations

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
from services.investigation import app as investigation_app
from services.investigation import clock as investigation_clock
from services.investigation import desk as investigation_desk
from services.investigation import reactions as investigation_reactions
from services.investigation import repairs as investigation_repairs
from services.oversight import app as oversight_app


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


def oversight(resources: Simulated) -> Part:
    """Policies and their acknowledgement."""
    return Part(service=oversight_app.SERVICE, resources=resources)


PARTS: Final[Mapping[str, Callable[[Simulated], Part]]] = {
    "investigation": investigation,
    "oversight": oversight,
}
