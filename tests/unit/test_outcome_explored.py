"""In every reachable state of a complaint somebody owes a next step, or it is closed."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from libs.events import errors
from libs.events.contracts import classify, clock, intake, investigate, notify
from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.handling import Step
from libs.events.contracts.penalize import Charge
from libs.events.contracts.propose import Answer
from tests import complaint_history
from tests.unit.resolution_situations import (
    STAGES,
    THIS,
    accept,
    appeal_it,
    approve_it,
    approve_too,
    complete_it,
    effective,
    impose,
    ineffective,
    plan_it,
    propose_front_line,
    propose_it,
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

STATES_MIN = 10  # fewer would mean that the exploration explores nothing
ROUNDS_MAX, PROPOSALS_MAX, RAISED_MAX = 2, 2, 6

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
        min(len(complaint.lates), 1),
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
            return not complaint.lates and not closed
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
