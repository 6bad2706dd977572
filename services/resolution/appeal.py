"""Step 7, appeal: the person who was sanctioned states their case and appeals (PEN-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import penalize as events
from libs.events.contracts.handling import Answerable, StepDue
from services.resolution import state
from services.resolution.sanctioned import Sanction
from services.resolution.state import Case


class NotYours(errors.Refused):
    """Only the person who was sanctioned can state their case or appeal."""

    code = "not_yours"


class AppealedBefore(errors.Refused):
    """This sanction was appealed before; an appeal is decided once."""

    code = "appealed_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCase:
    """The person's own words."""

    complaint_id: UUID
    sanction: int
    text: str
    author: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealSanction(StateCase):
    """The person's own words, and which judge decides by when."""

    judge: Answerable
    due: StepDue


Command = StateCase | AppealSanction
Event = events.CaseStated | events.SanctionAppealed


def decide(command: Command, case: Case) -> list[Event]:
    """A sanction can be appealed after its complaint has closed, too."""
    sanction = state.sanction(case, command.sanction)
    if command.author != sanction.imposed.person:
        raise NotYours
    match command:
        case AppealSanction():
            return _appeal(command, sanction)
        case StateCase():
            return _state(command, sanction)
        case _:
            assert_never(command)


def own_words(person: str) -> str:
    """The data subject under whose key a member of staff's own words are sealed."""
    return f"staff:{person}"


def _state(command: StateCase, sanction: Sanction) -> list[Event]:
    if any(said.text == command.text for said in sanction.stated):
        return []
    return [
        events.CaseStated(
            complaint_id=command.complaint_id,
            data_subject=own_words(command.author),
            sanction=command.sanction,
            text=command.text,
            stated_at=command.now,
        )
    ]


def _appeal(command: AppealSanction, sanction: Sanction) -> list[Event]:
    if sanction.appealed:
        if sanction.appealed.text == command.text:
            return []
        raise AppealedBefore
    return [
        events.SanctionAppealed(
            complaint_id=command.complaint_id,
            data_subject=own_words(command.author),
            sanction=command.sanction,
            text=command.text,
            judge=command.judge,
            due=command.due,
            appealed_at=command.now,
        )
    ]
