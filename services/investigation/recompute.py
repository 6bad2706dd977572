"""Step 4, recompute: a policy that came into force moves what is owed here (SLA-2, trap 7).

That is what units and suppliers owe, and the finding where its time was reckoned here: what an escalation
gave, a further round, an incident, or what had stood still. Where the assignment gave it, it follows that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from libs.events.contracts.handling import Step
from libs.events.contracts.reckoning import Reckoning
from libs.events.contracts.term import DeadlinesRecomputed, MovedDue
from libs.policy import recomputation
from libs.policy.calendar import Span
from libs.policy.pack import Pack
from libs.policy.recomputation import Running
from libs.policy.schema.deadlines import Errand
from services.investigation.state import (
    CONTRIBUTION,
    FINDING,
    SUPPLIER,
    File,
    Found,
    Investigating,
    Investigation,
    Joined,
    NotOpened,
    Stopped,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadlines:
    """The policy that is in force, which may have another calendar or other times than the one before."""

    policy: Pack
    now: datetime


def decide(command: RecomputeDeadlines, investigation: Investigation) -> list[DeadlinesRecomputed]:
    """Of what is still owed, and of what was done late; once it lies where the policy has it, of nothing."""
    match investigation:
        case Investigating(file) | Joined(file):
            units = _contributions(command, file)
            return _told(file, (*_finding(command, file), *units, *_suppliers(command, file)), command)
        case Found(file) | Stopped(file):
            return _told(file, tuple(_suppliers(command, file)), command)
        case NotOpened():
            return []
        case _:
            assert_never(investigation)


def _told(file: File, moved: tuple[MovedDue, ...], command: RecomputeDeadlines) -> list[DeadlinesRecomputed]:
    if not moved:
        return []
    return [
        DeadlinesRecomputed(
            complaint_id=file.complaint_id,
            moved=moved,
            ground=command.policy.ground(),
            recomputed_at=command.now,
        )
    ]


def _finding(command: RecomputeDeadlines, file: File) -> Iterator[MovedDue]:
    """Of an incident for whatever joins it later; its complaints move as it does, for theirs is the same."""
    term = file.term
    if term.reckoned is not None:
        yield from _moved(command, FINDING, _running(Step.INVESTIGATE, term.reckoned, term.due_at))


def _contributions(command: RecomputeDeadlines, file: File) -> Iterator[MovedDue]:
    given = {each.unit: each.given_at for each in reversed(file.contributions)}  # the first of each
    for duty in file.duties:
        since, severity = file.asked[duty.unit]
        reckoned, at = Reckoning(since=since, severity=severity), given.get(duty.unit)
        if at is None or duty.unit in file.overdue_units:
            what = _running(Errand.CONTRIBUTION, reckoned, duty.due_at, at)
            yield from _moved(command, f"{CONTRIBUTION}/{duty.unit}", what)


def _suppliers(command: RecomputeDeadlines, file: File) -> Iterator[MovedDue]:
    """A date that a person set is theirs."""
    for notice in file.notices:
        notified = notice.notified
        if notified.reckoned is not None and (not notice.solved or notice.overdue):
            what = _running(Errand.SUPPLIER, notified.reckoned, notified.due_at, notice.solved_at)
            yield from _moved(command, f"{SUPPLIER}/{notified.notice}", what)


def _running(
    what: Step | Errand, reckoned: Reckoning, due_at: datetime, ended_at: datetime | None = None
) -> Running:
    return Running(
        what=what,
        severity=reckoned.severity,
        started_at=reckoned.since,
        due_at=due_at,
        ended_at=ended_at,
        pauses=tuple(Span(pause.since, pause.until) for pause in reckoned.pauses),
    )


def _moved(command: RecomputeDeadlines, about: str, what: Running) -> Iterator[MovedDue]:
    running = what.ended_at is None
    return recomputation.told(command.policy, Step.INVESTIGATE, what, command.now, about, running=running)
