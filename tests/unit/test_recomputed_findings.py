"""A day off announced late moves a finding's own time, which no assignment gave (SLA-2, trap 7)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.contracts import registry
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Severity, Step
from libs.events.contracts.reckoning import Pause, Reckoning
from libs.events.contracts.term import Breach, DeadlinesRecomputed, MovedDue
from libs.policy import deadlines
from libs.policy.calendar import Span
from libs.policy.pack import Pack
from libs.service.deadlines import MemoryDeadlines
from services.investigation import clock, overdue, plan, recompute, state
from services.investigation.history import Complaint
from services.investigation.term import Term
from tests import complaint_history as says
from tests.packs import changed
from tests.recorded import recorded
from tests.unit import investigation_situations as inquiry
from tests.unit.investigation_situations import DAY, HOUR, INCIDENT, POLICY, THIS, after, file_of, given, when

SNOW = changed(
    ("version: 1", "version: 2"),
    ("single_days: []", "single_days: [{day: 2026-11-23, name: {zh: 雪, en: snow}}]"),
)
FRIDAY = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
STOOD_STILL = Pause(since=FRIDAY, until=FRIDAY + timedelta(hours=3))
rule = pytest.mark.rule


def reckoned(severity: Severity, pauses: Sequence[Pause] = (), policy: Pack = POLICY) -> Term:
    """As the policy has it from Friday on."""
    spans = [Span(pause.since, pause.until) for pause in pauses]
    due = deadlines.due(policy, Step.INVESTIGATE, severity, FRIDAY, spans)
    counted = Reckoning(since=FRIDAY, severity=severity, pauses=tuple(pauses))
    return Term(due_at=due.due_at, warn_at=due.warn_at, reckoned=counted)


OWN, SHARED = reckoned(Severity.SERIOUS), reckoned(Severity.MAJOR)
long_ago = replace(inquiry.open_it, due=Term(due_at=FRIDAY - HOUR, warn_at=FRIDAY - DAY))
too_late = overdue.PassDeadline(step=state.FINDING, policy=POLICY, now=FRIDAY)
escalate = replace(long_ago, answerable=inquiry.HEAD, level=1, extended=OWN, as_of=20)
escalated = given(long_ago, too_late, escalate)
join_it = replace(inquiry.join_it, due=SHARED)
incident = given(replace(inquiry.open_incident, due=SHARED, severity=Severity.MAJOR))
# Whose time is its own, and where it lies before and after it snowed.
GIVEN: dict[str, tuple[state.Investigation, Severity, tuple[Pause, ...]]] = {
    "by an escalation": (escalated, Severity.SERIOUS, ()),
    "to a further round": (
        given(inquiry.open_it, inquiry.add_evidence, inquiry.record_finding, replace(inquiry.again, due=OWN)),
        Severity.SERIOUS,
        (),
    ),
    "after it stood still": (
        given(
            inquiry.open_it,
            inquiry.stop_it,
            replace(inquiry.resume_it, due=reckoned(Severity.SERIOUS, [STOOD_STILL])),
        ),
        Severity.SERIOUS,
        (STOOD_STILL,),
    ),
    "to an incident": (incident, Severity.MAJOR, ()),
    "to what joined it": (given(inquiry.open_it, join_it), Severity.MAJOR, ()),
    "to what it was escalated to there": (
        given(
            replace(join_it, due=long_ago.due),
            too_late,
            replace(join_it, answerable=inquiry.HEAD, level=1, extended=SHARED, as_of=26),
        ),
        Severity.MAJOR,
        (),
    ),
}
whoever = pytest.mark.parametrize(("working", "severity", "pauses"), GIVEN.values(), ids=GIVEN)


def snows(of: state.Investigation, now: datetime = FRIDAY) -> list[DeadlinesRecomputed]:
    return when(recompute.RecomputeDeadlines(policy=SNOW, now=now), of)


def own(of: state.Investigation, now: datetime = FRIDAY) -> list[MovedDue]:
    return [each for event in snows(of, now) for each in event.moved if each.about == state.FINDING]


def late(of: state.Investigation, now: datetime, kind: type = DeadlineMissed) -> list[Any]:
    passed = when(overdue.PassDeadline(step=state.FINDING, policy=SNOW, now=now), of)
    return [each for each in passed if isinstance(each, kind)]


@rule("SLA-2")
@whoever
def test_it_is_due_a_working_day_later_and_that_is_said_once(
    working: state.Investigation, severity: Severity, pauses: tuple[Pause, ...]
) -> None:
    before, lies = reckoned(severity, pauses), reckoned(severity, pauses, SNOW)
    (moved,) = own(working)
    assert lies.due_at - before.due_at == DAY
    assert (moved.before_at, moved.due.due_at, moved.due.warn_at) == (
        before.due_at,
        lies.due_at,
        lies.warn_at,
    )
    assert (moved.due.step, moved.breach, moved.running) == (Step.INVESTIGATE, None, True)
    later = after(working, snows(working))
    assert own(later) == []
    assert replace(file_of(later).term, level=0) == lies


@rule("SLA-2", "SLA-3")
@pytest.mark.parametrize("whose", [each for each in GIVEN if each != "to an incident"])
def test_it_is_late_by_the_new_calendar_only(whose: str) -> None:
    working, severity, pauses = GIVEN[whose]
    before, lies = reckoned(severity, pauses), reckoned(severity, pauses, SNOW)
    later = after(working, snows(working))
    assert late(later, before.due_at) == []
    assert [each.missed_at for each in late(later, lies.due_at)] == [lies.due_at]


@rule("SLA-2", "SLA-3")
def test_what_was_late_by_the_old_calendar_only_is_lifted_and_can_be_late_again() -> None:
    missed = after(escalated, late(escalated, OWN.due_at))
    assert [each.breach for each in own(missed, OWN.due_at)] == [Breach.LIFTED]
    lifted = after(missed, snows(missed, OWN.due_at))
    assert [each.due_at for each in late(lifted, OWN.due_at + 5 * DAY)] == [OWN.due_at + DAY]


@rule("SLA-2", "SLA-3", "SLA-4")
def test_what_is_late_all_the_same_stands_and_is_not_said_again() -> None:
    now = OWN.due_at + 5 * DAY
    missed = after(escalated, when(replace(too_late, now=now), escalated))
    assert [each.breach for each in own(missed, now)] == [Breach.STANDS]
    stands = after(missed, snows(missed, now))
    assert file_of(stands).term.due_at == OWN.due_at + DAY
    assert late(stands, now + DAY) == late(stands, now + DAY, DeadlineWarned) == []


@rule("SLA-2", "ASG-7")
def test_what_the_assignment_gave_moves_with_that() -> None:
    """Intake says where it lies now; it is not reckoned here as well."""
    for due in (OWN, SHARED):
        term = replace(due, reckoned=None)
        assert own(given(replace(inquiry.open_it, due=term, now=FRIDAY))) == []


@rule("SLA-2", "ASG-7")
def test_whatever_is_heard_of_it_the_same_time_goes_on_where_it_was_moved_to() -> None:
    """Reckoned by the pack before it, or after it: a change of hands moves nothing."""
    paused = reckoned(Severity.SERIOUS, [STOOD_STILL])
    resume = replace(inquiry.resume_it, due=paused)
    resumed = given(inquiry.open_it, inquiry.stop_it, resume)
    moved = after(resumed, snows(resumed))
    lies = reckoned(Severity.SERIOUS, [STOOD_STILL], SNOW)
    assert when(replace(resume, due=paused, as_of=60), moved) == []
    assert when(replace(resume, due=lies, as_of=60), resumed) == []
    (handed,) = when(replace(resume, due=paused, answerable=inquiry.HEAD, as_of=60), moved)
    assert (handed.answerable, handed.due_at, handed.reckoned) == (inquiry.HEAD, lies.due_at, lies.reckoned)
    assert own(after(moved, [handed])) == []


@rule("SLA-2", "CLS-7")
def test_what_joins_an_incident_later_is_due_when_the_others_are() -> None:
    moved = after(incident, snows(incident))
    asks = says.recorded(THIS)
    complaint = Complaint(
        complaint_id=THIS,
        data_subject=asks.data_subject,
        customer_id=None,
        respondent=asks.respondent,
        product=None,
        ground=inquiry.GROUND,
        incident_id=INCIDENT,
        as_of=40,
    )
    joins = plan.joining(complaint, file_of(moved), SNOW, FRIDAY + DAY)
    joined = after(state.INITIAL, when(joins, state.INITIAL))
    assert file_of(joined).term == reckoned(Severity.MAJOR, policy=SNOW)
    assert own(joined) == []


@rule("SLA-2", "CLS-7")
def test_an_incident_to_which_nobody_owes_anything_is_looked_at_until_something_is_found() -> None:
    """And it never falls due: its complaints do."""
    kept = MemoryDeadlines(clock.STREAM.category, clock.changes)

    def happens(*commands: Any, to: state.Investigation = state.INITIAL) -> state.Investigation:
        for command in commands:
            for event in when(command, to):
                kept.note(recorded(event, clock.STREAM.name(INCIDENT), FRIDAY))
                to = after(to, [event])
        return to

    snow = recompute.RecomputeDeadlines(policy=SNOW, now=FRIDAY)
    working = happens(replace(inquiry.open_incident, due=SHARED, duties=()), inquiry.add_evidence, snow)
    assert file_of(working).term.due_at == SHARED.due_at + DAY
    assert asyncio.run(kept.open("main")) == [INCIDENT]
    assert kept.next_at("main") is None
    happens(inquiry.record_finding, to=working)
    assert asyncio.run(kept.open("main")) == []


@pytest.mark.parametrize("name", ["opened", "handed_over", "joined", "resumed"])
def test_of_what_was_recorded_before_nobody_knows_what_it_counts_from(name: str) -> None:
    contract, (upcast,) = registry.resolve(f"complaints.investigation.investigation_{name}.v1")
    assert upcast({"acted_on": 1}) == {"acted_on": 1, "reckoned": None}
    assert contract.name.endswith(".v2")
