"""What can happen to a complaint, in any service: one move after the other, as far as others would let it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from libs.events import errors
from libs.events.contracts import classify, intake, investigate, notify
from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.handling import Answerable, Ground, Severity, Step
from libs.events.contracts.penalize import Charge
from libs.events.contracts.propose import Answer
from libs.events.contracts.values import Contact, Respondent, RespondentKind
from libs.policy import people
from services.resolution import lateness
from tests import complaint_history
from tests.complaint_history import DAY, NOW
from tests.contract import samples
from tests.unit.resolution_situations import (
    POLICY,
    STAGES,
    THIS,
    accept,
    appeal_it,
    approve_it,
    complete_it,
    each_approves,
    effective,
    impose,
    ineffective,
    plan_it,
    propose_front_line,
    propose_it,
    recur,
    reduce_it,
    reject_it,
    reopen_it,
    settle,
    spare_it,
    waive_head,
)
from tests.unit.resolution_world import (
    ASSIGNED,
    OTHER,
    REPLY,
    SOLUTION,
    World,
    carried_out,
    contested,
    decided,
    finding,
    found,
    missed,
    recorded,
    undetermined,
)

ROUNDS_MAX, PROPOSALS_MAX, RAISED_MAX, LATE_MAX = 2, 2, 6, 1
INCIDENT = UUID(int=50)
ABOVE = "deputy-general-manager"
Move = Callable[[World], World]


def sensible(heard: Any, before: World) -> bool:
    """What other services would let happen: nothing is judged, assigned or found before it can be."""
    complaint = before.complaint
    closed, over = complaint.case.closed is not None, complaint.withdrawn or complaint.merged_into is not None
    judgement = complaint.judged.founded.value if complaint.judged and complaint.judged.founded else None
    enquiry = complaint.contact is Contact.ENQUIRY
    match heard:
        case intake.EnquiryBecameComplaint():
            return enquiry and not over
        case classify.ClassificationContested():
            return judgement is False and complaint.contested is None and not over
        case classify.ComplaintClassified():
            return not (closed or over or enquiry) and _may_judge(heard, before, judgement)
        case classify.ComplaintJoinedIncident():
            return not closed and not over
        case investigate.FindingRecorded():
            waits = complaint.answerable is not None and complaint.finding is None
            return waits and not (closed or over) and judgement is True
        case ComplaintAssigned():
            return not closed and not over and complaint.answerable is None and judgement is True
        case intake.ComplaintMerged() | intake.ComplaintWithdrawn():
            return not closed and not over
        case notify.NoticeDelivered(kind=notify.NoticeKind.SOLUTION):
            return complaint.case.proposals > 0
        case notify.NoticeDelivered() | notify.NoticeTaskRaised():
            return judgement is False
        case _ if isinstance(heard, lateness.LATE):
            return len(complaint.lates) < LATE_MAX and not closed
        case _:
            return True


def _may_judge(heard: classify.ComplaintClassified, before: World, judgement: bool | None) -> bool:
    """Rules judge what nobody has judged, people also otherwise; and only people what is contested."""
    complaint = before.complaint
    by_rule = heard.ground.person is None
    if heard.founded is None:
        return complaint.judged is None or (complaint.contested is not None and judgement is None)
    if by_rule:
        return judgement is None and complaint.contested is None and complaint.answerable is None
    return heard.founded.value is not judgement


def says(event: Any, category: str = "intake") -> Move:
    """What another service says, as far as it would."""

    def move(world: World) -> World:
        return world.says(event, category=category) if sensible(event, world) else world

    return move


def does(*commands: Any) -> Move:
    """What people do, one after the other; who is complained of arrives on it as it does over HTTP."""

    def move(world: World) -> World:
        about = people.complained_of(POLICY, world.complaint.respondent)
        return world.does(
            *(replace(each, about=about) if hasattr(each, "about") else each for each in commands)
        )

    return move


def measures(command: Any) -> Move:
    return lambda world: world.measures(command)


def sample(event_class: type, /, **changes: Any) -> Any:
    """An event of any contract: what matters is given, the rest is filled in."""
    return replace(samples.sample(event_class, event_class.__name__), complaint_id=THIS, **changes)


def judged(founded: bool, by: str) -> classify.ComplaintClassified:
    ground = Ground(policy=POLICY.reference, person=by)
    return replace(complaint_history.classified(THIS, founded=founded), ground=ground)


BEGINNING: list[Move] = [
    says(undetermined),
    says(complaint_history.classified(THIS)),
    says(complaint_history.classified(THIS, founded=False)),
    says(judged(True, "after-sales-deputy")),
    says(judged(False, "after-sales-deputy")),
    says(ASSIGNED),
    says(complaint_history.escalated(THIS)),
    says(contested()),
    says(finding(), "investigation"),
    says(finding(company_is_cause=False), "investigation"),
    says(missed(Step.CLASSIFY, None)),
    says(REPLY, "notifier"),
]
FAILING: list[Move] = [
    says(complaint_history.classified(THIS, founded=False)),
    says(contested()),
    says(judged(False, "after-sales-deputy")),
    says(REPLY, "notifier"),
    says(
        sample(
            notify.NoticeTaskRaised,
            kind=notify.NoticeKind.UNFOUNDED_REPLY,
            recipient=notify.Recipient.CUSTOMER,
            owed_by=Answerable(unit="after-sales", person="after-sales-officer"),
        ),
        "notifier",
    ),
]
ASKING: list[Move] = [
    says(sample(intake.EnquiryBecameComplaint, data_subject="customer:C-1", first_reply_due_at=NOW + DAY)),
    says(sample(notify.FirstReplyGiven), "notifier"),
    says(complaint_history.classified(THIS)),
    says(complaint_history.classified(THIS, founded=False)),
    says(REPLY, "notifier"),
]
SOLVING: list[Move] = [
    says(SOLUTION, "notifier"),
    *map(does, (propose_it, propose_front_line, approve_it, reject_it, accept, settle)),
    does(*each_approves[1:]),
    does(replace(accept, answer=Answer.DECLINED)),
    does(replace(accept, answer=Answer.COUNTERED)),
    *map(does, STAGES),
]
DECIDING: list[Move] = [
    says(missed(Step.PROPOSE)),
    says(missed(Step.PENALIZE)),
    says(
        sample(
            investigate.ContributionOverdue,
            owed_by=Answerable(unit="sales", person="sales-officer"),
            escalated_to=Answerable(unit="sales", person="sales-head"),
        ),
        "investigation",
    ),
    says(sample(investigate.SupplierOverdue, escalated_to=complaint_history.HEAD), "investigation"),
    *map(does, (impose, waive_head, appeal_it, reduce_it)),
    *(
        does(replace(waive_head, person=person, charge=Charge.HANDLING, author=ABOVE, under=frozenset()))
        for person in ("quality-officer", "quality-head", "sales-officer", "sales-head")
    ),
]
IMPROVING: list[Move] = [
    does(spare_it),
    *map(measures, (plan_it, complete_it, ineffective, effective, recur, replace(recur, complaint_id=THIS))),
]
ENDING: list[Move] = [
    says(complaint_history.withdrawn(THIS)),
    says(complaint_history.merged(THIS, OTHER)),
    says(complaint_history.separated(THIS, OTHER)),
    does(reopen_it),
]


def about_a_head(moves: list[Move]) -> list[Move]:
    """The same, done by somebody above them."""
    by: dict[str, Any] = {"author": ABOVE, "under": frozenset()}
    return [
        *moves,
        does(replace(propose_front_line, proposer=ABOVE, under=frozenset())),
        *(does(replace(each, **by)) for each in (impose, waive_head, spare_it)),
    ]


repeated = replace(finding(), repeat_repair=True)
HEADED = World().says(
    replace(
        complaint_history.recorded(THIS, occurred_at=NOW - 2 * DAY),
        respondent=Respondent(kind=RespondentKind.PERSON, reference="quality-head"),
    ),
    complaint_history.classified(THIS),
    replace(ASSIGNED, answerable=Answerable(unit="executive", person=ABOVE)),
)
IN_INCIDENT = recorded.says(
    complaint_history.classified(THIS),
    complaint_history.joined(THIS, INCIDENT),
    replace(ASSIGNED, answerable=complaint_history.LEADER, severity=Severity.MAJOR, incident_id=INCIDENT),
).says(replace(finding(), adopted_from=INCIDENT), category="investigation")
REPAIRED_AGAIN = (
    recorded.says(complaint_history.classified(THIS), ASSIGNED)
    .says(sample(investigate.RepeatRepairFlagged, investigation_id=THIS), category="investigation")
    .says(repeated, category="investigation")
)
COME_BACK = found.measures(replace(plan_it, complaint_ids=(OTHER,)), complete_it)

# Steps 5, 7 and 8 do not depend on each other: each is explored with the others done, and with them not.
TRACKS: dict[str, tuple[World, list[Move]]] = {
    "beginning": (recorded, BEGINNING),
    "a reply that does not arrive": (recorded, FAILING),
    "enquiry": (World().says(complaint_history.recorded(THIS, contact=Contact.ENQUIRY)), ASKING),
    "solving": (found, SOLVING),
    "solving last": (found.does(impose, waive_head, spare_it), SOLVING),
    "deciding": (found, DECIDING),
    "deciding last": (carried_out.does(spare_it), DECIDING),
    "improving": (found, IMPROVING),
    "improving last": (decided, IMPROVING),
    "a measure of others, whose cause comes back here": (COME_BACK, IMPROVING),
    "in a batch incident": (IN_INCIDENT, [*BEGINNING[-3:], does(spare_it), does(propose_it)]),
    "repaired again": (REPAIRED_AGAIN, DECIDING),
    "about a head": (HEADED, about_a_head([says(finding(), "investigation"), says(missed(Step.PROPOSE))])),
}


def following(world: World, moves: list[Move]) -> Iterator[World]:
    """The states one move further, within bounds."""
    for move in moves:
        try:
            after = move(world)
        except errors.Failure:
            continue
        if len(after.events) + len(after.measured) == len(world.events) + len(world.measured):
            continue
        case = after.complaint.case
        bounded = (
            case.round <= ROUNDS_MAX and case.proposals <= PROPOSALS_MAX and len(case.raised) <= RAISED_MAX
        )
        if bounded:
            yield after


@dataclass
class Explored:
    """Every state that moves lead to from a beginning, each once, whichever way led there first."""

    moves: list[Move]
    states: list[World] = field(default_factory=list)

    def walk(self, start: World, key: Callable[[World], Any]) -> "Explored":
        seen, waiting = set[str](), [start]
        while waiting:
            world = waiting.pop()
            if (name := repr(key(world))) not in seen:
                seen.add(name)
                self.states.append(world)
                waiting += following(world, self.moves)
        return self
