"""What resolution does upon events: it opens cases, puts faults to those who answer, closes and reopens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

from libs.events import errors
from libs.events.contracts import improve, penalize, propose
from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated
from libs.events.contracts.classify import ClassificationContested, ComplaintClassified, IncidentRaised
from libs.events.contracts.intake import ComplaintMerged, ComplaintSeparated, ComplaintWithdrawn
from libs.events.contracts.investigate import (
    ContributionOverdue,
    FieldVisitMade,
    FindingRecorded,
    SupplierOverdue,
)
from libs.events.contracts.notify import NoticeDelivered, NoticeHandedOver, NoticeKind, Recipient
from libs.events.contracts.term import DeadlinesRecomputed
from libs.events.decider import Stream, derived_ids, transact
from libs.events.envelope import Recorded
from libs.policy import deadlines
from libs.policy.schema.deadlines import Errand
from libs.service.reaction import Reaction, context
from libs.service.wiring import Resources
from services.resolution import begin, charge, close, lateness, outcome, plan, recompute, spare, verify
from services.resolution.clock import ACTOR, CASE, MEASURE
from services.resolution.desk import Desk
from services.resolution.lookups import Lookups
from services.resolution.views import Cases

C = TypeVar("C")
# Who answers, what was found or missed, what ends or undoes a complaint, and each last outcome of a step.
FOLLOWED: Final = (
    ComplaintAssigned,
    ComplaintEscalated,
    DeadlinesRecomputed,
    FieldVisitMade,
    FindingRecorded,
    *lateness.LATE,
    ComplaintClassified,
    ClassificationContested,
    ComplaintWithdrawn,
    ComplaintMerged,
    ComplaintSeparated,
    NoticeDelivered,
    NoticeHandedOver,
    propose.ExecutionAdvanced,
    propose.ComplaintReopened,
    penalize.SanctionImposed,
    penalize.ResponsibilityWaived,
    penalize.NoFaultFound,
    penalize.AppealDecided,
    improve.ImprovementNotNeeded,
)
MEASURES: Final = (
    improve.ImprovementPlanned,
    improve.ImprovementExtended,
    improve.ImprovementReopened,
    improve.ImprovementVerified,
)
END_NOTICES: Final = frozenset({NoticeKind.SOLUTION, NoticeKind.UNFOUNDED_REPLY})


def of(resources: Resources) -> tuple[Reaction, ...]:
    """The reactions of this service."""
    return following(resources, Cases(resources.engine, resources.policy.calendar.zone))


def following(resources: Resources, lookups: Lookups) -> tuple[Reaction, ...]:
    """The same, on lookups kept anywhere."""
    follower = Follower(Desk(resources, lookups))
    return (
        Reaction("resolution-complaints", FOLLOWED, follower.on_complaint_changed),
        Reaction("resolution-improvements", MEASURES, follower.on_improvement_changed),
        Reaction("resolution-recurrences", (FindingRecorded,), follower.on_finding_recorded),
    )


def matters(event: object) -> bool:
    """Whether an event can call for anything here: most notices and stages are no outcome of a step."""
    match event:
        case NoticeDelivered() | NoticeHandedOver():
            return event.recipient is Recipient.CUSTOMER and event.kind in END_NOTICES
        case propose.ExecutionAdvanced(complete=complete):
            return complete
        case FieldVisitMade(on_time=on_time):
            return not on_time
        case penalize.SanctionImposed() | penalize.ResponsibilityWaived() | penalize.NoFaultFound():
            return event.complete
        case ComplaintClassified():
            return event.ground.person is not None  # a rule judges before anything is open here
        case FindingRecorded(complaint_id=complaint_id):
            return complaint_id is not None  # an incident's is adopted by each of its complaints
        case _:
            return True


class Follower:
    """Whatever is heard, and in whichever order: what is done follows from the history as it now stands."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._resources = desk.resources

    async def on_complaint_changed(self, heard: Recorded[Any]) -> None:
        """Open or hand over the case, put faults to those who answer for them, close, reopen."""
        complaint_id = getattr(heard.event, "complaint_id", None)
        if complaint_id is not None and matters(heard.event):
            await self._follow(heard, complaint_id)
        elif complaint_id is None and isinstance(heard.event, ContributionOverdue | SupplierOverdue):
            await self._charge_incident(heard, heard.event.investigation_id)

    async def _charge_incident(self, heard: Recorded[Any], incident_id: UUID) -> None:
        """What was late in an incident's one investigation is put to people with its first complaint."""
        log, now = heard.envelope.log, self._resources.now()
        raised = await self._resources.store.read_stream(log, f"intake-{incident_id}")
        if not raised or not isinstance(raised[0].event, IncidentRaised):
            raise errors.Unavailable("The incident is not on record yet.")
        incident: IncidentRaised = raised[0].event
        complaint = await self._desk.complaint(log, incident.complaint_ids[0])
        late = lateness.of(heard, incident.leader)
        policy = await self._resources.policies.in_force(log, now)
        charging = plan.of_lateness(complaint, late, policy, now)
        about = complaint.complaint_id
        await self._submit(heard, CASE, about, charge.decide, charging, about=about)

    async def on_improvement_changed(self, heard: Recorded[Any]) -> None:
        """Say in each complaint that the measure answers it; the last thing missing may be its effect."""
        match heard.event:
            case improve.ImprovementPlanned(complaint_ids=joined):
                pass
            case improve.ImprovementVerified(effective=True, complaint_ids=served):
                for complaint_id in served:
                    await self._follow(heard, complaint_id)
                return
            case (
                improve.ImprovementExtended(complaint_id=one) | improve.ImprovementReopened(complaint_id=one)
            ):
                joined = (one,)
            case _:
                return
        now = self._resources.now()
        for complaint_id in joined:
            note = spare.NoteImprovement(
                complaint_id=complaint_id, improvement_id=heard.event.improvement_id, now=now
            )
            # Heard again after the complaint was reopened, it has had its effect, in the round before.
            with contextlib.suppress(errors.EventIdTaken):
                await self._submit(heard, CASE, complaint_id, spare.decide, note, about=complaint_id)

    async def on_finding_recorded(self, heard: Recorded[FindingRecorded]) -> None:
        """The same cause while a measure is observed: it was ineffective, and is open again (IMP-2)."""
        found, log = heard.event, heard.envelope.log
        if found.complaint_id is None or not found.company_is_cause:
            return
        complaint = await self._desk.complaint(log, found.complaint_id)
        observed = await self._desk.lookups.observed(
            log, found.cause.code, complaint.recorded_at, heard.envelope.seq
        )
        now = self._resources.now()
        policy = await self._resources.policies.in_force(log, now)
        due = deadlines.due(policy, Errand.MEASURE, complaint.severity, now)
        for improvement_id in observed:
            recurrence = verify.NoteRecurrence(
                improvement_id=improvement_id,
                complaint_id=complaint.complaint_id,
                finding_id=heard.envelope.event_id,
                cause_code=found.cause.code,
                recorded_at=complaint.recorded_at,
                due_at=due.due_at,
                warn_at=due.warn_at,
                ground=policy.ground(policy.thresholds.observation.clause),
                now=now,
            )
            about = complaint.complaint_id
            await self._submit(heard, MEASURE, improvement_id, verify.decide, recurrence, about=about)

    async def _follow(self, heard: Recorded[Any], complaint_id: UUID) -> None:
        log, now = heard.envelope.log, self._resources.now()
        try:
            complaint = await self._desk.complaint(log, complaint_id)
        except errors.NotFound:
            raise errors.Unavailable("The complaint's record is not there yet.") from None
        policy = await self._resources.policies.in_force(log, now)
        changed = False
        if reopen := plan.reopening(complaint, policy, now):
            changed |= await self._submit(heard, CASE, complaint_id, close.decide, reopen, about=complaint_id)
        if opening := plan.opening(complaint, now):
            changed |= await self._submit(
                heard, CASE, complaint_id, begin.decide, opening, about=complaint_id
            )
        if isinstance(heard.event, DeadlinesRecomputed):
            moving = plan.recomputing(complaint, policy, now)
            # Heard again once more has moved: whoever moved that tells us of it.
            with contextlib.suppress(errors.EventIdTaken):
                await self._submit(heard, CASE, complaint_id, recompute.decide, moving, about=complaint_id)
        for charging in plan.charges(complaint, policy, now):
            changed |= await self._submit(
                heard, CASE, complaint_id, charge.decide, charging, about=complaint_id
            )
        if changed:
            complaint = await self._desk.complaint(log, complaint_id)
        stands = outcome.of(complaint, policy)
        if stands.complete and stands.path is not None:
            closing = close.CloseComplaint(
                complaint_id=complaint_id, round=stands.round, outcome=stands.path, now=now
            )
            await self._submit(heard, CASE, complaint_id, close.decide, closing, about=complaint_id)

    async def _submit(
        self,
        heard: Recorded[Any],
        stream: Stream[Any],
        key: UUID,
        decide: Callable[[C, Any], Sequence[Any]],
        command: C,
        *,
        about: UUID,
    ) -> bool:
        """Whether it changed anything. Ids come of what was heard, what is done to whom, and as of when."""
        which = next(
            (getattr(command, each) for each in ("rests_on", "as_of", "round") if hasattr(command, each)), ""
        )
        done = await transact(
            self._resources.store,
            heard.envelope.log,
            stream,
            key,
            lambda this, before: list(decide(this, before)),
            command,
            replace(context(heard, ACTOR), complaint_id=about),
            ids=derived_ids(heard.envelope.event_id, f"{type(command).__name__}/{key}/{which}"),
        )
        return bool(done.events)
