"""Finds what a person works on: a complaint as its history tells it, its case, and a measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request

from libs.events import errors
from libs.events.contracts.handling import Answerable, Step, StepDue
from libs.events.contracts.improve import ImprovementPlanned
from libs.events.history import of
from libs.policy import deadlines, people
from libs.policy.schema.deadlines import Errand
from libs.service import auth, commands, failures, wiring
from libs.service.auth import Caller
from libs.service.wiring import Resources
from services.resolution import history, measure, state
from services.resolution.clock import CASE, MEASURE
from services.resolution.history import Complaint
from services.resolution.lookups import Lookups
from services.resolution.views import Cases

C = TypeVar("C")


class Desk:
    """Where cases and measures are worked on."""

    def __init__(self, resources: Resources, lookups: Lookups) -> None:
        self.resources = resources
        self.lookups = lookups

    async def complaint(self, log: str, complaint_id: UUID) -> Complaint:
        """A complaint as its history stands, and each measure it names; NotFound."""
        store = self.resources.store
        complaint = await of(store, history.follow).now(log, complaint_id)
        if complaint is None:
            raise errors.NotFound("There is no such complaint.")
        if not (named := complaint.case.improvements):
            return complaint
        return history.with_measures(
            complaint, {each: await store.read_stream(log, MEASURE.name(each)) for each in named}
        )

    async def measure(self, log: str, improvement_id: UUID) -> tuple[measure.Existing, int]:
        """How a measure stands, and its version; NotFound."""
        past = await self.resources.store.read_stream(log, MEASURE.name(improvement_id))
        found: measure.Improvement = MEASURE.initial
        if not past or not isinstance(past[0].event, ImprovementPlanned):
            raise measure.NotYetPlanned
        found = MEASURE.fold(found, [each.event for each in past])
        assert not isinstance(found, measure.NotPlanned), "its first event planned it"
        return found, past[-1].envelope.version


@dataclass(frozen=True)
class Call(commands.Call):
    """One person's call at this desk."""

    desk: Desk

    @property
    def today(self) -> date:
        """The day it is where the organisation is."""
        return self.policy.day_of(self.now)

    @property
    def under(self) -> frozenset[str]:
        """Everybody whom the caller answers to."""
        return frozenset(people.superiors(self.policy, self.caller.subject))

    async def complaint(self, complaint_id: UUID) -> Complaint:
        """See `Desk.complaint`."""
        return await self.desk.complaint(self.caller.org, complaint_id)

    def due(self, what: Step | Errand, complaint: Complaint, step: Step) -> StepDue:
        """When something that begins now is due, as part of a step."""
        found = deadlines.due(self.policy, what, complaint.severity, self.now)
        return StepDue(step=step, due_at=found.due_at, warn_at=found.warn_at)

    def member(self, person: str, pointer: str) -> Answerable:
        """A person with their unit; Malformed for one the policy does not know."""
        if person not in self.policy.people:
            raise failures.malformed(pointer, "unknown_person", "The policy knows no such person")
        return people.answerable(self.policy, person)

    async def carry_out(
        self,
        complaint: Complaint,
        decide: Callable[[C, state.Case], Sequence[Any]],
        command: C,
        said: BaseModel | bytes,
    ) -> commands.Standing[state.Case]:
        """Carry out a command on a complaint's case: see `submit`."""
        about = complaint.complaint_id
        return await self.submit(CASE, about, decide, command, said, about=about)

    async def carry_out_measure(
        self,
        improvement_id: UUID,
        decide: Callable[[C, measure.Improvement], Sequence[Any]],
        command: C,
        said: BaseModel | bytes,
        about: UUID,
    ) -> commands.Standing[measure.Improvement]:
        """The same on a measure; `about` is the complaint under whose history it is kept."""
        return await self.submit(MEASURE, improvement_id, decide, command, said, about=about)


async def _desk(request: Request, resources: wiring.Wired) -> Desk:
    service = request.app.state
    if not hasattr(service, "desk"):
        service.desk = Desk(resources, Cases(resources.engine, resources.policy.calendar.zone))
    desk: Desk = service.desk
    return desk


# For the signatures of endpoints.
AtDesk = Annotated[Desk, Depends(_desk)]
Reader = Annotated[Caller, auth.require("complaints:read")]


async def _call(call: commands.Called, desk: AtDesk) -> Call:
    return Call(**vars(call), desk=desk)


Called = Annotated[Call, Depends(_call)]
