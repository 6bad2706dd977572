"""A complaint in all services' events, what resolution does by itself upon each, and what people do."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from libs.events.contracts import classify, clock, improve, investigate, notify, registry
from libs.events.contracts.handling import Answerable, Severity, Step
from libs.events.contracts.values import Money
from libs.events.envelope import Envelope, Recorded
from libs.policy import deadlines
from services.resolution import begin, charge, close, history, measure, outcome, plan
from services.resolution.history import Complaint
from tests import complaint_history
from tests.unit.resolution_situations import (
    DAY,
    MEASURE,
    NOW,
    POLICY,
    STAGES,
    THIS,
    WORKER,
    accept,
    impose,
    join_measure,
    measured,
    plan_it,
    propose_front_line,
    spare_it,
    waive_head,
    when,
)

OTHER = UUID(int=77)
OF_MEASURE = (
    improve.ImprovementPlanned,
    improve.ImprovementCompleted,
    improve.ImprovementVerified,
    improve.ImprovementReopened,
)


@dataclass(frozen=True)
class World:
    """A complaint's events across all services, and those of its measure, in the order they were recorded."""

    events: tuple[Recorded[Any], ...] = ()
    measured: tuple[Recorded[Any], ...] = ()

    def says(self, *happened: Any, category: str = "intake") -> "World":
        """The world after these events of a service, and all that resolution then does by itself."""
        world = self
        for event in happened:
            world = world._with(event, category)
        return world._followed()

    @cached_property
    def folded(self) -> Complaint | None:
        return functools.reduce(history.follow, self.events, None)

    @cached_property
    def complaint(self) -> Complaint:
        assert self.folded is not None
        return history.with_measures(self.folded, {MEASURE: self.measured}) if self.measured else self.folded

    @property
    def served(self) -> bool:
        """Whether the measure answers this complaint."""
        events = [each.event for each in self.measured]
        return any(
            THIS in (*getattr(event, "complaint_ids", ()), getattr(event, "complaint_id", None))
            for event in events
        )

    @property
    def outcome(self) -> outcome.Outcome:
        return outcome.of(self.complaint, POLICY)

    @property
    def missing(self) -> set[tuple[str, str]]:
        return {(each.step, each.what) for each in self.outcome.missing}

    def _with(self, event: Any, category: str) -> "World":
        seq = len(self.events) + len(self.measured) + 1
        of_measure = isinstance(event, OF_MEASURE)
        stream = f"{category}-{MEASURE if of_measure else THIS}"
        envelope = Envelope(
            log="main",
            seq=seq,
            event_id=uuid5(THIS, str(seq)),
            stream=stream,
            version=seq,
            type=registry.contract_of(type(event)).name,
            complaint_id=THIS,
            actor="somebody",
            caused_by=None,
            traceparent="",
            at=NOW,
            body=b"",
            hash=b"",
        )
        recorded = Recorded(event, envelope)
        if of_measure:
            return replace(self, measured=(*self.measured, recorded))
        after = replace(self, events=(*self.events, recorded))
        after.__dict__["folded"] = history.follow(self.folded, recorded)  # thousands of worlds are explored
        return after

    def _followed(self) -> "World":
        """What the reactions do, to the end."""
        world = self
        while happened := list(world._reaction()):
            for event in happened:
                world = world._with(event, "resolution")
        return world

    def _reaction(self) -> Iterator[Any]:
        complaint = self.complaint
        if reopen := plan.reopening(complaint, POLICY, NOW):
            yield from close.decide(reopen, complaint.case)
        elif (opening := plan.opening(complaint, NOW)) and (opened := begin.decide(opening, complaint.case)):
            yield from opened
        elif charging := next(plan.charges(complaint, POLICY, NOW), None):
            yield from charge.decide(charging, complaint.case)
        elif self.served and not complaint.case.improvements and complaint.case.closed is None:
            yield from when(join_measure, complaint.case)
        elif (stands := self.outcome).complete and stands.path:
            command = close.CloseComplaint(
                complaint_id=THIS, round=stands.round, outcome=stands.path, now=NOW
            )
            yield from close.decide(command, complaint.case)

    def does(self, *commands: Any) -> "World":
        """The world after commands of people."""
        world = self
        for command in commands:
            case = world.complaint.case
            if hasattr(command, "proposal"):
                command = replace(command, proposal=case.proposals)
            world = world.says(*when(command, case), category="resolution")
        return world

    def measures(self, *commands: Any) -> "World":
        """The world after commands on the measure."""
        world = self
        for command in commands:
            before = measured()
            for each in world.measured:
                before = measure.evolve(before, each.event)
            world = world.says(*when(command, before), category="resolution")
        return world


def notice(kind: notify.NoticeKind, number: int = 1) -> notify.NoticeDelivered:
    return notify.NoticeDelivered(
        notice_id=UUID(int=number),
        complaint_id=THIS,
        kind=kind,
        recipient=notify.Recipient.CUSTOMER,
        channel="outbox",
        attempt=1,
        delivered_at=NOW,
    )


def finding(company_is_cause: bool = True) -> investigate.FindingRecorded:
    party = investigate.ResponsibleParty(unit=WORKER.unit, person=WORKER.person, share=Decimal(1))
    loss = investigate.Loss(money=Money(amount=Decimal(900), currency="CNY"), basis="one visit")
    return investigate.FindingRecorded(
        investigation_id=THIS,
        complaint_id=THIS,
        data_subject="customer:C-1",
        round=1,
        cause=investigate.Cause(code="cold-solder", text="too cold"),
        responsible=(party,) if company_is_cause else (),
        company_is_cause=company_is_cause,
        appraisal=None,
        appraisal_basis=None,
        possible_causes=(),
        evidence_ids=(),
        loss=loss,
        repeat_repair=False,
        adopted_from=None,
        author="quality-officer",
        found_at=NOW,
    )


def missed(step: Step, owed_by: Answerable | None = complaint_history.OFFICER) -> clock.DeadlineMissed:
    return clock.DeadlineMissed(
        complaint_id=THIS,
        step=step,
        due_at=NOW,
        missed_at=NOW,
        noticed_at=NOW,
        owed_by=owed_by,
        escalated_to=complaint_history.HEAD,
        ground=complaint_history.GROUND,
    )


def contested(at: datetime = NOW) -> classify.ClassificationContested:
    return classify.ClassificationContested(
        complaint_id=THIS,
        data_subject="customer:C-1",
        new_facts="here is a photo",
        judged_before_by=None,
        author="li.wei",
        ground=complaint_history.GROUND,
        contested_at=at,
    )


ASSIGNED = replace(complaint_history.assigned(THIS), due=deadlines.all_due(POLICY, Severity.SERIOUS, NOW))
SOLUTION, REPLY = notice(notify.NoticeKind.SOLUTION), notice(notify.NoticeKind.UNFOUNDED_REPLY)
recorded = World().says(complaint_history.recorded(THIS, occurred_at=NOW - 2 * DAY))
undetermined = replace(complaint_history.classified(THIS), founded=None)
classified = recorded.says(complaint_history.classified(THIS))
unfounded = recorded.says(complaint_history.classified(THIS, founded=False))
assigned = classified.says(ASSIGNED)
found = assigned.says(finding(), category="investigation")
cleared = assigned.says(finding(company_is_cause=False), category="investigation")
agreed = found.does(propose_front_line).says(SOLUTION, category="notifier").does(accept)
carried_out = agreed.does(*STAGES[:2])
decided = carried_out.does(impose, waive_head)
resolved = decided.does(spare_it)
planned = decided.measures(plan_it)
