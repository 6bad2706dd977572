"""Step 2, wait: while the customer, who was asked, owes details, the time to judge stands still (SLA-9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import term as events
from libs.events.contracts.handling import Ground, StepDue
from libs.policy.calendar import Span
from services.intake.state import (
    Assigned,
    Complaint,
    Enquired,
    Founded,
    Merged,
    NotRecorded,
    Open,
    Recorded,
    Unfounded,
    Withdrawn,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopClock:
    """The customer was asked by that notice and is waited for; `due` is where that moves what runs.

    Each notice asks for what was not asked for before, so each has its own time.
    """

    complaint_id: UUID
    notice_id: UUID
    waiting: Span
    due: tuple[StepDue, ...]
    ground: Ground
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeClock:
    """All that was asked for is on record since `answered_at`; `due` is where that moves what runs."""

    complaint_id: UUID
    answered_at: datetime
    due: tuple[StepDue, ...]
    ground: Ground
    now: datetime


def decide(
    command: StopClock | ResumeClock, complaint: Complaint
) -> list[events.ClockStopped | events.ClockResumed]:
    """Only an open judgement waits for details; only the answer to all that was asked ends the wait."""
    match command:
        case StopClock():
            return [*_stop(command, complaint)]
        case ResumeClock():
            return [*_resume(command, complaint)]
        case _:
            assert_never(command)


def _stop(command: StopClock, complaint: Complaint) -> list[events.ClockStopped]:
    match complaint:
        case Recorded(record):
            handling = record.handling
            asked = {notice_id for notice_id, _ in handling.stops}
            waits = command.waiting.end > command.waiting.start  # which is for the policy to say
            if not waits or not record.missing_details or command.notice_id in asked:
                return []  # the answer was faster, or this was heard before
            return [
                events.ClockStopped(
                    complaint_id=record.complaint_id,
                    awaited=events.Awaited.DETAILS,
                    notice_id=command.notice_id,
                    since=command.waiting.start,
                    until=command.waiting.end,
                    due=command.due,
                    ground=command.ground,
                    stopped_at=command.now,
                )
            ]
        case Enquired() | Unfounded() | Founded() | Assigned() | Withdrawn() | Merged():
            return []  # no judgement is owed, so none waits
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)


def _resume(command: ResumeClock, complaint: Complaint) -> list[events.ClockResumed]:
    match complaint:
        case Open(record):
            handling = record.handling
            if not handling.stopped or handling.awaited:
                return []  # what is missing but was not asked for yet is for us to ask
            first = handling.stopped[0]
            return [
                events.ClockResumed(
                    complaint_id=record.complaint_id,
                    awaited=first.awaited,
                    since=first.since,
                    answered_at=command.answered_at,
                    due=command.due,
                    ground=command.ground,
                    resumed_at=command.now,
                )
            ]
        case Withdrawn() | Merged():
            return []
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)
