"""The eight steps as a complaint's history tells them; in every reachable state somebody owes a next step."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

import pytest

from libs.events import errors
from libs.events.contracts import classify, clock, improve, intake, investigate, notify, registry
from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.handling import Answerable, Severity, Step
from libs.events.contracts.penalize import Charge
from libs.events.contracts.propose import Answer, Outcome
from libs.events.contracts.values import Contact, Language, Money
from libs.events.envelope import Envelope, Recorded
from libs.policy import deadlines
from services.resolution import begin, charge, close, history, measure, outcome, plan
from services.resolution.history import Complaint
from services.resolution.owed import Want
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
    appeal_it,
    approve_it,
    approve_too,
    complete_it,
    effective,
    impose,
    ineffective,
    join_measure,
    measured,
    plan_it,
    propose_front_line,
    propose_it,
    reduce_it,
    reject_it,
    reopen_it,
    settle,
    spare_it,
    waive_head,
    when,
)

OTHER = UUID(int=77)
STATES_MIN = 10  # fewer would mean that the exploration explores nothing
ROUNDS_MAX, PROPOSALS_MAX, RAISED_MAX = 2, 2, 6


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
    def complaint(self) -> Complaint:
        found = history.fold(self.events, {MEASURE: self.measured} if self.measured else None)
        assert found is not None
        return found

    @property
    def outcome(self) -> outcome.Outcome:
        return outcome.of(self.complaint, POLICY)

    @property
    def missing(self) -> set[tuple[str, str]]:
        return {(each.step, each.what) for each in self.outcome.missing}

    def _with(self, event: Any, category: str) -> "World":
        seq = len(self.events) + len(self.measured) + 1
        of_measure = isinstance(
            event, improve.ImprovementPlanned | improve.ImprovementCompleted | improve.ImprovementVerified
        )
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
        return replace(self, events=(*self.events, recorded))

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
        elif self.measured and not complaint.case.improvements and complaint.case.closed is None:
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

LATER = {("propose", "proposal"), ("notify", "notice"), ("penalize", "decision"), ("improve", "measure")}
TABLE: dict[str, tuple[World, set[tuple[str, str]]]] = {
    "recorded": (
        recorded,
        {("classify", "judgement"), ("assign", "assignment"), ("investigate", "finding"), *LATER},
    ),
    "details are missing": (
        recorded.says(undetermined),
        {("classify", "details"), ("assign", "assignment"), ("investigate", "finding"), *LATER},
    ),
    "classified": (classified, {("assign", "assignment"), ("investigate", "finding"), *LATER}),
    "assigned": (assigned, {("investigate", "finding"), *LATER}),
    "found": (found, LATER),
    "not our fault": (cleared, {("propose", "proposal"), ("notify", "notice")}),
    "proposed": (found.does(propose_it), LATER - {("propose", "proposal")} | {("propose", "approval")}),
    "rejected": (found.does(propose_it, reject_it), LATER),
    "offered": (
        found.does(propose_front_line),
        LATER - {("propose", "proposal")} | {("propose", "customer_answer")},
    ),
    "declined": (found.does(propose_front_line, replace(accept, answer=Answer.DECLINED)), LATER),
    "agreed": (agreed, {("propose", "execution"), ("penalize", "decision"), ("improve", "measure")}),
    "carried out": (carried_out, {("penalize", "decision"), ("improve", "measure")}),
    "decided": (decided, {("improve", "measure")}),
    "appealed": (
        decided.does(appeal_it),
        {("penalize", "appeal_decision"), ("improve", "measure")},
    ),
    "planned": (planned, {("improve", "completion")}),
    "completed": (planned.measures(complete_it), {("improve", "verification")}),
    "ineffective": (planned.measures(complete_it, ineffective), {("improve", "completion")}),
    "effective": (planned.measures(complete_it, effective), set()),
    "resolved": (resolved, set()),
    "unfounded": (unfounded, {("notify", "notice")}),
    "unfounded, replied": (unfounded.says(REPLY, category="notifier"), set()),
    "unfounded, late": (
        recorded.says(missed(Step.CLASSIFY, None)).says(complaint_history.classified(THIS, founded=False)),
        {("notify", "notice"), ("penalize", "decision")},
    ),
    "withdrawn": (found.says(complaint_history.withdrawn(THIS)), {("penalize", "decision")}),
    "withdrawn early": (recorded.says(complaint_history.withdrawn(THIS)), set()),
    "merged": (classified.says(complaint_history.merged(THIS, OTHER)), set()),
    "closed, appealed": (resolved.does(appeal_it), {("penalize", "appeal_decision")}),
}
CLOSED = {
    "effective": Outcome.RESOLVED,
    "resolved": Outcome.RESOLVED,
    "unfounded, replied": Outcome.UNFOUNDED,
    "withdrawn early": Outcome.WITHDRAWN,
    "merged": Outcome.MERGED,
    "closed, appealed": Outcome.RESOLVED,
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_missing_and_whether_it_is_closed(name: str) -> None:
    world, missing = TABLE[name]
    assert world.missing == missing
    closed = world.outcome.closed
    assert (closed.outcome if closed else None) == CLOSED.get(name)


def test_each_step_says_what_is_on_record_by_whom_and_when() -> None:
    on_record = {each.step: {entry.what for entry in each.on_record} for each in resolved.outcome.steps}
    assert "complaint_recorded" in on_record[Step.RECORD]
    assert "complaint_classified" in on_record[Step.CLASSIFY]
    assert "complaint_assigned" in on_record[Step.ASSIGN]
    assert "finding_recorded" in on_record[Step.INVESTIGATE]
    assert {"solution_proposed", "customer_answered", "execution_advanced"} <= on_record[Step.PROPOSE]
    assert "notice_delivered" in on_record[Step.NOTIFY]
    assert {"sanction_imposed", "responsibility_waived"} <= on_record[Step.PENALIZE]
    assert "improvement_not_needed" in on_record[Step.IMPROVE]
    assert {"improvement_planned", "improvement_completed"} <= {
        entry.what for entry in planned.measures(complete_it).outcome.steps[-1].on_record
    }
    assert all(entry.by and entry.at == NOW for each in resolved.outcome.steps for entry in each.on_record)


def test_who_owes_what_by_when() -> None:
    owed = {each.what: each for each in found.outcome.missing}
    assert owed[Want.PROPOSAL].owed_by == complaint_history.OFFICER
    assert owed[Want.PROPOSAL].due_at == deadlines.due(POLICY, Step.PROPOSE, Severity.SERIOUS, NOW).due_at
    approvals = [each for each in found.does(propose_it).outcome.missing if each.what is Want.APPROVAL]
    assert {each.owed_by.person for each in approvals} == {"after-sales-head", "quality-head"}
    (answer,) = (each for each in found.does(propose_front_line).outcome.missing if each.step is Step.PROPOSE)
    assert answer.due_at is None, "while the customer is waited for, no clock runs"
    (verification,) = planned.measures(complete_it).outcome.missing
    assert (verification.owed_by, verification.due_at) == (complete_it.verifier, complete_it.due_at)


@pytest.mark.rule("CLS-5")
def test_a_contest_opens_an_unfounded_complaint_for_another_judge_who_owes_it() -> None:
    closed = unfounded.says(REPLY, category="notifier")
    again = closed.says(contested())
    assert again.outcome.closed is None
    assert again.outcome.round == 2
    judgement = next(each for each in again.outcome.missing if each.what is Want.JUDGEMENT)
    assert judgement.owed_by.person == "after-sales-deputy"
    upheld = again.says(replace(complaint_history.classified(THIS, founded=False), round=2))
    assert upheld.missing == {("notify", "notice")}, "the second judgement wants a reply of its own"
    assert upheld.says(REPLY, category="notifier").outcome.closed is not None


def test_what_was_merged_and_is_separated_goes_on() -> None:
    merged = classified.says(complaint_history.merged(THIS, OTHER))
    apart = merged.says(complaint_history.separated(THIS, OTHER))
    assert apart.outcome.closed is None
    assert ("assign", "assignment") in apart.missing


def test_a_resolved_complaint_that_is_reopened_needs_cause_solution_and_measure_anew() -> None:
    again = resolved.does(reopen_it)
    assert again.missing == {("investigate", "finding"), *LATER}
    assert {each.sanction for each in _sanctions(again)} == {1}, "what was decided stays decided"


def _sanctions(world: World) -> list[Any]:
    return [each.imposed for each in world.complaint.case.sanctions]


def test_a_new_solution_wants_a_notice_of_its_own_though_the_old_one_arrives_late() -> None:
    written = notify.NoticeWritten(
        notice_id=UUID(int=1),
        complaint_id=THIS,
        data_subject="customer:C-1",
        kind=notify.NoticeKind.SOLUTION,
        recipient=notify.Recipient.CUSTOMER,
        person=None,
        to="13800000001",
        language=Language.CHINESE,
        channels=("outbox",),
        template="standard@1/solution/zh-CN",
        policy="standard@1",
        subject="proposal",
        text="proposal",
        cause=THIS,
        due_at=None,
        warn_at=None,
        written_at=NOW,
    )
    first = found.does(propose_front_line).says(written, category="notifier")
    second = first.does(replace(accept, answer=Answer.DECLINED), propose_front_line)
    assert ("notify", "notice") in second.says(SOLUTION, category="notifier").missing
    told = second.says(notice(notify.NoticeKind.SOLUTION, 2), category="notifier")
    assert ("notify", "notice") not in told.missing


@pytest.mark.rule("NTF-3")
def test_a_notice_that_failed_is_owed_by_the_person_who_got_the_task() -> None:
    """Trap 13: a failed notice closes silently."""
    task = notify.NoticeTaskRaised(
        notice_id=UUID(int=1),
        complaint_id=THIS,
        kind=notify.NoticeKind.UNFOUNDED_REPLY,
        recipient=notify.Recipient.CUSTOMER,
        owed_by=Answerable(unit="after-sales", person="after-sales-officer"),
        raised_at=NOW,
    )
    (owed,) = unfounded.says(task, category="notifier").outcome.missing
    assert owed.owed_by.person == "after-sales-officer"


@pytest.mark.rule("REC-4")
def test_an_enquiry_is_owed_an_answer_and_is_on_no_path_until_it_is_a_complaint() -> None:
    enquiry = World().says(complaint_history.recorded(THIS, contact=Contact.ENQUIRY))
    assert (enquiry.outcome.path, enquiry.missing) == (None, {("notify", "reply")})
    became = intake.EnquiryBecameComplaint(
        complaint_id=THIS,
        data_subject="customer:C-1",
        became_at=NOW,
        author="li.wei",
        reason="it broke",
        missing_details=(),
        first_reply_due_at=NOW + DAY,
        policy="standard@1",
    )
    assert enquiry.says(became).outcome.path is Outcome.RESOLVED


@pytest.mark.rule("SLA-3")
def test_late_decisions_about_lateness_are_put_to_somebody_once() -> None:
    late = found.says(missed(Step.PENALIZE), category="resolution")
    later = late.says(missed(Step.PENALIZE), category="resolution")
    assert len(late.complaint.case.raised) == 4
    assert len(later.complaint.case.raised) == 4


Move = Callable[[World], World]
BEGINNING: list[Move] = [
    lambda w: w.says(undetermined),
    lambda w: w.says(complaint_history.classified(THIS)),
    lambda w: w.says(complaint_history.classified(THIS, founded=False)),
    lambda w: w.says(ASSIGNED),
    lambda w: w.says(complaint_history.escalated(THIS)),
    lambda w: w.says(contested()),
    lambda w: w.says(finding(), category="investigation"),
    lambda w: w.says(finding(company_is_cause=False), category="investigation"),
    lambda w: w.says(missed(Step.CLASSIFY, None)),
    lambda w: w.says(REPLY, category="notifier"),
]
SOLVING: list[Move] = [
    lambda w: w.says(SOLUTION, category="notifier"),
    lambda w: w.does(propose_it),
    lambda w: w.does(propose_front_line),
    lambda w: w.does(approve_it),
    lambda w: w.does(approve_too),
    lambda w: w.does(reject_it),
    lambda w: w.does(accept),
    lambda w: w.does(replace(accept, answer=Answer.DECLINED)),
    lambda w: w.does(settle),
    *[lambda w, advance=advance: w.does(advance) for advance in STAGES],
]
DECIDING: list[Move] = [
    lambda w: w.says(missed(Step.PROPOSE)),
    lambda w: w.does(impose),
    lambda w: w.does(waive_head),
    lambda w: w.does(
        replace(waive_head, person="quality-officer", charge=Charge.HANDLING, author="quality-head")
    ),
    lambda w: w.does(replace(waive_head, person="quality-head", charge=Charge.HANDLING)),
    lambda w: w.does(appeal_it),
    lambda w: w.does(reduce_it),
]
IMPROVING: list[Move] = [
    lambda w: w.does(spare_it),
    lambda w: w.measures(plan_it),
    lambda w: w.measures(complete_it),
    lambda w: w.measures(ineffective),
    lambda w: w.measures(effective),
]
ENDING: list[Move] = [
    lambda w: w.says(complaint_history.withdrawn(THIS)),
    lambda w: w.says(complaint_history.merged(THIS, OTHER)),
    lambda w: w.says(complaint_history.separated(THIS, OTHER)),
    lambda w: w.does(reopen_it),
]


def situation(world: World) -> Any:
    """What tells one state from another: times, numbers and how it came about aside."""
    complaint = world.complaint
    case = complaint.case
    return (
        complaint.judged and complaint.judged.founded,
        complaint.contested is not None,
        complaint.answerable,
        complaint.finding and complaint.finding.event.company_is_cause,
        complaint.told,
        complaint.withdrawn,
        complaint.merged_into,
        min(len(complaint.misses), 1),
        type(case.solution),
        getattr(case.solution, "stage", None),
        getattr(case.solution, "answer", None),
        len(case.unsettled),
        [(bool(each.appealed), bool(each.decided)) for each in case.sanctions[:1]],
        case.spared is not None,
        bool(case.improvements),
        [type(each) for each in complaint.measures.values()],
        case.closed and case.closed.outcome,
        case.round,
    )


def sensible(world: World, before: World) -> bool:
    """What other services would let happen: nothing is judged, assigned or found before it can be."""
    complaint, newest = before.complaint, world.events[len(before.events) :]
    heard = next((each.event for each in newest), None)
    closed = complaint.case.closed is not None
    judged = complaint.judged.founded if complaint.judged else None
    match heard:
        case classify.ComplaintClassified() | classify.ClassificationContested() if complaint.answerable:
            return False  # explored from what is not assigned, which is where it matters
        case classify.ClassificationContested():
            return judged is not None and not judged.value and complaint.contested is None
        case classify.ComplaintClassified():
            return not closed and judged is None
        case investigate.FindingRecorded():
            return not closed and complaint.answerable is not None and complaint.finding is None
        case ComplaintAssigned():
            return not closed and complaint.answerable is None and bool(judged and judged.value)
        case intake.ComplaintMerged() | intake.ComplaintWithdrawn():
            return not closed and complaint.merged_into is None
        case notify.NoticeDelivered(kind=notify.NoticeKind.SOLUTION):
            return complaint.case.proposals > 0
        case notify.NoticeDelivered():
            return judged is not None and not judged.value
        case clock.DeadlineMissed():
            return not complaint.misses and not closed
        case _:
            return True


# Steps 5, 7 and 8 do not depend on each other: each is explored with the others done, and with them not.
EXPLORED: dict[str, tuple[World, list[Move]]] = {
    "beginning": (recorded, BEGINNING),
    "solving": (found, SOLVING),
    "solving last": (found.does(impose, waive_head, spare_it), SOLVING),
    "deciding": (found, DECIDING),
    "deciding last": (carried_out.does(spare_it), DECIDING),
    "improving": (found, IMPROVING),
    "improving last": (decided, IMPROVING),
}


@pytest.mark.rule("ASG-2", "SLA-3")
@pytest.mark.parametrize("track", EXPLORED)
def test_in_every_reachable_state_somebody_owes_a_next_step_or_it_is_closed(track: str) -> None:
    start, moves = EXPLORED[track]
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        world = waiting.pop()
        if (key := repr(situation(world))) not in seen:
            seen.add(key)
            is_owed_or_closed(world)
            waiting += following(world, [*moves, *ENDING])
    assert len(seen) > STATES_MIN


@pytest.mark.parametrize("seed", range(40))
def test_wherever_a_complaint_wanders_somebody_owes_a_next_step_or_it_is_closed(seed: int) -> None:
    chance = random.Random(seed)
    world, moves = recorded, [*BEGINNING, *SOLVING, *DECIDING, *IMPROVING, *ENDING]
    for _ in range(25):
        if not (after := list(following(world, moves))):
            break
        world = chance.choice(after)
        is_owed_or_closed(world)


def is_owed_or_closed(world: World) -> None:
    stands = world.outcome
    assert stands.closed or stands.missing, f"nobody owes anything: {situation(world)}"
    assert not stands.complete, f"nothing is missing, and it is open: {situation(world)}"
    assert all(each.owed_by.person for each in stands.missing)


def following(world: World, moves: list[Move]) -> Iterator[World]:
    """The states one move further, within bounds."""
    for move in moves:
        try:
            after = move(world)
        except errors.Failure:
            continue
        case = after.complaint.case
        bounded = (
            case.round <= ROUNDS_MAX and case.proposals <= PROPOSALS_MAX and len(case.raised) <= RAISED_MAX
        )
        if after != world and bounded and sensible(after, world):
            yield after
