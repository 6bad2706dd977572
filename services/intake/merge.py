"""Step 1, merge and separate: a person says that two complaints are one, or are not after all (REC-9).

The later complaint is always merged into the earlier one. So the one that carries on has the first contact,
its history and its clocks as they were, and no chain of merges can close to a ring, whoever races whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import intake as events
from services.intake import state
from services.intake.state import Complaint, Merged, NotRecorded, Open, Record, Withdrawn


class NotTheEarlier(errors.Refused):
    """Only into an earlier complaint can one be merged: merge the two the other way round."""

    code = "not_the_earlier"


class NotLinked(errors.Refused):
    """Only what was merged, or is suspected to be the same, can be separated; these two are neither."""

    code = "not_linked"


class NotOpen(errors.Refused):
    """The complaint to merge into is not open, so it cannot carry on for both: name an open one instead."""

    code = "not_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeComplaint:
    """The complaint to merge `into`, as it was just found.

    `own_cause`: the author is complained of, or below whom is. `closed`: this one has ended already (ASG-4).
    """

    complaint_id: UUID
    into: Complaint
    author: str
    reason: str
    own_cause: bool = False
    closed: bool = False
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateComplaint:
    """The complaint that this one is not the same as."""

    complaint_id: UUID
    separated_from: UUID
    author: str
    reason: str
    now: datetime


def decide(command: MergeComplaint | SeparateComplaint, complaint: Complaint) -> list[events.Event]:
    """Merging is of open complaints; separating is possible at any time."""
    match command:
        case MergeComplaint():
            return _merge(command, complaint)
        case SeparateComplaint():
            return _separate(command, complaint)
        case _:
            assert_never(command)


def _merge(command: MergeComplaint, complaint: Complaint) -> list[events.Event]:
    match complaint:
        case Open(record):
            state.may_end(own_cause=command.own_cause, closed=command.closed)
            return [
                events.ComplaintMerged(
                    complaint_id=record.complaint_id,
                    data_subject=record.data_subject,
                    merged_into=_survivor(command.into, record),
                    merged_at=command.now,
                    author=command.author,
                    reason=command.reason,
                )
            ]
        case Merged(into=other):
            if isinstance(command.into, NotRecorded) or command.into.record.complaint_id != other:
                raise state.AlreadyMerged(merged_into=str(other))
            return []  # said before
        case Withdrawn():
            raise state.AlreadyWithdrawn
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)


def _survivor(into: Complaint, record: Record) -> UUID:
    match into:
        case Open(other):
            if _first_contact(other) >= _first_contact(record):
                raise NotTheEarlier
            return other.complaint_id
        case Merged(into=further):
            raise NotOpen(merged_into=str(further))
        case Withdrawn():
            raise NotOpen
        case NotRecorded():
            raise errors.NotFound("There is no such complaint to merge into.")
        case _:
            assert_never(into)


def _first_contact(record: Record) -> tuple[datetime, UUID]:
    """A total order, so of two complaints exactly one is the earlier."""
    return record.received_at, record.complaint_id


def _separate(command: SeparateComplaint, complaint: Complaint) -> list[events.Event]:
    match complaint:
        case Merged(record, into):
            if into != command.separated_from:
                raise NotLinked(merged_into=str(into))
            return [_separated(command, record)]
        case Open(record) | Withdrawn(record):
            if command.separated_from in record.separated:
                return []  # said before
            if command.separated_from not in record.suspected:
                raise NotLinked
            return [_separated(command, record)]
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)


def _separated(command: SeparateComplaint, record: Record) -> events.ComplaintSeparated:
    return events.ComplaintSeparated(
        complaint_id=record.complaint_id,
        data_subject=record.data_subject,
        separated_from=command.separated_from,
        separated_at=command.now,
        author=command.author,
        reason=command.reason,
    )
