"""What intake does upon events: links duplicates, classifies, assigns, groups, escalates what is late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

from libs.events import errors
from libs.events.contracts.classify import ClassificationContested, ComplaintClassified, IncidentRaised
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.intake import (
    ComplaintAmended,
    ComplaintRecorded,
    ComplaintSeparated,
    EnquiryBecameComplaint,
)
from libs.events.decider import Stream, derived_ids, transact
from libs.events.envelope import Recorded
from libs.policy import incidents
from libs.policy.incidents import Likeness
from libs.service.reaction import Reaction, context
from libs.service.wiring import Resources
from services.intake import (
    assign,
    classify,
    escalate,
    incident,
    join,
    neighbours,
    plan,
    state,
    suspect,
)
from services.intake.desk import STREAM, Desk
from services.intake.neighbours import Neighbours

INCIDENTS: Final[Stream[incident.Incident]] = Stream("intake", incident.INITIAL, incident.evolve)
ALIKE_MAX: Final = 1000  # complaints that one incident begins with; further ones join it
# After these a complaint may be judged anew, and may have come to belong to others.
CHANGED: Final = (
    ComplaintRecorded,
    ComplaintAmended,
    EnquiryBecameComplaint,
    ComplaintSeparated,
    ClassificationContested,
)
_INCIDENTS: Final = UUID("c0a8d4f6-2f4e-4c1b-9b57-6f1b3f6f0a11")


def of(resources: Resources) -> tuple[Reaction, ...]:
    """The reactions of this service."""
    return following(Desk(resources))


def following(desk: Desk) -> tuple[Reaction, ...]:
    """The same, at a desk that knows other complaints from anywhere."""
    handler, grouper = Handler(desk), Grouper(desk)
    return (
        Reaction("intake-duplicates", (ComplaintRecorded,), partial(link_duplicates, desk)),
        Reaction("intake-handling", (*CHANGED, ComplaintClassified, DeadlineMissed), handler.on_event),
        Reaction("intake-incidents", (*CHANGED, IncidentRaised), grouper.on_event),
    )


async def link_duplicates(desk: Desk, recorded: Recorded[Any]) -> None:
    """Link the customer's earlier open complaints that are alike; Unavailable until it knows them (REC-9)."""
    event, envelope, customer_id = recorded.event, recorded.envelope, recorded.event.complainant.customer_id
    policy = await desk.resources.policies.in_force(envelope.log, envelope.at)
    alike = neighbours.likeness(event.respondent, event.product, policy.duplicates.match_any)
    if customer_id is None or not alike:
        return
    await _have_come_to(desk.neighbours, recorded)
    since = event.recorded_at - policy.duplicates.window
    found = await desk.neighbours.suspicions(envelope.log, customer_id, alike, since, envelope.seq)
    for suspicion in found:
        # As of its recording: whoever handles the event, and however often, makes the same event of it.
        await transact(
            desk.resources.store,
            envelope.log,
            STREAM,
            event.complaint_id,
            suspect.decide,
            suspect.SuspectDuplicate(complaint_id=event.complaint_id, suspicion=suspicion, now=envelope.at),
            context(recorded, actor="intake"),
            ids=derived_ids(envelope.event_id, f"suspect/{suspicion.duplicate_of}"),
        )


class Handler:
    """Steps 2 and 3 by policy. Whatever is heard, what is done follows from the record as it now stands."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def on_event(self, heard: Recorded[Any]) -> None:
        """Classify what changed; assign what is founded; escalate what is late."""
        if isinstance(heard.event, DeadlineMissed):
            await self.on_deadline_missed(heard)
            return
        if not isinstance(heard.event, ComplaintClassified):
            await self._carry_out(heard, "classify", plan.planned(plan.judged_by_policy, classify.decide))
        if isinstance(heard.event, ComplaintClassified | ComplaintSeparated):
            await self._carry_out(heard, "assign", plan.planned(plan.assigned_by_policy, assign.decide))

    async def on_deadline_missed(self, heard: Recorded[DeadlineMissed]) -> None:
        """Whichever service it was missed in, and whether anybody was assigned or not (SLA-3)."""
        moment = await self._desk.moment(heard.envelope.log, heard.event.complaint_id)
        planned = partial(plan.escalated_overdue, heard.event)
        await self._carry_out(heard, "escalate", plan.planned(planned, escalate.decide), moment)

    async def _carry_out(
        self,
        heard: Recorded[Any],
        step: str,
        decide: Callable[[plan.Moment, state.Complaint], list[Any]],
        moment: plan.Moment | None = None,
    ) -> None:
        deciding = Deciding(heard, step, decide)
        await transact(
            self._desk.resources.store,
            heard.envelope.log,
            STREAM,
            heard.event.complaint_id,
            deciding.decide,
            moment or await self._desk.moment(heard.envelope.log),
            context(heard, actor="intake"),
            ids=deciding.ids,
        )


class Deciding:
    """One decision upon one event. Its ids come of the event and of how far the complaint was when it fell:
    the same again is known as such, and what has to be decided later is something else.
    """

    def __init__(
        self,
        heard: Recorded[Any],
        step: str,
        decide: Callable[[plan.Moment, state.Complaint], list[Any]],
    ) -> None:
        self._heard = heard
        self._step = step
        self._decide = decide
        self._entries = 0

    def decide(self, moment: plan.Moment, complaint: state.Complaint) -> list[Any]:
        """As the step decides."""
        if not isinstance(complaint, state.NotRecorded):
            self._entries = complaint.record.handling.entries
        return self._decide(moment, complaint)

    def ids(self) -> Iterator[UUID]:
        """Of what was decided last."""
        return derived_ids(self._heard.envelope.event_id, f"{self._step}/{self._entries}")()


class Grouper:
    """Batch incidents (CLS-7). As of when each event was put on record, whenever it is heard."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._resources = desk.resources

    async def on_event(self, heard: Recorded[Any]) -> None:
        """Look at what a complaint has in common with others; have the first ones of an incident join it."""
        if isinstance(heard.event, IncidentRaised):
            for complaint_id in heard.event.complaint_ids:
                await self._join(heard, complaint_id, heard.event)
            return
        log, complaint_id = heard.envelope.log, heard.event.complaint_id
        complaint = await self._desk.complaint(log, complaint_id)
        if not isinstance(complaint, state.Recorded | state.Founded | state.Assigned):
            return  # nobody joins with what is an enquiry, unfounded or taken back
        if complaint.record.handling.incident is not None:
            return
        policy = await self._resources.policies.in_force(log, heard.envelope.at)
        statement = complaint.record.statement
        for likeness in incidents.likenesses(policy, statement.respondent, statement.product):
            if raised := await self._incident(heard, complaint.record, likeness):
                await self._join(heard, complaint_id, raised)
                return

    async def _incident(
        self, heard: Recorded[Any], record: state.Record, likeness: Likeness
    ) -> IncidentRaised | None:
        """The open incident, or a new one where there are complaints enough; Unavailable until it knows."""
        log, at = heard.envelope.log, heard.envelope.at
        policy = await self._resources.policies.in_force(log, at)
        await _have_come_to(self._desk.neighbours, heard)
        said = neighbours.values_of(record.statement.respondent, record.statement.product)
        fields = {name: said[name] for name in likeness.matched_on.split(incidents.JOINED)}
        since = incidents.counts_since(policy, at)
        found = await self._desk.neighbours.batch(log, likeness, fields, since, ALIKE_MAX)
        if found.open_incident is not None:
            return await self._raised(log, found.open_incident)
        complaint_ids = tuple(dict.fromkeys((*found.complaint_ids, record.complaint_id)))
        about = plan.about(policy, record)
        batch = incidents.batch_incident(policy, len(complaint_ids), policy.day_of(at), about)
        if batch is None:
            return None
        incident_id = id_of(log, likeness, found.incidents)
        command = incident.RaiseIncident(
            incident_id=incident_id, likeness=likeness, complaint_ids=complaint_ids, batch=batch, now=at
        )
        outcome = await transact(
            self._resources.store,
            log,
            INCIDENTS,
            incident_id,
            incident.decide,
            command,
            replace(context(heard, actor="intake"), complaint_id=None),
            ids=derived_ids(heard.envelope.event_id, f"raise/{incident_id}"),
        )
        assert isinstance(outcome.state, incident.Raised), "it was just raised, or had been"
        return outcome.state.raised

    async def _raised(self, log: str, incident_id: UUID) -> IncidentRaised:
        recorded = await self._resources.store.read_stream(log, INCIDENTS.name(incident_id))
        raised: IncidentRaised = recorded[0].event
        return raised

    async def _join(self, heard: Recorded[Any], complaint_id: UUID, raised: IncidentRaised) -> None:
        await transact(
            self._resources.store,
            heard.envelope.log,
            STREAM,
            complaint_id,
            join.decide,
            join.JoinIncident(complaint_id=complaint_id, incident=raised, now=heard.envelope.at),
            replace(context(heard, actor="intake"), complaint_id=complaint_id),
            ids=derived_ids(heard.envelope.event_id, f"join/{complaint_id}"),
        )


def id_of(log: str, likeness: Likeness, number: int) -> UUID:
    """The id of the next incident after `number` of that likeness: the same for whoever counts."""
    return uuid5(_INCIDENTS, "\x00".join((log, likeness.matched_on, likeness.reference, str(number))))


async def _have_come_to(known: Neighbours, heard: Recorded[Any]) -> None:
    """What is not known yet cannot be found, so an answer given too early would lose something."""
    if not await known.come_to(heard.envelope.log, heard.envelope.seq):
        raise errors.Unavailable("The register has not come to this complaint yet.")
