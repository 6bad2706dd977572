"""In every reachable state of a complaint somebody owes a next step, or it is over."""

import functools
import random
from collections.abc import Callable
from typing import Any

import pytest

from libs.events.contracts.handling import Step
from libs.events.contracts.notify import NoticeKind
from libs.events.contracts.propose import Outcome
from libs.policy import people
from services.resolution import measure
from services.resolution.owed import Want
from services.resolution.solution import CarriedOut, TurnedDown
from tests.unit.resolution_moves import (
    BEGINNING,
    DECIDING,
    ENDING,
    IMPROVING,
    SOLVING,
    TRACKS,
    Explored,
    following,
)
from tests.unit.resolution_situations import POLICY
from tests.unit.resolution_world import World, recorded

# Fewer would mean that the exploration explores nothing.
STATES_MIN = {"beginning": 1000, "solving": 50, "deciding": 500, "improving": 40}
STATES_OTHERWISE_MIN = 10


def situation(world: World) -> Any:
    """What tells one state from another: times, numbers and how it came about aside."""
    complaint = world.complaint
    case = complaint.case
    return (
        complaint.contact,
        complaint.answered,
        complaint.judged and complaint.judged.founded and complaint.judged.founded.value,
        complaint.judged is not None,
        complaint.contested is not None,
        complaint.answerable,
        complaint.severity,
        complaint.finding and complaint.finding.event.company_is_cause,
        sorted(complaint.told),
        sorted(complaint.tasks),
        complaint.withdrawn,
        complaint.merged_into,
        sorted((each.step, str(each.owed_by)) for each in complaint.lates),
        type(case.solution),
        getattr(case.solution, "stage", None),
        getattr(case.solution, "answer", None),
        sorted((each.person, each.charge) for each in case.unsettled),
        [(bool(each.appealed), bool(each.decided)) for each in case.sanctions],
        case.spared is not None,
        bool(case.improvements),
        [(type(each), bool(getattr(each, "plan", None) and each.plan.recurred)) for each in measured(world)],
        case.closed and case.closed.outcome,
        case.round,
    )


def measured(world: World) -> list[Any]:
    return list(world.complaint.measures.values())


@functools.cache
def explored(track: str) -> list[World]:
    start, moves = TRACKS[track]
    return Explored([*moves, *ENDING]).walk(start, situation).states


@pytest.mark.rule("ASG-2", "SLA-3")
@pytest.mark.parametrize("track", TRACKS)
def test_in_every_reachable_state_somebody_owes_a_next_step_or_it_is_over(track: str) -> None:
    states = explored(track)
    for world in states:
        is_owed_or_over(world)
    assert len(states) >= STATES_MIN.get(track, STATES_OTHERWISE_MIN)


@pytest.mark.rule("ASG-4")
@pytest.mark.parametrize("track", TRACKS)
def test_in_no_reachable_state_anybody_owes_what_is_about_themselves_or_whom_they_answer_to(
    track: str,
) -> None:
    for world in explored(track):
        about = people.complained_of(POLICY, world.complaint.respondent)
        for owed in world.outcome.missing:
            line = {owed.owed_by.person, *people.superiors(POLICY, owed.owed_by.person)}
            assert about not in line, f"{owed} in a complaint about {about}"
            if owed.what is Want.DECISION and owed.about:
                assert owed.about not in line, owed


LANDMARKS: dict[str, Callable[[World], bool]] = {
    "closed as unfounded": lambda w: _closed(w) is Outcome.UNFOUNDED,
    "contested": lambda w: w.complaint.contested is not None and w.complaint.judged is None,
    "contested, and found right by another judge": lambda w: _contested(w, True) and w.outcome.round == 2,
    "contested, and upheld": lambda w: _contested(w, False) and _closed(w) is Outcome.UNFOUNDED,
    "contested after it was investigated": lambda w: (
        w.complaint.contested is not None and w.complaint.answerable is not None
    ),
    "withdrawn": lambda w: _closed(w) is Outcome.WITHDRAWN,
    "withdrawn, and a decision still owed": lambda w: w.complaint.withdrawn and not w.outcome.closed,
    "merged": lambda w: _closed(w) is Outcome.MERGED,
    "separated again": lambda w: w.complaint.separated is not None and w.outcome.closed is None,
    "reopened": lambda w: w.outcome.round == 2 and w.complaint.contested is None,
    "escalated": lambda w: getattr(w.complaint.answerable, "person", "") == "quality-head",
    "in a batch incident": lambda w: w.complaint.severity == "major",
    "a repeat repair": lambda w: w.complaint.facts.repeat_repair,
    "late before anybody was assigned": lambda w: any(each.owed_by is None for each in w.complaint.lates),
    "late with a decision": lambda w: any(each.step is Step.PENALIZE for each in w.complaint.lates),
    "appealed": lambda w: bool(w.complaint.case.appeals),
    "an appeal open after the end": lambda w: (
        _closed(w) is Outcome.RESOLVED and bool(w.complaint.case.appeals)
    ),
    "turned down by the customer": lambda w: getattr(w.complaint.case.solution, "answer", None) is not None,
    "rejected by an office": lambda w: (
        isinstance(w.complaint.case.solution, TurnedDown) and w.complaint.case.solution.answer is None
    ),
    "carried out": lambda w: isinstance(w.complaint.case.solution, CarriedOut),
    "a measure found ineffective": lambda w: any(
        isinstance(each, measure.Planned) and each.plan.checked for each in measured(w)
    ),
    "a measure reopened by its cause coming back": lambda w: any(
        isinstance(each, measure.Planned) and each.plan.recurred for each in measured(w)
    ),
    "closed with its measure effective": lambda w: (
        _closed(w) is Outcome.RESOLVED and any(isinstance(each, measure.Verified) for each in measured(w))
    ),
    "a reply left to a person": lambda w: NoticeKind.UNFOUNDED_REPLY in w.complaint.tasks,
    "an enquiry answered": lambda w: w.outcome.path is None and w.complaint.answered,
    "an enquiry that became a complaint": lambda w: w.complaint.answered and w.outcome.path is not None,
    "a head complained of": lambda w: (
        w.complaint.respondent.reference == "quality-head" and w.complaint.finding is not None
    ),
}


def _closed(world: World) -> Outcome | None:
    closed = world.complaint.case.closed
    return closed.outcome if closed else None


def _contested(world: World, founded: bool) -> bool:
    judged = world.complaint.judged
    if world.complaint.contested is None or judged is None or judged.founded is None:
        return False
    return judged.founded.value is founded


@pytest.mark.parametrize("landmark", LANDMARKS)
def test_the_exploration_passes_by(landmark: str) -> None:
    assert any(LANDMARKS[landmark](world) for track in TRACKS for world in explored(track))


@pytest.mark.parametrize("seed", range(40))
def test_wherever_a_complaint_wanders_somebody_owes_a_next_step_or_it_is_over(seed: int) -> None:
    chance = random.Random(seed)
    world, moves = recorded, [*BEGINNING, *SOLVING, *DECIDING, *IMPROVING, *ENDING]
    for _ in range(25):
        if not (after := list(following(world, moves))):
            break
        world = chance.choice(after)
        is_owed_or_over(world)


def is_owed_or_over(world: World) -> None:
    stands = world.outcome
    answered = stands.path is None and world.complaint.answered  # an enquiry wants no more than that
    assert stands.closed or stands.missing or answered, f"nobody owes anything: {situation(world)}"
    assert not stands.complete, f"nothing is missing, and it is open: {situation(world)}"
    assert all(each.owed_by.person for each in stands.missing)
