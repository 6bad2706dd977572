"""Step 4, supplier: a written notice of what a supplier has to solve, tracked until it has (INV-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import investigate as events
from libs.events.contracts.reckoning import Reckoning
from libs.events.contracts.values import Money
from services.investigation import state
from services.investigation.state import (
    File,
    Found,
    Investigating,
    Investigation,
    Joined,
    NotOpened,
    Stopped,
)


class SupplierNotNotified(errors.Refused):
    """No notice has this number: notify the supplier first."""

    code = "supplier_not_notified"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySupplier:
    """What is wrong with what, how many, where; whom to ask; by when to solve it, and the cost it owes.

    `reckoned` is None where the person who says so set the date.
    """

    complaint_id: UUID | None
    data_subject: str
    supplier: str
    problem: str
    model: str
    quantity: int
    place: str
    contact: str
    phone: str
    cost: Money
    due_at: datetime
    reckoned: Reckoning | None
    author: str
    under: frozenset[str]  # everybody the author answers to
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleNotice:
    """The supplier has solved what notice number `notice` asked for."""

    complaint_id: UUID | None
    notice: int
    author: str
    under: frozenset[str]  # everybody the author answers to
    now: datetime


def decide(command: NotifySupplier | SettleNotice, investigation: Investigation) -> list[events.Event]:
    """Whether a supplier owes something may turn out with the finding, and lasts beyond it."""
    match investigation:
        case Investigating(file) | Found(file):
            return _notify(command, file) if isinstance(command, NotifySupplier) else _settle(command, file)
        case Stopped(file, why):
            if isinstance(command, SettleNotice):
                return _settle(command, file)
            raise state.NothingToInvestigate(why=why)
        case NotOpened():
            raise state.NotYetAssigned
        case Joined(incident_id=incident):
            raise state.InvestigatedWithIncident(incident_id=str(incident))
        case _:
            assert_never(investigation)


def _notify(command: NotifySupplier, file: File) -> list[events.Event]:
    state.judge_in_own_cause(file, command.author, command.under)
    for open_notice in (each.notified for each in file.notices if not each.solved):
        asked = (open_notice.supplier, open_notice.problem, open_notice.model)
        if asked == (command.supplier, command.problem, command.model):
            return []  # said before, and not solved yet
    return [
        events.SupplierNotified(
            investigation_id=file.investigation_id,
            complaint_id=command.complaint_id,
            data_subject=command.data_subject,
            notice=len(file.notices) + 1,
            supplier=command.supplier,
            problem=command.problem,
            model=command.model,
            quantity=command.quantity,
            place=command.place,
            contact=command.contact,
            phone=command.phone,
            cost=command.cost,
            due_at=command.due_at,
            reckoned=command.reckoned,
            author=command.author,
            notified_at=command.now,
        )
    ]


def _settle(command: SettleNotice, file: File) -> list[events.Event]:
    state.judge_in_own_cause(file, command.author, command.under)
    if not 1 <= command.notice <= len(file.notices):
        raise SupplierNotNotified(notice=command.notice)
    if file.notices[command.notice - 1].solved:
        return []  # said before
    return [
        events.SupplierSolved(
            investigation_id=file.investigation_id,
            complaint_id=command.complaint_id,
            notice=command.notice,
            author=command.author,
            solved_at=command.now,
        )
    ]
