"""Deadlines by policy: when something is due, when its person is warned, and the sum day by day (SLA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from libs.events.contracts.handling import Ground, Severity, Step, StepDue
from libs.events.contracts.values import Language
from libs.policy import calendar, wording
from libs.policy.calendar import DayShare, Span
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from libs.policy.schema.part import Allowance, Counted

LATER_STEPS: Final = (Step.INVESTIGATE, Step.PROPOSE, Step.NOTIFY, Step.PENALIZE, Step.IMPROVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When `what` is due and warned of (UTC), the time allowed as the pack writes it, and the clause."""

    what: Step | Errand
    due_at: datetime
    warn_at: datetime
    allowed: str
    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A deadline day by day; `working` of `elapsed` was working time, `paused` did not count (trap 9)."""

    due: Due
    days: tuple[DayShare, ...]
    elapsed: timedelta
    working: timedelta
    paused: timedelta
    sentences: tuple[str, ...]


def due(
    pack: Pack,
    what: Step | Errand,
    severity: Severity,
    start: datetime,
    pauses: Sequence[Span] = (),
) -> Due:
    """The deadline of an errand, or a step other than recording, whose time began at `start` (aware).

    `pauses`: while the customer was waited for (SLA-9); one that still lasts ends at the present.
    """
    deadline = pack.deadlines.of(what)
    time = deadline.allowed(severity)
    spans = pauses if deadline.pausable else ()
    due_at = _end(pack.calendar, time, start, spans)
    return Due(
        what=what,
        due_at=due_at,
        warn_at=_warning(pack, time, start, due_at, spans),
        allowed=str(time),
        ground=pack.ground(deadline.clause),
    )


def pause(pack: Pack, since: datetime, answered_at: datetime | None = None) -> Span:
    """The time that does not count while the customer, asked `since`, is waited for (SLA-9).

    It ends with the answer, at the latest when the policy waits no longer: no deadline rests for ever.
    """
    waiting = pack.deadlines.waiting
    until = _end(pack.calendar, waiting.at_most, since, ()) if waiting else since
    return Span(since, until if answered_at is None else max(since, min(answered_at, until)))


def all_due(
    pack: Pack, severity: Severity, assigned_at: datetime, pauses: Sequence[Span] = ()
) -> tuple[StepDue, ...]:
    """Assignment fixes the due time of every later step (ASG-7)."""
    found = (due(pack, step, severity, assigned_at, pauses) for step in LATER_STEPS)
    return tuple(
        StepDue(step=step, due_at=each.due_at, warn_at=each.warn_at)
        for step, each in zip(LATER_STEPS, found, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """How long something took: on the clock, in working time without pauses, and what pauses took of that."""

    elapsed: timedelta
    working: timedelta
    paused: timedelta


def spent(pack: Pack, start: datetime, end: datetime, pauses: Sequence[Span] = ()) -> Spent:
    """Both reckonings of the time from `start` to `end`."""
    working = pack.calendar.between(start, end, pauses)
    return Spent(elapsed=end - start, working=working, paused=pack.calendar.between(start, end) - working)


def first_reply(pack: Pack, recorded_at: datetime) -> StepDue:
    """When the customer must have heard from us: on the clock, whatever the day, never paused (SLA-1)."""
    within = pack.first_reply.within
    warned = within * float(pack.deadlines.warning_share)
    return StepDue(step=Step.NOTIFY, due_at=recorded_at + within, warn_at=recorded_at + warned)


def explain(
    pack: Pack,
    what: Step | Errand,
    severity: Severity,
    start: datetime,
    pauses: Sequence[Span] = (),
    language: Language = Language.CHINESE,
) -> Explanation:
    """The same deadline as `due`, with every day it counted and why (trap 9)."""
    found = due(pack, what, severity, start, pauses)
    deadline = pack.deadlines.of(what)
    time, spans = deadline.allowed(severity), pauses if deadline.pausable else ()
    counting = pack.calendar if _counts_work(time) else calendar.around_the_clock(pack.calendar.zone)
    days = tuple(counting.explain(start, found.due_at, spans))
    counted = sum((share.counted for share in days), timedelta())
    return Explanation(
        due=found,
        days=days,
        elapsed=found.due_at - start,
        working=pack.calendar.between(start, found.due_at, spans),
        paused=counting.between(start, found.due_at) - counted,
        sentences=(
            wording.due_in_words(pack, deadline.clause, time, start, found.due_at, language),
            *wording.days_in_words(pack, days, language),
        ),
    )


def _end(working: calendar.Calendar, time: Allowance, start: datetime, pauses: Sequence[Span]) -> datetime:
    match time.counted:
        case Counted.ELAPSED_MINUTES:
            return calendar.elapsed(start, timedelta(minutes=time.count), pauses)
        case Counted.ELAPSED_HOURS:
            return calendar.elapsed(start, timedelta(hours=time.count), pauses)
        case Counted.WORKING_HOURS:
            return working.after(start, timedelta(hours=time.count), pauses)
        case Counted.WORKING_DAYS:
            return working.after_days(start, time.count, pauses)
        case _:
            assert_never(time.counted)


def _warning(
    pack: Pack, time: Allowance, start: datetime, due_at: datetime, pauses: Sequence[Span]
) -> datetime:
    """When the pack's share of the time that counts has passed (SLA-4)."""
    share = float(pack.deadlines.warning_share)
    if _counts_work(time):
        worked = pack.calendar.between(start, due_at, pauses)
        return pack.calendar.after(start, worked * share, pauses)
    hours = 1 if time.counted is Counted.ELAPSED_HOURS else 1 / 60
    return calendar.elapsed(start, timedelta(hours=time.count * hours * share), pauses)


def _counts_work(time: Allowance) -> bool:
    return time.counted in (Counted.WORKING_HOURS, Counted.WORKING_DAYS)
