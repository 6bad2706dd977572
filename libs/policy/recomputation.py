"""A calendar that changes late: which open deadlines move, and which past breaches with them (trap 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.events.contracts.handling import Severity, Step, StepDue
from libs.events.contracts.term import Breach, MovedDue
from libs.policy import deadlines
from libs.policy.calendar import Span
from libs.policy.deadlines import Due
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A deadline as it was fixed; `ended_at` when what it asked for was done, None while it is not."""

    what: Step | Errand
    severity: Severity
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    pauses: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A deadline that falls on another instant now, and what that does to a breach."""

    before: Running
    after: Due
    breach: Breach | None


def recompute(pack: Pack, running: Sequence[Running], now: datetime) -> tuple[Moved, ...]:
    """The deadlines that the pack's calendar gives another due time than they had, in the given order."""
    return tuple(_moved(pack, running, now))


def told(
    pack: Pack, step: Step, before: Running, now: datetime, about: str | None = None, *, running: bool = True
) -> Iterator[MovedDue]:
    """The same of one deadline of a step, as events tell it; nothing where it stays (see `MovedDue`)."""
    for found in recompute(pack, (before,), now):
        due = StepDue(step=step, due_at=found.after.due_at, warn_at=found.after.warn_at)
        yield MovedDue(due=due, before_at=before.due_at, breach=found.breach, running=running, about=about)


def followed(due: StepDue, before_at: datetime, now: datetime, about: str) -> MovedDue:
    """What is still owed, and moves as something else has moved."""
    breach = _breach(now >= before_at, now >= due.due_at)
    return MovedDue(due=due, before_at=before_at, breach=breach, running=True, about=about)


def _moved(pack: Pack, running: Sequence[Running], now: datetime) -> Iterator[Moved]:
    for before in running:
        after = deadlines.due(pack, before.what, before.severity, before.started_at, before.pauses)
        if after.due_at != before.due_at:
            ended = before.ended_at or now
            yield Moved(
                before=before, after=after, breach=_breach(ended >= before.due_at, ended >= after.due_at)
            )


def _breach(was_late: bool, is_late: bool) -> Breach | None:
    """In time is before the instant: at that, the clock says that it was missed (SLA-3)."""
    if was_late:
        return Breach.STANDS if is_late else Breach.LIFTED
    return Breach.ARISES if is_late else None
