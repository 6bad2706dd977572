"""Working time, held against a count of single minutes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.policy import calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
WITH_LUNCH = (calendar.Hours(time(9), time(12)), calendar.Hours(time(13), time(18)))
ROUND_THE_CLOCK = (calendar.Hours(time(), time()),)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

NATIONAL_DAY = date(2026, 10, 1)
MAKE_UP_SATURDAY = date(2026, 10, 10)
OFFICE = calendar.Calendar(
    SHANGHAI,
    (WITH_LUNCH,) * 5 + ((), ()),
    {
        **{NATIONAL_DAY + timedelta(days=n): calendar.SpecialDay((), "National Day") for n in range(7)},
        MAKE_UP_SATURDAY: calendar.SpecialDay(WITH_LUNCH, "make-up working day"),
    },
)


def shanghai(year: int, month: int, day: int, hour: int) -> datetime:
    return datetime(year, month, day, hour, tzinfo=SHANGHAI)


@pytest.mark.rule("SLA-2")
@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        pytest.param(shanghai(2026, 9, 28, 9), 3, shanghai(2026, 9, 28, 12), id="ends at the break"),
        pytest.param(shanghai(2026, 9, 28, 9), 4, shanghai(2026, 9, 28, 14), id="the break does not count"),
        pytest.param(shanghai(2026, 9, 28, 17), 2, shanghai(2026, 9, 29, 10), id="goes on the next morning"),
        pytest.param(shanghai(2026, 9, 26, 3), 1, shanghai(2026, 9, 28, 10), id="a weekend does not count"),
        pytest.param(shanghai(2026, 9, 30, 17), 9, shanghai(2026, 10, 8, 18), id="nor do public holidays"),
        pytest.param(shanghai(2026, 10, 9, 17), 2, shanghai(2026, 10, 10, 10), id="a make-up Saturday does"),
    ],
)
def test_working_hours_pass_only_while_people_work(start: datetime, hours: int, due: datetime) -> None:
    assert OFFICE.after(start, hours * HOUR) == due


@pytest.mark.rule("SLA-2")
def test_days_end_at_close_of_business() -> None:
    assert OFFICE.after_days(shanghai(2026, 9, 30, 8), 2) == shanghai(2026, 10, 9, 18)


def test_hours_may_end_at_midnight_and_run_around_the_clock() -> None:
    always = calendar.Calendar(SHANGHAI, (ROUND_THE_CLOCK,) * 7)
    start = shanghai(2026, 12, 31, 20)
    assert always.after(start, 30 * HOUR) == start + 30 * HOUR


def test_a_day_is_as_long_as_the_clocks_make_it() -> None:
    always = calendar.Calendar(BERLIN, (ROUND_THE_CLOCK,) * 7)
    autumn = datetime(2026, 10, 25, tzinfo=BERLIN)
    assert always.between(autumn, datetime(2026, 10, 26, tzinfo=BERLIN)) == 25 * HOUR


@pytest.mark.rule("SLA-9")
def test_overlapping_pauses_across_a_weekend_count_once() -> None:
    friday, monday = shanghai(2026, 9, 18, 16), shanghai(2026, 9, 21, 10)
    twice = (calendar.Span(friday, monday), calendar.Span(friday + HOUR, monday))
    assert OFFICE.after(shanghai(2026, 9, 18, 15), 2 * HOUR, twice) == shanghai(2026, 9, 21, 11)


def test_every_day_is_explained() -> None:
    start, due = shanghai(2026, 9, 30, 17), shanghai(2026, 10, 8, 18)
    shares = OFFICE.explain(start, due)
    assert [share.kind for share in shares] == ["working day", *["National Day"] * 7, "working day"]
    assert sum((share.counted for share in shares), timedelta()) == 9 * HOUR


def test_a_calendar_without_working_time_is_refused() -> None:
    with pytest.raises(calendar.NoWorkingTime, match="no day of the week"):
        calendar.Calendar(SHANGHAI, ((),) * 7)


def test_a_calendar_whose_days_are_all_taken_away_is_refused_in_the_end() -> None:
    closed = {date(2026, 1, 1) + timedelta(days=n): calendar.SpecialDay((), "closed") for n in range(800)}
    with pytest.raises(calendar.NoWorkingTime, match="no working day"):
        calendar.Calendar(SHANGHAI, (WITH_LUNCH,) * 7, closed).after(shanghai(2026, 1, 1, 9), HOUR)


@pytest.mark.parametrize(
    "hours",
    [
        pytest.param((calendar.Hours(time(9), time(12)), calendar.Hours(time(11), time(18))), id="overlap"),
        pytest.param((calendar.Hours(time(18), time(9)),), id="backwards"),
        pytest.param(
            (calendar.Hours(time(9), time()), calendar.Hours(time(10), time(11))), id="past midnight"
        ),
    ],
)
def test_hours_that_contradict_each_other_are_refused(hours: tuple[calendar.Hours, ...]) -> None:
    with pytest.raises(ValueError, match="working hours"):
        calendar.Calendar(SHANGHAI, (hours,) * 7)


FIRST = datetime(2026, 9, 1, tzinfo=UTC)
moments = st.integers(0, 60 * 24 * 60).map(lambda minutes: FIRST + minutes * MINUTE)
pauses = st.lists(
    st.tuples(moments, st.integers(1, 5000)).map(lambda p: calendar.Span(p[0], p[0] + p[1] * MINUTE)),
    max_size=3,
)


@given(start=moments, minutes=st.integers(1, 3000), waits=pauses)
def test_working_time_is_what_a_count_of_minutes_gives(
    start: datetime, minutes: int, waits: list[calendar.Span]
) -> None:
    due = OFFICE.after(start, minutes * MINUTE, waits)
    assert OFFICE.between(start, due, waits) == minutes * MINUTE
    assert counted_minute_by_minute(start, due, waits) == minutes


@given(start=moments, days=st.integers(1, 9), waits=pauses)
def test_pauses_put_days_off_by_the_working_time_they_took(
    start: datetime, days: int, waits: list[calendar.Span]
) -> None:
    due, unpaused = OFFICE.after_days(start, days, waits), OFFICE.after_days(start, days)
    assert due >= unpaused
    assert OFFICE.between(start, due, waits) == OFFICE.between(start, unpaused)


@given(start=moments, minutes=st.integers(0, 3000), waits=pauses)
def test_time_on_the_clock_is_what_a_count_of_minutes_gives(
    start: datetime, minutes: int, waits: list[calendar.Span]
) -> None:
    end = calendar.elapsed(start, minutes * MINUTE, waits)
    instants = (start + n * MINUTE for n in range(int((end - start) / MINUTE)))
    assert sum(not any(wait.start <= at < wait.end for wait in waits) for at in instants) == minutes


def counted_minute_by_minute(start: datetime, end: datetime, waits: list[calendar.Span]) -> int:
    minutes = int((end - start) / MINUTE)
    return sum(works_at(moment, waits) for moment in (start + n * MINUTE for n in range(minutes)))


def works_at(moment: datetime, waits: list[calendar.Span]) -> bool:
    local = moment.astimezone(SHANGHAI)
    special = OFFICE.special.get(local.date())
    hours = special.hours if special else OFFICE.week[local.weekday()]
    at_work = any(stretch.start <= local.time() < stretch.end for stretch in hours)
    return at_work and not any(wait.start <= moment < wait.end for wait in waits)
