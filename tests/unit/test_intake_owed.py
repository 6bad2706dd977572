"""Wherever a complaint stands, somebody owes what comes next, and every plan can be made (SLA-3, trap 3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example
from hypothesis import given as given_any
from hypothesis import strategies as st

from libs.events import errors
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Answerable, Severity, Step
from libs.service.deadlines import MemoryDeadlines
from services.intake import (
    assign,
    classify,
    clock,
    contest,
    escalate,
    overdue,
    plan,
    reassign,
    recompute,
    state,
    wait,
)
from tests.packs import changed
from tests.recorded import recorded
from tests.unit.intake_situations import (
    COMMANDS,
    MOMENT,
    NO,
    SITUATIONS,
    THIS,
    after,
    complete_it,
    missed,
    said,
    when,
)

Decide = Callable[[plan.Moment, state.Complaint], list[Any]]
SALES = Answerable(unit="sales", person="sales-officer")

SNOW = changed(("single_days: []", "single_days: [{day: 2026-11-23, name: {zh: 雪, en: snow}}]"))


def snowed(moment: plan.Moment, complaint: state.Complaint) -> list[Any]:
    """A policy comes into force in which a day is off."""
    recomputed = plan.planned(partial(plan.recomputed, {Step.INVESTIGATE: moment.now}), recompute.decide)
    return recomputed(replace(moment, policy=SNOW), complaint)


def resume(moment: plan.Moment, complaint: state.Complaint) -> list[Any]:
    return plan.planned(partial(plan.resumed_clock, moment.now), wait.decide)(moment, complaint)


BY_POLICY: tuple[Decide, ...] = (
    resume,
    plan.planned(plan.judged_by_policy, classify.decide),
    plan.planned(plan.assigned_by_policy, assign.decide),
)
ASKED: dict[str, Decide] = {
    "judge": plan.planned(partial(plan.judged_by_person, said()), classify.decide),
    "judge another": plan.planned(
        partial(plan.judged_by_person, said("after-sales-deputy")), classify.decide
    ),
    "leave open": plan.planned(partial(plan.judged_by_person, said(founded=None)), classify.decide),
    "make major": plan.planned(
        partial(plan.judged_by_person, said("quality-head", severity=Severity.MAJOR)), classify.decide
    ),
    "reject": plan.planned(partial(plan.judged_by_person, said(founded=NO)), classify.decide),
    "contest": plan.planned(partial(plan.contested, "a new fact", "li.wei"), contest.decide),
    "reassign": plan.planned(partial(plan.reassigned, SALES, "theirs", "li.wei"), reassign.decide),
    "escalate": plan.planned(partial(plan.escalated, "everything", "li.wei"), escalate.decide),
    "miss": plan.planned(partial(plan.escalated_overdue, missed()), escalate.decide),
    "ask": plan.planned(partial(plan.stopped_clock, UUID(int=88), MOMENT.now), wait.decide),
    "ask again": plan.planned(partial(plan.stopped_clock, UUID(int=89), MOMENT.now), wait.decide),
    "snow": snowed,
    "pass classify": plan.planned(partial(plan.passing, Step.CLASSIFY), overdue.decide),
    "pass assign": plan.planned(partial(plan.passing, Step.ASSIGN), overdue.decide),
}
STEP_ONE = {
    name: COMMANDS[name] for name in ("amend", "convert", "withdraw", "merge", "separate", "join")
} | {"complete": complete_it}


def somebody_owes(complaint: state.Complaint) -> bool:
    """Intake's own people, or whoever answers for it; what is unfounded is for notifier and resolution."""
    match complaint:
        case state.Recorded(record) | state.Founded(record):
            term = record.handling.term
            return term is not None and term.owed_by is not None
        case state.Assigned(record):
            return record.handling.answerable is not None
        case _:
            return True


class Kept:
    """The deadlines of one complaint, as the clock keeps them."""

    def __init__(self) -> None:
        self._deadlines = MemoryDeadlines("intake", clock.changes)

    def note(self, happened: list[Any]) -> None:
        for event in happened:
            self._deadlines.note(recorded(event, f"intake-{THIS}", MOMENT.now))

    @property
    def next_at(self) -> datetime | None:
        return self._deadlines.next_at("main")


def noted(complaint: state.Complaint, happened: list[Any], kept: Kept) -> state.Complaint:
    """After these events, of which the clock hears, too."""
    kept.note(happened)
    return after(complaint, happened)


def follow_up(moment: plan.Moment, complaint: state.Complaint, kept: Kept) -> state.Complaint:
    """What intake does by itself then."""
    for decide in BY_POLICY:
        complaint = noted(complaint, decide(moment, complaint), kept)
    return complaint


def falls_due(complaint: state.Complaint) -> datetime | None:
    """When the clock has something to say next, by the record."""
    term = complaint.record.handling.term if isinstance(complaint, state.Open) else None
    if term is None or term.missed:
        return None
    return term.due.due_at if term.warned else term.due.warn_at


def from_now(now: datetime, at: datetime | None) -> datetime | None:
    """What is past is due at once."""
    return at and max(at, now)


@example([("leave open", 0), ("merge", 0), ("separate", 1)])
@example([("amend", 0), ("pass classify", 72), ("make major", 1), ("pass classify", 72)])
@given_any(st.lists(st.tuples(st.sampled_from([*ASKED, *STEP_ONE]), st.integers(0, 72)), max_size=14))
@pytest.mark.rule("SLA-3", "ASG-2")
def test_in_every_reachable_situation_somebody_owes_what_comes_next(doings: list[tuple[str, int]]) -> None:
    moment, kept = MOMENT, Kept()
    complaint = follow_up(moment, after(state.INITIAL, when(COMMANDS["record"], state.INITIAL)), kept)
    for doing, hours in doings:
        moment = replace(moment, now=moment.now + timedelta(hours=hours))
        try:
            if doing in ASKED:
                happened = ASKED[doing](moment, complaint)
            else:
                happened = when(replace(STEP_ONE[doing], now=moment.now), complaint)
        except errors.Refused:
            continue
        complaint = noted(complaint, happened, kept)
        for late in [each for each in happened if isinstance(each, DeadlineMissed)]:
            decide = plan.planned(partial(plan.escalated_overdue, late), escalate.decide)
            complaint = noted(complaint, decide(moment, complaint), kept)
        complaint = follow_up(moment, complaint, kept)
        assert follow_up(moment, complaint, kept) == complaint, "done once, it is done"
        assert from_now(moment.now, kept.next_at) == from_now(moment.now, falls_due(complaint))
        assert somebody_owes(complaint)


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "not recorded"])
@pytest.mark.parametrize("asked", ASKED)
def test_every_plan_can_be_made_in_every_situation_and_is_the_same_again(situation: str, asked: str) -> None:
    def outcome() -> Any:
        try:
            return ASKED[asked](MOMENT, SITUATIONS[situation])
        except errors.Refused as refusal:
            return refusal.code

    assert outcome() == outcome()


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_not_there_is_not_found(asked: str) -> None:
    with pytest.raises(errors.NotFound):
        ASKED[asked](MOMENT, state.INITIAL)
