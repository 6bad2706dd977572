"""Finds what a person works on: a complaint's investigation, or its incident's, and whose words they seal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request

from libs.events import errors
from libs.events.decider import standing
from libs.policy import incidents, people
from libs.service import auth, commands, wiring
from libs.service.auth import Caller
from libs.service.wiring import Resources
from services.investigation import history, state
from services.investigation.clock import STREAM
from services.investigation.history import Complaint
from services.investigation.views import Investigations, Repairs

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Case:
    """What a call is about: the investigation `key`, reached by a complaint unless by the incident itself."""

    key: UUID
    complaint: Complaint | None
    investigation: state.Investigation

    @property
    def complaint_id(self) -> UUID | None:
        """The complaint that the call names."""
        return self.complaint.complaint_id if self.complaint else None

    @property
    def data_subject(self) -> str:
        """Whose key seals what is said here: the complaint's, else the incident's own."""
        return self.complaint.data_subject if self.complaint else f"incident:{self.key}"

    @property
    def finding_subject(self) -> str:
        """Whose key seals what is found: it is for all of an incident, so no single customer erases it."""
        joined = self.complaint is None or self.complaint.complaint_id != self.key
        return f"incident:{self.key}" if joined else self.data_subject


class Desk:
    """Where investigations are worked on."""

    def __init__(self, resources: Resources, repairs: Repairs) -> None:
        self.resources = resources
        self.repairs = repairs

    async def case(self, log: str, named: UUID) -> Case:
        """What `named`, a complaint or an incident, is investigated in; NotFound where it is neither."""
        investigation = await self.investigation(log, named)
        complaint = await history.read(self.resources.store, log, named)
        if complaint is None and isinstance(investigation, state.NotOpened):
            raise errors.NotFound("There is no such complaint.")
        if isinstance(investigation, state.Joined):
            incident_id = investigation.incident_id
            return Case(incident_id, complaint, await self.investigation(log, incident_id))
        return Case(named, complaint, investigation)

    async def investigation(self, log: str, key: UUID) -> state.Investigation:
        """How an investigation stands; NotOpened where there is none."""
        return (await standing(self.resources.store, log, STREAM, key)).state

    async def repair_before(self, log: str, file: state.File, cause_code: str) -> UUID | None:
        """The complaint for which this fault on this unit was mended within the policy's time (INV-6)."""
        if file.serial_number is None:
            return None
        repair = await self.repairs.last(log, file.serial_number, cause_code)
        now = self.resources.now()
        policy = await self.resources.policies.in_force(log, now)
        if repair is None or not incidents.is_repeat_repair(policy, repair.repaired_at, now):
            return None
        return repair.complaint_id


@dataclass(frozen=True)
class Call(commands.Call):
    """One person's call at this desk."""

    desk: Desk

    @property
    def under(self) -> frozenset[str]:
        """Everybody whom the caller answers to."""
        return frozenset(people.superiors(self.policy, self.caller.subject))

    async def case(self, named: UUID) -> Case:
        """See `Desk.case`."""
        return await self.desk.case(self.caller.org, named)

    async def carry_out(
        self,
        case: Case,
        decide: Callable[[C, state.Investigation], Sequence[Any]],
        command: C,
        said: BaseModel | bytes,
    ) -> commands.Standing[state.Investigation]:
        """Carry out a command on the case: see `submit`."""
        return await self.submit(STREAM, case.key, decide, command, said, about=case.complaint_id)


async def _desk(request: Request, resources: wiring.Wired) -> Desk:
    service = request.app.state
    if not hasattr(service, "desk"):
        service.desk = Desk(resources, Investigations(resources.engine))
    desk: Desk = service.desk
    return desk


# For the signatures of endpoints.
AtDesk = Annotated[Desk, Depends(_desk)]
Reader = Annotated[Caller, auth.require("complaints:read")]


async def _call(call: commands.Called, desk: AtDesk) -> Call:
    return Call(**vars(call), desk=desk)


Called = Annotated[Call, Depends(_call)]
