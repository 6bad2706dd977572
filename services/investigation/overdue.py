"""Step 4, overdue: what the clock says of a late finding, contribution or supplier (SLA-3, INV-2, INV-5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from libs.events.contracts import investigate as events
from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Step
from libs.policy import escalation, people
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from services.investigation.state import (
    CONTRIBUTION,
    FINDING,
    SUPPLIER,
    Event,
    File,
    Found,
    Investigating,
    Investigation,
    Joined,
    NotOpened,
    Stopped,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDeadline:
    """It is `now`, and what is named here may have fallen due; `policy` says to whom that is escalated."""

    step: str
    policy: Pack
    now: datetime


def decide(command: PassDeadline, investigation: Investigation) -> list[Event]:
    """Each is said once, with the time it fell due, however late that is noticed."""
    match investigation:
        case Investigating(file) | Joined(file):
            return [*_finding(command, file), *_contributions(command, file), *_suppliers(command, file)]
        case Found(file) | Stopped(file):
            return list(_suppliers(command, file))  # a supplier owes on, whatever became of the rest
        case NotOpened():
            return []
        case _:
            assert_never(investigation)


def _finding(command: PassDeadline, file: File) -> Iterator[Event]:
    if command.step != FINDING or file.complaint_id is None:
        return  # an incident's complaints have clocks of their own
    term, ground = file.term, command.policy.ground(command.policy.deadlines.of(Step.INVESTIGATE).clause)
    if not term.warned and term.warn_at <= command.now:
        yield DeadlineWarned(
            complaint_id=file.complaint_id,
            step=Step.INVESTIGATE,
            due_at=term.due_at,
            warned_at=term.warn_at,
            owed_by=file.answerable,
            ground=ground,
        )
    if not term.missed and term.due_at <= command.now:
        escalated = _above(command, file, file.answerable, term.due_at)
        yield DeadlineMissed(
            complaint_id=file.complaint_id,
            step=Step.INVESTIGATE,
            due_at=term.due_at,
            missed_at=term.due_at,
            noticed_at=command.now,
            owed_by=file.answerable,
            escalated_to=escalated.to,
            ground=escalated.ground,
        )


def _contributions(command: PassDeadline, file: File) -> Iterator[Event]:
    for duty in file.owed:
        late = duty.due_at <= command.now and duty.unit not in file.overdue_units
        if late and command.step == f"{CONTRIBUTION}/{duty.unit}":
            on = command.policy.day_of(duty.due_at)
            owed_by = people.choose(command.policy, people.in_unit(command.policy, duty.unit), on).answerable
            escalated = _above(command, file, owed_by, duty.due_at)
            yield events.ContributionOverdue(
                investigation_id=file.investigation_id,
                complaint_id=file.complaint_id,
                unit=duty.unit,
                owed_by=owed_by,
                duty=duty.duty,
                due_at=duty.due_at,
                noticed_at=command.now,
                escalated_to=escalated.to,
                ground=command.policy.ground(command.policy.deadlines.of(Errand.CONTRIBUTION).clause),
            )


def _suppliers(command: PassDeadline, file: File) -> Iterator[Event]:
    for notice in file.notices:
        notified = notice.notified
        late = notified.due_at <= command.now and not (notice.solved or notice.overdue)
        if late and command.step == f"{SUPPLIER}/{notified.notice}":
            yield events.SupplierOverdue(
                investigation_id=file.investigation_id,
                complaint_id=notified.complaint_id,
                notice=notified.notice,
                supplier=notified.supplier,
                due_at=notified.due_at,
                noticed_at=command.now,
                escalated_to=_above(command, file, file.answerable, notified.due_at).to,
                ground=command.policy.ground(command.policy.deadlines.of(Errand.SUPPLIER).clause),
            )


def _above(command: PassDeadline, file: File, owed_by: Answerable, due_at: datetime) -> escalation.Escalated:
    return escalation.escalate(
        command.policy,
        EscalationCause.OVERDUE,
        command.policy.day_of(due_at),
        owed_by=owed_by,
        level=file.level if owed_by == file.answerable else 0,
        about=file.about,
    )
