"""The end, close: every step has its outcome on record; and reopen, when it turns out not to be over.

By itself, once nothing is missing: of a complaint that was upheld the outcome of all eight steps; of an
unfounded one record, judgement and reply; of one withdrawn or merged the record; of each, what anybody
answers for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import propose as events
from libs.events.contracts.handling import StepDue
from libs.events.contracts.propose import Outcome
from services.resolution import state
from services.resolution.state import Case


class NotYetClosed(errors.Refused):
    """The complaint is still open: what is missing of it must be done."""

    code = "not_yet_closed"


class CannotReopen(errors.Refused):
    """Only a resolved complaint is reopened; an unfounded one is contested, a merged one separated."""

    code = "cannot_reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseComplaint:
    """Its outcome says that nothing is missing of round `round`, and how it ended."""

    complaint_id: UUID
    round: int
    outcome: Outcome
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenComplaint:
    """Why it is not over. `after` is the outcome that this undoes; `due`: the new times of later steps.

    `about`: the person complained of; None where no person decides it, for it follows from another decision.
    """

    complaint_id: UUID
    data_subject: str
    after: Outcome
    reason: str
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: str | None
    due: tuple[StepDue, ...]
    now: datetime


Command = CloseComplaint | ReopenComplaint
Event = events.ComplaintClosed | events.ComplaintReopened


def decide(command: Command, case: Case) -> list[Event]:
    """A complaint closes once in each round."""
    match command:
        case CloseComplaint():
            return _close(command, case)
        case ReopenComplaint():
            return _reopen(command, case)
        case _:
            assert_never(command)


def _close(command: CloseComplaint, case: Case) -> list[Event]:
    if case.closed is not None or command.round != case.round:
        return []
    # The outcome was read before: what was raised against somebody since, or measured, is not over yet.
    if case.unsettled:
        return []
    return [
        events.ComplaintClosed(
            complaint_id=command.complaint_id, outcome=command.outcome, closed_at=command.now
        )
    ]


def _reopen(command: ReopenComplaint, case: Case) -> list[Event]:
    if case.closed is None:
        if case.reopened:
            return []  # it is open again
        raise NotYetClosed
    if case.closed.outcome is not command.after:
        raise CannotReopen(outcome=case.closed.outcome)
    state.judge_in_own_cause(command.about, command.author, command.under)
    return [
        events.ComplaintReopened(
            complaint_id=command.complaint_id,
            data_subject=command.data_subject,
            reason=command.reason,
            author=command.author,
            due=command.due,
            reopened_at=command.now,
        )
    ]
