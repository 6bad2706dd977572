"""When things are due, when somebody is warned, and the sum day by day."""

from __future__ import annotations

import statistics
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from libs.events.contracts.handling import Kind, Severity, Step
from libs.events.contracts.term import Breach
from libs.events.contracts.values import Language
from libs.policy import contributions, deadlines, pack
from libs.policy.calendar import Span
from libs.policy.holidays import UNKNOWN_FROM
from libs.policy.recomputation import Running, recompute
from libs.policy.schema.deadlines import Errand
from tests.packs import FILE, changed, line_of, standard, text_with

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
WEEK = """\
  week:
    monday: &office ["08:30-12:00", "13:00-17:30"]
    tuesday: *office
    wednesday: *office
    thursday: *office
    friday: *office
  make_up_hours: *office"""


def at(month: int, day: int, hour: int | None = None, minute: int = 0) -> datetime:
    """A time in Shanghai; without an hour, when work begins."""
    clock = time(8, 30) if hour is None else time(hour, minute)
    return datetime.combine(date(2026, month, day), clock, SHANGHAI)


@pytest.mark.rule("SLA-1")
@pytest.mark.parametrize("recorded_at", [at(10, 1, 23), at(9, 26, 3), at(11, 23)])
def test_the_first_reply_is_due_within_24_hours_whatever_the_day(recorded_at: datetime) -> None:
    due = deadlines.first_reply(standard(), recorded_at)
    assert (due.step, due.due_at) == (Step.NOTIFY, recorded_at + 24 * HOUR)
    assert due.warn_at == recorded_at + 0.8 * 24 * HOUR


@pytest.mark.rule("SLA-2")
def test_working_days_leave_out_weekends_and_public_holidays_and_count_make_up_days() -> None:
    due = deadlines.due(standard(), Step.INVESTIGATE, Severity.MINOR, at(9, 28))
    assert due.due_at == at(10, 10, 17, 30)  # a Saturday that makes up for the holiday
    assert (due.allowed, due.ground.clause, due.ground.policy) == ("5 working days", "SLA-S4", "standard@1")


@pytest.mark.rule("ASG-7")
def test_assignment_fixes_the_due_time_of_every_later_step() -> None:
    found = deadlines.all_due(standard(), Severity.MAJOR, at(11, 23, 9))
    assert [each.step for each in found] == [
        Step.INVESTIGATE,
        Step.PROPOSE,
        Step.NOTIFY,
        Step.PENALIZE,
        Step.IMPROVE,
    ]
    assert [each.due_at for each in found[:3]] == [at(11, day, 17, 30) for day in (25, 26, 27)]
    assert all(at(11, 23, 9) < each.warn_at < each.due_at for each in found)


@pytest.mark.parametrize("step", deadlines.LATER_STEPS)
def test_the_graver_the_sooner(step: Step) -> None:
    dues = [deadlines.due(standard(), step, severity, at(11, 23)).due_at for severity in Severity]
    assert dues == sorted(dues, reverse=True)


@pytest.mark.rule("SLA-4")
def test_the_warning_comes_when_four_fifths_of_the_time_that_counts_have_passed() -> None:
    due = deadlines.due(standard(), Step.ASSIGN, Severity.MAJOR, at(11, 23, 8, 30))
    assert due.due_at == at(11, 23, 13, 30)
    assert due.warn_at == at(11, 23, 11, 42)  # 3 h 12 min of 4 h


@pytest.mark.rule("NTF-1")
def test_an_approved_solution_is_told_within_minutes_even_while_the_customer_is_waited_for() -> None:
    waiting = (Span(at(11, 23, 9), at(11, 24, 9)),)
    due = deadlines.due(standard(), Errand.SOLUTION_NOTICE, Severity.MINOR, at(11, 23, 9), waiting)
    assert due.due_at == at(11, 23, 9, 30)


@pytest.mark.rule("SLA-9")
def test_waiting_for_the_customer_stops_internal_clocks() -> None:
    start, waiting = at(11, 23, 8, 30), Span(at(11, 24, 8, 30), at(11, 26, 17, 30))
    running = deadlines.due(standard(), Step.INVESTIGATE, Severity.SERIOUS, start)
    stopped = deadlines.due(standard(), Step.INVESTIGATE, Severity.SERIOUS, start, (waiting,))
    assert running.due_at == at(11, 26, 17, 30)
    assert stopped.due_at == at(12, 1, 17, 30)  # three working days later


@pytest.mark.rule("SLA-9")
def test_both_elapsed_and_working_time_are_reported() -> None:
    pause = (Span(at(11, 28, 8), at(11, 30, 12, 0)),)
    spent = deadlines.spent(standard(), at(11, 27, 15, 30), at(11, 30, 14, 0), pause)
    assert spent.elapsed == timedelta(days=2, hours=22, minutes=30)
    assert spent.working == 3 * HOUR


def test_a_pause_across_a_weekend_counts_once() -> None:
    start = at(11, 27, 15, 30)
    pauses = (Span(at(11, 27, 16, 30), at(11, 30, 9, 30)), Span(at(11, 28, 9), at(11, 29, 18)))
    due = deadlines.due(standard(), Errand.UNFOUNDED_REPLY, Severity.MAJOR, start)
    assert due.due_at == at(11, 27, 17, 30)
    assert deadlines.due(standard(), Step.CLASSIFY, Severity.MAJOR, start, pauses).due_at == at(
        11, 30, 10, 30
    )


def test_breaks_midnight_and_round_the_clock_are_right() -> None:
    """Trap 5."""
    shifts = 'monday: &office ["00:00-04:00", "20:00-24:00"]'
    nights = changed(('monday: &office ["08:30-12:00", "13:00-17:30"]', shifts))
    assert deadlines.due(nights, Step.ASSIGN, Severity.MAJOR, at(11, 23, 23)).due_at == at(11, 24, 3, 0)
    always = changed(
        (WEEK, WEEK.replace('["08:30-12:00", "13:00-17:30"]', '["00:00-24:00"]')),
        ("    friday: *office\n", "    friday: *office\n    saturday: *office\n    sunday: *office\n"),
        ("public_holidays: china", "public_holidays: none"),
    )
    due = deadlines.due(always, Step.ASSIGN, Severity.MAJOR, at(11, 28, 23))
    assert due.due_at == at(11, 29, 3, 0)


@pytest.mark.rule("SLA-2")
def test_a_make_up_day_can_be_said_and_a_holiday_taken_back() -> None:
    """Trap 7."""
    days = """\
single_days:
    - {day: 2026-11-28, name: {zh: 调休上班, en: make-up working day}, hours: ["08:30-12:00"]}
    - {day: 2026-11-30, name: {zh: 厂庆, en: company holiday}}
"""
    own = changed(("single_days: []\n", days))
    explained = deadlines.explain(own, Step.INVESTIGATE, Severity.MAJOR, at(11, 27))
    assert explained.due.due_at == at(12, 1, 17, 30)
    assert [(share.kind, share.counted) for share in explained.days[1:4]] == [
        ("make-up working day", 3.5 * HOUR),
        ("day off", 0 * HOUR),
        ("company holiday", 0 * HOUR),
    ]


@pytest.mark.rule("SLA-2")
def test_a_holiday_announced_late_moves_open_deadlines_and_says_which_breaches_it_changes() -> None:
    """Trap 7."""
    late = changed(
        ("single_days: []\n", "single_days: [{day: 2026-11-25, name: {zh: 放假, en: announced late}}]\n"),
        ("version: 1", "version: 2"),
    )
    fixed = deadlines.due(standard(), Step.INVESTIGATE, Severity.MAJOR, at(11, 23)).due_at
    assert fixed == at(11, 25, 17, 30)
    untouched = deadlines.due(standard(), Step.INVESTIGATE, Severity.MAJOR, at(11, 9)).due_at

    def running(started_at: datetime, due_at: datetime, ended_at: datetime | None) -> Running:
        return Running(
            what=Step.INVESTIGATE,
            severity=Severity.MAJOR,
            started_at=started_at,
            due_at=due_at,
            ended_at=ended_at,
        )

    moved = recompute(
        late,
        [
            running(at(11, 9), untouched, at(11, 30)),
            running(at(11, 23), fixed, at(11, 24)),
            running(at(11, 23), fixed, at(11, 26)),
            running(at(11, 23), fixed, None),
        ],
        now=at(11, 30),
    )
    assert [each.breach for each in moved] == [None, Breach.LIFTED, Breach.STANDS]
    assert {each.after.due_at for each in moved} == {at(11, 26, 17, 30)}
    back = recompute(standard(), [running(at(11, 23), moved[0].after.due_at, at(11, 26))], now=at(11, 30))
    assert back[0].breach is Breach.ARISES


@pytest.mark.rule("SLA-2", "SLA-3")
@pytest.mark.parametrize("open_still", [False, True])
@pytest.mark.parametrize(
    ("early", "breach"),
    [(timedelta(0), Breach.STANDS), (timedelta(microseconds=1), Breach.LIFTED)],
)
def test_in_time_is_before_the_instant_as_for_the_clock(
    early: timedelta, breach: Breach, open_still: bool
) -> None:
    """The clock says of what is not done at its instant that it was missed."""
    late = changed(
        ("single_days: []\n", "single_days: [{day: 2026-11-25, name: {zh: 放假, en: announced late}}]\n"),
        ("version: 1", "version: 2"),
    )
    lies = deadlines.due(late, Step.INVESTIGATE, Severity.MAJOR, at(11, 23)).due_at
    ended = lies - early
    before = Running(
        what=Step.INVESTIGATE,
        severity=Severity.MAJOR,
        started_at=at(11, 23),
        due_at=at(11, 25, 17, 30),
        ended_at=None if open_still else ended,
    )
    (moved,) = recompute(late, [before], now=ended)
    assert moved.breach is breach


@pytest.mark.rule("GOV-2")
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            WEEK,
            "  week: {}\n  make_up_hours: ['08:30-12:00']",
            "working_time: Value error, the calendar has no",
        ),
        (
            "single_days: []",
            "single_days: ["
            + ", ".join(
                f"{{day: {date(2027, 1, 1) + timedelta(days=n)}, name: {{zh: 停, en: off}}}}"
                for n in range(367)
            )
            + "]",
            "no working time for more than a year from 2027-01-01",
        ),
    ],
    ids=["never", "not for a year"],
)
def test_a_calendar_without_working_time_is_refused_when_the_pack_is_checked(
    old: str, new: str, reason: str
) -> None:
    """Trap 8."""
    text = text_with((old, new))
    with pytest.raises(pack.WrongPack) as caught:
        pack.parse(text, FILE)
    assert str(caught.value).startswith(f"{FILE}:{line_of(text, 'working_time:')}: ")
    assert reason in str(caught.value)


@pytest.mark.rule("SLA-2")
def test_every_deadline_is_explained_day_by_day() -> None:
    """Trap 9."""
    explained = deadlines.explain(standard(), Step.INVESTIGATE, Severity.MINOR, at(9, 28, 16, 30))
    assert [f"{share.day:%m-%d} {share.kind}" for share in explained.days] == [
        "09-28 working day",
        "09-29 working day",
        "09-30 working day",
        *[f"10-0{day} National Day" for day in range(1, 8)],
        "10-08 working day",
        "10-09 working day",
        "10-10 make-up working day (National Day)",
    ]
    assert explained.working == sum((share.counted for share in explained.days), timedelta()) == 41 * HOUR
    assert explained.elapsed == at(10, 10, 17, 30) - at(9, 28, 16, 30)


def test_an_explanation_reads_in_both_languages() -> None:
    start = at(9, 30, 16, 30)
    chinese, english = (
        deadlines.explain(standard(), Step.INVESTIGATE, Severity.MAJOR, start, language=each).sentences
        for each in Language
    )
    assert english[:3] == (
        "Investigate: 2 working days from 2026-09-30 16:30 to 2026-10-09 17:30 (Asia/Shanghai), "
        "by SLA-S4 of standard@1",
        "Wed 2026-09-30: working day, 1:00 counted",
        "Thu 2026-10-01: National Day, 0:00 counted",
    )
    assert chinese[:3] == (
        "调查原因：2个工作日，自 2026-09-30 16:30 至 2026-10-09 17:30（Asia/Shanghai），"
        "依据 standard@1 的 SLA-S4",
        "2026-09-30 周三：工作日，计 1:00",
        "2026-10-01 周四：国庆节，计 0:00",
    )


def test_a_deadline_on_the_clock_is_explained_too() -> None:
    explained = deadlines.explain(standard(), Errand.SOLUTION_NOTICE, Severity.MINOR, at(10, 1, 23, 45))
    assert [(share.kind, share.counted) for share in explained.days] == [
        ("on the clock", HOUR / 4),
        ("on the clock", HOUR / 4),
    ]
    assert explained.working == 0 * HOUR


@pytest.mark.rule("SLA-9")
def test_an_explanation_says_what_pauses_took() -> None:
    waiting = (Span(at(11, 24, 8, 30), at(11, 24, 12, 0)),)
    explained = deadlines.explain(standard(), Step.INVESTIGATE, Severity.MAJOR, at(11, 23), waiting)
    assert explained.paused == 3.5 * HOUR


@pytest.mark.rule("SLA-2")
def test_holidays_that_are_not_announced_yet_are_said_to_be_unknown() -> None:
    start = datetime(UNKNOWN_FROM.year, 10, 1, 1, tzinfo=UTC)
    explained = deadlines.explain(standard(), Step.INVESTIGATE, Severity.MAJOR, start)
    assert not any(share.announced for share in explained.days)
    assert explained.sentences[1].endswith(f"（{UNKNOWN_FROM.year} 年公共假期尚未公布）")
    english = deadlines.explain(
        standard(), Step.INVESTIGATE, Severity.MAJOR, start, language=Language.ENGLISH
    )
    assert english.sentences[1].endswith(f"; public holidays of {UNKNOWN_FROM.year} are not known yet")


@pytest.mark.rule("INV-2")
def test_units_owe_fixed_contributions_by_a_due_time() -> None:
    found = contributions.duties(standard(), Kind.PRODUCT_QUALITY, Severity.SERIOUS, at(11, 23))
    assert [duty.unit for duty in found] == ["after-sales", "sales", "quality", "technology", "production"]
    assert {duty.due_at for duty in found} == {at(11, 25, 17, 30)}
    service = contributions.duties(standard(), Kind.SERVICE, Severity.MINOR, at(11, 23))
    assert [duty.unit for duty in service] == ["after-sales"]


def test_thirty_working_days_are_reckoned_in_time() -> None:
    """Ten times what the bench asks for: finds a search gone quadratic, not a busy machine."""
    policy, start = standard(), at(9, 1)
    took = []
    for hours in range(200):
        began = perf_counter()
        deadlines.due(policy, Step.IMPROVE, Severity.MINOR, start + hours * HOUR)
        took.append(perf_counter() - began)
    assert statistics.median(took) < 0.001
