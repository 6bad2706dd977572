"""A day off announced late moves what later steps fixed themselves, as it does the steps (SLA-2, trap 7)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Kind, Severity, Step
from libs.events.contracts.investigate import ContributionOverdue, SupplierOverdue
from libs.events.contracts.reckoning import Reckoning
from libs.events.contracts.term import Breach, DeadlinesRecomputed, MovedDue
from libs.policy import contributions, deadlines
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from libs.service.deadlines import follow
from services.investigation import overdue, state
from services.investigation import recompute as investigation
from services.investigation.term import Term
from tests.packs import changed
from tests.unit import investigation_situations as inquiry

V2 = ("version: 1", "version: 2")
SNOW = changed(V2, ("single_days: []", "single_days: [{day: 2026-11-23, name: {zh: 雪, en: snow}}]"))
SAME = changed(V2, ("times_max: 1", "times_max: 2"))
rule = pytest.mark.rule


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


FRIDAY, TUESDAY, WEDNESDAY = at(20, 1, 12), at(24, 9, 30), at(25, 9, 30)
opened = replace(
    inquiry.open_it,
    duties=contributions.duties(inquiry.POLICY, Kind.PRODUCT_QUALITY, Severity.SERIOUS, FRIDAY),
    now=FRIDAY,
)
asked = replace(
    inquiry.notify_supplier,
    due_at=deadlines.due(inquiry.POLICY, Errand.SUPPLIER, Severity.SERIOUS, FRIDAY).due_at,
    reckoned=Reckoning(since=FRIDAY, severity=Severity.SERIOUS),
    now=FRIDAY,
)


def lies(moved: tuple[MovedDue, ...]) -> dict[str | None, tuple[datetime, datetime, Breach | None]]:
    """Which deadline goes from where to where, and what that does to a breach."""
    assert all(each.running for each in moved)
    return {each.about: (each.before_at, each.due.due_at, each.breach) for each in moved}


def inquired(policy: Pack, now: datetime, of: state.Investigation) -> tuple[MovedDue, ...]:
    said = inquiry.when(investigation.RecomputeDeadlines(policy=policy, now=now), of)
    assert {type(each) for each in said} <= {DeadlinesRecomputed}
    return tuple(moved for each in said for moved in each.moved)


def then(command: object, of: state.Investigation) -> state.Investigation:
    return inquiry.after(of, inquiry.when(command, of))


@rule("SLA-2", "INV-2")
def test_what_units_still_owe_is_due_a_day_later_and_late_only_then() -> None:
    working = inquiry.given(opened, replace(inquiry.contribute, unit="sales"))
    moved = inquired(SNOW, at(21), working)
    owed = {f"contribution/{each}" for each in ("after-sales", "quality", "technology", "production")}
    assert lies(moved) == dict.fromkeys(owed, (TUESDAY, WEDNESDAY, None))
    assert {each.due.step for each in moved} == {Step.INVESTIGATE}
    after = then(investigation.RecomputeDeadlines(policy=SNOW, now=at(21)), working)
    assert inquired(SNOW, at(21), after) == ()
    late = overdue.PassDeadline(step="contribution/quality", policy=SNOW, now=TUESDAY)
    assert inquiry.when(late, after) == []
    (said,) = inquiry.when(replace(late, now=WEDNESDAY), after)
    assert isinstance(said, ContributionOverdue)
    assert said.due_at == WEDNESDAY


@rule("SLA-2", "SLA-3")
def test_a_contribution_that_was_late_by_the_old_calendar_only_is_lifted_and_can_be_late_again() -> None:
    late = overdue.PassDeadline(step="contribution/quality", policy=inquiry.POLICY, now=TUESDAY)
    missed = inquiry.given(opened, late)
    assert lies(inquired(SNOW, at(24, 10), missed))["contribution/quality"][2] is Breach.LIFTED
    after = then(investigation.RecomputeDeadlines(policy=SNOW, now=at(24, 10)), missed)
    (said,) = inquiry.when(replace(late, policy=SNOW, now=at(26)), after)
    assert said.due_at == WEDNESDAY


@rule("SLA-2", "SLA-3")
def test_what_is_late_all_the_same_stands_and_is_not_said_again() -> None:
    late = overdue.PassDeadline(step="contribution/quality", policy=inquiry.POLICY, now=at(26))
    missed = inquiry.given(opened, late)
    assert lies(inquired(SNOW, at(26), missed))["contribution/quality"][2] is Breach.STANDS
    after = then(investigation.RecomputeDeadlines(policy=SNOW, now=at(26)), missed)
    assert inquiry.when(replace(late, policy=SNOW, now=at(30)), after) == []


@rule("SLA-2", "INV-5")
def test_a_supplier_has_a_day_more_whatever_became_of_the_rest() -> None:
    before = at(27, 9, 30)
    for become in ((), (inquiry.add_evidence, inquiry.record_finding), (inquiry.stop_it,)):
        found = inquiry.given(opened, asked, *become)
        moved = lies(inquired(SNOW, at(21), found))
        assert moved["supplier/1"] == (before, at(30, 9, 30), None)
        after = then(investigation.RecomputeDeadlines(policy=SNOW, now=at(21)), found)
        late = overdue.PassDeadline(step="supplier/1", policy=SNOW, now=before)
        assert inquiry.when(late, after) == []
        (said,) = inquiry.when(replace(late, now=at(30, 9, 30)), after)
        assert isinstance(said, SupplierOverdue)
        solved = then(inquiry.settle_notice, found)
        assert "supplier/1" not in lies(inquired(SNOW, at(21), solved))


@rule("SLA-2", "INV-2", "INV-5")
@pytest.mark.parametrize(
    ("given_at", "solved_at", "breach"),
    [(at(25), at(28), Breach.LIFTED), (at(26), at(30, 10), Breach.STANDS)],
)
def test_what_was_done_late_is_looked_back_at_and_lifted_where_the_time_was_not_up(
    given_at: datetime, solved_at: datetime, breach: Breach
) -> None:
    """Trap 7: it says which past breaches it changes. Nobody owes that any more, so no clock runs for it."""
    late = overdue.PassDeadline(step="contribution/quality", policy=inquiry.POLICY, now=at(24, 10))
    done = inquiry.given(
        *(opened, asked, late, replace(inquiry.contribute, unit="quality", now=given_at)),
        replace(late, step="supplier/1", now=at(27, 10)),
        replace(inquiry.settle_notice, now=solved_at),
    )
    past = [each for each in inquired(SNOW, at(30, 12), done) if not each.running]
    assert [(each.about, each.before_at, each.due.due_at, each.breach) for each in past] == [
        ("contribution/quality", TUESDAY, WEDNESDAY, breach),
        ("supplier/1", at(27, 9, 30), at(30, 9, 30), breach),
    ]
    assert [change for each in past for change in follow(each, str(each.about))] == []
    again = then(investigation.RecomputeDeadlines(policy=SNOW, now=at(30, 12)), done)
    assert inquired(SNOW, at(30, 12), again) == ()


@rule("SLA-2", "INV-5")
def test_the_date_that_a_person_set_for_a_supplier_is_theirs() -> None:
    theirs = replace(asked, due_at=FRIDAY + 30 * inquiry.DAY, reckoned=None)
    for policy in (SAME, SNOW):
        said = inquired(policy, at(21), inquiry.given(replace(opened, duties=()), theirs))
        assert said == ()


@rule("SLA-2")
def test_nobody_looks_back_at_what_was_done_in_time() -> None:
    done = inquiry.given(opened, asked, replace(inquiry.contribute, unit="quality"), inquiry.settle_notice)
    said = {each.about for each in inquired(SNOW, at(21), done)}
    assert not said & {"contribution/quality", "supplier/1"}


@rule("SLA-2", "CLS-7")
def test_what_is_owed_to_an_incident_moves_too_though_it_is_of_no_single_complaint() -> None:
    incident = inquiry.given(replace(inquiry.open_incident, duties=opened.duties, now=FRIDAY))
    (said,) = inquiry.when(investigation.RecomputeDeadlines(policy=SNOW, now=at(21)), incident)
    assert said.complaint_id is None
    duties = [f"contribution/{duty.unit}" for duty in opened.duties]
    assert [each.about for each in said.moved] == ["investigate", *duties]


@rule("SLA-2", "SLA-3")
def test_a_finding_that_is_late_where_its_deadline_lies_now_is_not_said_to_be_late_again() -> None:
    """Intake moved it, a day later: whoever owes it was late once."""
    due = inquiry.DUE
    missed = inquiry.given(opened, overdue.PassDeadline(step="investigate", policy=SNOW, now=due.due_at))
    lies = Term(due_at=due.due_at + inquiry.DAY, warn_at=due.warn_at + inquiry.DAY)
    for now, late in ((lies.due_at + inquiry.DAY, []), (due.due_at + inquiry.HOUR, [lies.due_at])):
        moved = then(replace(opened, due=lies, as_of=20, now=now), missed)
        assert inquiry.file_of(moved).term.due_at == lies.due_at
        clock = overdue.PassDeadline(step="investigate", policy=SNOW, now=lies.due_at + 2 * inquiry.DAY)
        said = [each for each in inquiry.when(clock, moved) if isinstance(each, DeadlineMissed)]
        assert [each.due_at for each in said] == late


@rule("SLA-2", "ASG-7")
def test_a_finding_that_was_escalated_before_it_was_late_moves_as_the_assignment_does() -> None:
    """Time that an escalation gave is not the assignment's, and stays."""
    escalated = replace(opened, answerable=inquiry.HEAD, level=1, as_of=20)
    lies = Term(due_at=inquiry.DUE.due_at + inquiry.DAY, warn_at=inquiry.DUE.warn_at + inquiry.DAY)
    followed = then(replace(escalated, due=lies, as_of=30), inquiry.given(opened, escalated))
    assert inquiry.file_of(followed).term.due_at == lies.due_at
    late = overdue.PassDeadline(step="investigate", policy=SNOW, now=inquiry.DUE.due_at)
    given_more = inquiry.given(opened, late, escalated)
    assert inquiry.file_of(given_more).term.due_at == inquiry.LATER.due_at
    assert inquiry.when(replace(escalated, due=lies, as_of=30), given_more) == []


@rule("SLA-2")
def test_a_policy_with_the_same_times_says_nothing_of_an_investigation() -> None:
    assert inquired(SAME, at(21), inquiry.given(opened, asked)) == ()
    assert inquired(SNOW, at(21), state.INITIAL) == ()
