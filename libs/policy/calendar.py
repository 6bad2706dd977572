"""Working time: hours with breaks, weekends, public holidays, make-up days, in one time zone (SLA-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = timedelta(days=1)
NO_TIME: Final = timedelta()
# What an explanation calls a day that has no name of its own.
WORKING_DAY: Final = "working day"
DAY_OFF: Final = "day off"
ON_THE_CLOCK: Final = "on the clock"
MIDNIGHT: Final = time()
# Beyond this many days without working time a calendar is taken for one that never works again.
IDLE_DAYS_MAX: Final = 400


class NoWorkingTime(ValueError):
    """The calendar has no working time left in which the deadline could fall."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of work within a day, by the clock on the wall; `end` 00:00 is the end of the day."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that differs from its weekday: a holiday (no hours), or a make-up working day (调休)."""

    hours: tuple[Hours, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Span:
    """From one instant to another, in UTC; `end` excluded."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class DayShare:
    """One line of an explanation: a calendar day, what it is, and the working time it contributed.

    `announced` False: the public holidays of its year are not known yet.
    """

    day: date
    kind: str
    counted: timedelta
    announced: bool = True


@dataclass(frozen=True)
class Calendar:
    """When an organisation works. `week` has seven entries, Monday first; `special` overrides single days."""

    zone: ZoneInfo
    week: tuple[tuple[Hours, ...], ...]
    special: Mapping[date, SpecialDay] = field(default_factory=dict)
    unknown_from: date | None = None  # from here on, public holidays have not been announced
    ordinary: str = WORKING_DAY  # what an explanation calls a day with its usual hours
    _spans: dict[date, tuple[Span, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _totals: dict[date, timedelta] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a week that is not one, overlapping hours, and a week in which nobody ever works."""
        if len(self.week) != 7:
            raise ValueError(f"a week has seven days, not {len(self.week)}")
        for hours in (*self.week, *(day.hours for day in self.special.values())):
            _check(hours)
        if not any(self.week):
            raise NoWorkingTime("no day of the week has working hours")

    def spans(self, day: date) -> tuple[Span, ...]:
        """The working time of one local day, as instants, in order."""
        known = self._spans.get(day)
        if known is None:
            special = self.special.get(day)
            hours = special.hours if special else self.week[day.weekday()]
            known = self._spans[day] = tuple(self._instants(day, stretch) for stretch in hours)
        return known

    def working_days(self, start: datetime) -> Iterator[date]:
        """The local days with working time, from the day of `start` on."""
        day, idle = start.astimezone(self.zone).date(), 0
        while idle < IDLE_DAYS_MAX:
            if self.spans(day):
                yield day
                idle = 0
            else:
                idle += 1
            day += DAY
        raise NoWorkingTime(f"no working day in the {IDLE_DAYS_MAX} days before {day}")

    def after(self, start: datetime, working: timedelta, pauses: Sequence[Span] = ()) -> datetime:
        """The instant by which `working` time has passed since `start`, pauses left out (SLA-9)."""
        return _pushed(self._after(start, working), start, pauses, self.between, self._after)

    def after_days(self, start: datetime, days: int, pauses: Sequence[Span] = ()) -> datetime:
        """The close of business of the `days`-th working day after the day of `start`.

        Working time lost to pauses until then is added after it.
        """
        due = self._close_of(start, days)
        if not pauses:
            return due
        lost = self.between(start, due) - self.between(start, due, pauses)
        return self.after(due, lost, pauses) if lost else due

    def between(self, start: datetime, end: datetime, pauses: Sequence[Span] = ()) -> timedelta:
        """The working time from `start` to `end`, pauses left out; zero when `end` is not after `start`."""
        if pauses:
            return sum((share.counted for share in self.explain(start, end, pauses)), NO_TIME)
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        if day >= last:
            return self._within(day, start, end)
        total = self._within(day, start, end) + self._within(last, start, end)
        while (day := day + DAY) < last:
            total += self._worked(day)
        return total

    def explain(self, start: datetime, end: datetime, pauses: Sequence[Span] = ()) -> list[DayShare]:
        """Day by day, what of the time from `start` to `end` was working time, and why."""
        shares: list[DayShare] = []
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        while day <= last:
            spans = (
                Span(s.start, min(s.end, end)) for s in _open(self.spans(day), start, pauses) if s.start < end
            )
            counted = sum((span.end - span.start for span in spans), NO_TIME)
            announced = self.unknown_from is None or day < self.unknown_from
            shares.append(DayShare(day, self.kind(day), counted, announced))
            day += DAY
        return shares

    def kind(self, day: date) -> str:
        """What a day is, for people: its special name, `ordinary` or "day off"."""
        special = self.special.get(day)
        if special:
            return special.name
        return self.ordinary if self.week[day.weekday()] else DAY_OFF

    def _after(self, start: datetime, working: timedelta) -> datetime:
        left, first = working, start.astimezone(self.zone).date()
        for day in self.working_days(start):
            if day != first and left > (whole := self._worked(day)):
                left -= whole
                continue
            for span in self.spans(day):
                if span.end > start:
                    begins = max(span.start, start)
                    if left <= span.end - begins:
                        return begins + left
                    left -= span.end - begins
        raise AssertionError("unreachable: working_days ends by raising")

    def _worked(self, day: date) -> timedelta:
        """The working time of a whole day."""
        known = self._totals.get(day)
        if known is None:
            known = sum((span.end - span.start for span in self.spans(day)), NO_TIME)
            self._totals[day] = known
        return known

    def _within(self, day: date, start: datetime, end: datetime) -> timedelta:
        """The working time of the part of a day that lies between two instants."""
        spans = self.spans(day)
        return sum((max(min(span.end, end) - max(span.start, start), NO_TIME) for span in spans), NO_TIME)

    def _close_of(self, start: datetime, days: int) -> datetime:
        first = start.astimezone(self.zone).date()
        following = (day for day in self.working_days(start) if day > first)
        for count, day in enumerate(following, start=1):
            if count == days:
                return self.spans(day)[-1].end
        raise AssertionError("unreachable: working_days ends by raising")

    def _instants(self, day: date, hours: Hours) -> Span:
        last = day + DAY if hours.end == MIDNIGHT else day
        start = datetime.combine(day, hours.start, self.zone).astimezone(UTC)
        return Span(start, datetime.combine(last, hours.end, self.zone).astimezone(UTC))


def elapsed(start: datetime, time: timedelta, pauses: Sequence[Span] = ()) -> datetime:
    """The instant by which `time` has passed on the clock since `start`, pauses left out (SLA-9)."""
    return _pushed(
        start + time, start, pauses, lambda begins, ends: ends - begins, lambda at, lost: at + lost
    )


def _pushed(
    end: datetime,
    start: datetime,
    pauses: Sequence[Span],
    between: Callable[[datetime, datetime], timedelta],
    after: Callable[[datetime, timedelta], datetime],
) -> datetime:
    """Where `end` moves to when the time of pauses since `start` does not count; each instant counts once."""
    reached = start
    for pause in sorted(pauses, key=lambda span: span.start):
        begins = max(pause.start, reached)
        if begins >= end:
            break
        if pause.end > begins:
            if lost := between(begins, pause.end):
                end = after(end, lost)
            reached = pause.end
    return end


@lru_cache(maxsize=8)
def around_the_clock(zone: ZoneInfo) -> Calendar:
    """A calendar in which all time counts, to explain deadlines that run on the clock."""
    return Calendar(zone, ((Hours(MIDNIGHT, MIDNIGHT),),) * 7, ordinary=ON_THE_CLOCK)


def _check(hours: tuple[Hours, ...]) -> None:
    """Hours of one day are in order and do not overlap."""
    clock = MIDNIGHT
    for index, stretch in enumerate(hours):
        ends_at_midnight = stretch.end == MIDNIGHT
        if stretch.start < clock or (stretch.end <= stretch.start and not ends_at_midnight):
            raise ValueError(f"working hours from {stretch.start:%H:%M} overlap or run backwards")
        if ends_at_midnight and index < len(hours) - 1:
            raise ValueError("working hours go on after midnight")
        clock = stretch.end


def _open(spans: Iterable[Span], start: datetime, pauses: Sequence[Span]) -> Iterator[Span]:
    """What is left of `spans` after `start` and outside all pauses; overlapping pauses count once."""
    for span in spans:
        if span.end <= start:
            continue
        pieces = [Span(max(span.start, start), span.end)]
        for pause in pauses:
            pieces = [piece for whole in pieces for piece in _without(whole, pause)]
        yield from pieces


def _without(span: Span, pause: Span) -> Iterator[Span]:
    if pause.end <= span.start or pause.start >= span.end:
        yield span
        return
    if span.start < pause.start:
        yield Span(span.start, pause.start)
    if pause.end < span.end:
        yield Span(pause.end, span.end)
