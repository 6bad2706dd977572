"""What investigation does upon events: it follows complaints and incidents, and hands findings on (CLS-7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from libs.events import errors
from libs.events.contracts.classify import IncidentRaised
from libs.events.contracts.investigate import FindingRecorded
from libs.events.decider import Transacted, derived_ids, transact
from libs.events.envelope import Recorded
from libs.service.reaction import Reaction, context
from libs.service.wiring import Resources
from services.investigation import adopt, history, investigate, join, plan, state, stop
from services.investigation.clock import STREAM
from services.investigation.desk import Desk
from services.investigation.history import Complaint
from services.investigation.views import Investigations, Repairs

C = TypeVar("C")


def of(resources: Resources) -> tuple[Reaction, ...]:
    """The reactions of this service."""
    return following(resources, Investigations(resources.engine))


def following(resources: Resources, repairs: Repairs) -> tuple[Reaction, ...]:
    """The same, on repairs kept anywhere."""
    follower = Follower(Desk(resources, repairs))
    return (
        Reaction("investigation-complaints", history.FOLLOWED, follower.on_complaint_changed),
        Reaction("investigation-incidents", (IncidentRaised,), follower.on_incident_raised),
        Reaction("investigation-findings", (FindingRecorded,), follower.on_finding_recorded),
    )


class Follower:
    """Whatever is heard, and in whichever order: what is done follows from the history as it now stands."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._resources = desk.resources
        # Hundreds of complaints may join one incident at once: conflicts over its stream only cost time.
        self._extending = asyncio.Lock()

    async def on_complaint_changed(self, heard: Recorded[Any]) -> None:
        """Assigned, escalated, joined, withdrawn, merged, judged, closed, reopened: open, hand over, stop."""
        log = heard.envelope.log
        if heard.event.complaint_id is None:
            return  # an incident's own deadlines
        complaint = await history.read(self._resources.store, log, heard.event.complaint_id)
        if complaint is None:
            raise errors.NotFound("The complaint's record is not there.")
        if complaint.incident_id is not None and complaint.stopped is None:
            await self._join(heard, complaint, complaint.incident_id)
            return
        now, key = self._resources.now(), complaint.complaint_id
        policy = await self._resources.policies.in_force(log, now)
        command = plan.for_complaint(complaint, policy, now)
        if isinstance(command, stop.StopInvestigation):
            await self._submit(heard, key, stop.decide, command, about=key)
        elif command is not None:
            await self._submit(heard, key, investigate.decide, command, about=key)

    async def on_incident_raised(self, heard: Recorded[IncidentRaised]) -> None:
        """Open the one investigation for all."""
        await self._incident(heard, heard.event.incident_id)

    async def on_finding_recorded(self, heard: Recorded[FindingRecorded]) -> None:
        """What was found for an incident is found for each complaint in it."""
        found = heard.event
        if found.complaint_id is not None:
            return  # it was found for that complaint alone
        incident = await self._desk.investigation(heard.envelope.log, found.investigation_id)
        if isinstance(incident, state.Found):
            for complaint_id in incident.file.complaint_ids:
                await self._adopt(heard, complaint_id, incident.finding)

    async def _join(self, heard: Recorded[Any], complaint: Complaint, incident_id: UUID) -> None:
        incident = await self._incident(heard, incident_id)
        now, key = self._resources.now(), complaint.complaint_id
        policy = await self._resources.policies.in_force(heard.envelope.log, now)
        command = plan.joining(complaint, incident.file, policy, now)
        joined = (await self._submit(heard, key, join.decide, command, about=key)).state
        if not isinstance(joined, state.Joined):
            return  # it had its own finding before
        evidence = joined.file.evidence
        extend = join.ExtendInvestigation(complaint_id=key, evidence_ids=evidence, now=now)
        async with self._extending:
            extended = await self._submit(heard, incident_id, join.decide, extend, about=key)
        if isinstance(extended.state, state.Found):
            await self._adopt(heard, key, extended.state.finding)

    async def _incident(self, heard: Recorded[Any], incident_id: UUID) -> state.Opened:
        """The incident's investigation, opened if it is not; whichever event is heard first does that."""
        log = heard.envelope.log
        known = await self._desk.investigation(log, incident_id)
        if not isinstance(known, state.NotOpened):
            return known
        raised = await self._resources.store.read_stream(log, f"intake-{incident_id}")
        if not raised or not isinstance(raised[0].event, IncidentRaised):
            raise errors.Unavailable("The incident is not on record yet.")
        now = self._resources.now()
        policy = await self._resources.policies.in_force(log, now)
        command = plan.for_incident(raised[0].event, raised[0].envelope.seq, policy, now)
        opened = (await self._submit(heard, incident_id, investigate.decide, command, about=None)).state
        assert not isinstance(opened, state.NotOpened), "it was just opened"
        return opened

    async def _adopt(self, heard: Recorded[Any], complaint_id: UUID, finding: FindingRecorded) -> None:
        log = heard.envelope.log
        complaint = await history.read(self._resources.store, log, complaint_id)
        waiting = await self._desk.investigation(log, complaint_id)
        if complaint is None or not isinstance(waiting, state.Joined):
            return  # adopted before, or it stands on its own again
        command = adopt.AdoptFinding(
            finding=finding,
            data_subject=complaint.data_subject,
            repair_before=await self._desk.repair_before(log, waiting.file, finding.cause.code),
            now=self._resources.now(),
        )
        await self._submit(heard, complaint_id, adopt.decide, command, about=complaint_id)

    async def _submit(
        self,
        heard: Recorded[Any],
        key: UUID,
        decide: Callable[[C, state.Investigation], list[Any]],
        command: C,
        *,
        about: UUID | None,
    ) -> Transacted[state.Investigation]:
        """Ids come of what was heard and of what is done to whom, so that the same again is known as such."""
        cause, as_of = heard.envelope.event_id, getattr(command, "as_of", 0)
        return await transact(
            self._resources.store,
            heard.envelope.log,
            STREAM,
            key,
            decide,
            command,
            replace(context(heard, "investigation"), complaint_id=about),
            ids=derived_ids(cause, f"{type(command).__name__}/{key}/{as_of}"),
        )
