"""Groups complaints into batch incidents as they come: who is alike, are they enough, who joins (CLS-7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid5

from libs.events.contracts.classify import ComplaintClassified, IncidentRaised
from libs.events.contracts.intake import ComplaintAmended, ComplaintSeparated
from libs.events.decider import Stream, derived_ids, standing, transact
from libs.events.envelope import Recorded
from libs.policy import incidents
from libs.policy.incidents import Likeness
from libs.service.reaction import context
from services.intake import incident, join, neighbours, plan, state
from services.intake.desk import STREAM as COMPLAINTS
from services.intake.desk import Desk

STREAM: Final[Stream[incident.Incident]] = Stream("intake", incident.INITIAL, incident.evolve)
ALIKE_MAX: Final = 1000  # complaints that one incident begins with; further ones join it
# After these a complaint may have come to belong to others.
HEARD: Final = (ComplaintClassified, ComplaintAmended, ComplaintSeparated, IncidentRaised)
_INCIDENTS: Final = UUID("c0a8d4f6-2f4e-4c1b-9b57-6f1b3f6f0a11")


class Grouper:
    """Batch incidents (CLS-7). As of when each event was put on record, whenever it is heard."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known = desk.neighbours
        self._resources = desk.resources

    async def on_event(self, heard: Recorded[Any]) -> None:
        """Look at what a complaint has in common with others; have the first ones of an incident join it."""
        if isinstance(heard.event, IncidentRaised):
            for complaint_id in heard.event.complaint_ids:
                await self._join(heard, complaint_id, heard.event)
        elif record := await self._alone(heard):
            await neighbours.have_come_to(self._known, heard)
            for likeness in await self._likenesses(heard, record):
                known = await self._look(heard, likeness)
                raised = await self._open(heard, known) or await self._raise(heard, record, likeness, known)
                if raised:
                    await self._join(heard, record.complaint_id, raised)
                    return

    async def join_open(self, heard: Recorded[Any]) -> None:
        """Have a complaint join the open incident of its like, if one is known by now."""
        if record := await self._alone(heard):
            for likeness in await self._likenesses(heard, record):
                if raised := await self._open(heard, await self._look(heard, likeness)):
                    await self._join(heard, record.complaint_id, raised)
                    return

    async def _alone(self, heard: Recorded[Any]) -> state.Record | None:
        """The record of a complaint that stands, was judged, and belongs to no incident yet."""
        complaint = await self._desk.complaint(heard.envelope.log, heard.event.complaint_id)
        if not isinstance(complaint, state.Recorded | state.Founded | state.Assigned):
            return None  # an enquiry, unfounded or taken back
        handling = complaint.record.handling
        return complaint.record if handling.judgements and handling.incident is None else None

    async def _likenesses(self, heard: Recorded[Any], record: state.Record) -> tuple[Likeness, ...]:
        policy = await self._resources.policies.in_force(heard.envelope.log, heard.envelope.at)
        return incidents.likenesses(policy, record.statement.respondent, record.statement.product)

    async def _look(self, heard: Recorded[Any], likeness: Likeness) -> neighbours.Incidents:
        log, at = heard.envelope.log, heard.envelope.at
        policy = await self._resources.policies.in_force(log, at)
        return await self._known.incidents(log, likeness, incidents.counts_since(policy, at))

    async def _open(self, heard: Recorded[Any], known: neighbours.Incidents) -> IncidentRaised | None:
        if known.open is None:
            return None
        found = await standing(self._resources.store, heard.envelope.log, STREAM, known.open)
        assert isinstance(found.state, incident.Raised), "the view knows it from its event"
        return found.state.raised

    async def _raise(
        self, heard: Recorded[Any], record: state.Record, likeness: Likeness, known: neighbours.Incidents
    ) -> IncidentRaised | None:
        """A new incident, where there are complaints enough.

        Its number is of the same look that found none open: who counted at that time, too, raises the same.
        """
        log, at = heard.envelope.log, heard.envelope.at
        policy = await self._resources.policies.in_force(log, at)
        said = neighbours.values_of(record.statement.respondent, record.statement.product)
        fields = {name: said[name] for name in likeness.matched_on.split(incidents.JOINED)}
        since = incidents.counts_since(policy, at)
        alike = await self._known.alike(log, fields, since, ALIKE_MAX)
        complaint_ids = tuple(dict.fromkeys((*alike, record.complaint_id)))
        about = plan.about(policy, record)
        batch = incidents.batch_incident(policy, len(complaint_ids), policy.day_of(at), about)
        if batch is None:
            return None
        incident_id = id_of(log, likeness, known.count)
        command = incident.RaiseIncident(
            incident_id=incident_id, likeness=likeness, complaint_ids=complaint_ids, batch=batch, now=at
        )
        outcome = await transact(
            self._resources.store,
            log,
            STREAM,
            incident_id,
            incident.decide,
            command,
            replace(context(heard, actor="intake"), complaint_id=None),
            ids=derived_ids(heard.envelope.event_id, f"raise/{incident_id}"),
        )
        assert isinstance(outcome.state, incident.Raised), "it was just raised, or had been"
        return outcome.state.raised

    async def _join(self, heard: Recorded[Any], complaint_id: UUID, raised: IncidentRaised) -> None:
        await transact(
            self._resources.store,
            heard.envelope.log,
            COMPLAINTS,
            complaint_id,
            join.decide,
            join.JoinIncident(complaint_id=complaint_id, incident=raised, now=heard.envelope.at),
            replace(context(heard, actor="intake"), complaint_id=complaint_id),
            ids=derived_ids(heard.envelope.event_id, f"join/{complaint_id}"),
        )


def id_of(log: str, likeness: Likeness, number: int) -> UUID:
    """The id of the next incident after `number` of that likeness: the same for whoever counts."""
    return uuid5(_INCIDENTS, "\x00".join((log, likeness.matched_on, likeness.reference, str(number))))
