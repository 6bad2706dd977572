"""Which responsibility a decision is about, and who may not make it (PEN-1, PEN-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.events import errors
from libs.events.contracts.penalize import Charge, ResponsibilityRaised
from services.resolution import state
from services.resolution.state import Case, Settlement


class NothingToAnswerFor(errors.Refused):
    """Nothing verified rests on this person: a finding or a missed deadline must name them first."""

    code = "nothing_to_answer_for"


class AlreadySettled(errors.Refused):
    """This responsibility was decided before; the person can appeal a sanction."""

    code = "already_settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """Whose responsibility is decided, by whom and why; `rests_on` where a person has several of a charge.

    `about`: the person complained of.
    """

    complaint_id: UUID
    data_subject: str
    person: str
    charge: Charge
    rests_on: UUID | None
    reason: str
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: str | None
    now: datetime


def undecided(command: Deciding, case: Case) -> ResponsibilityRaised | Settlement:
    """The oldest one that is undecided; else how the last was settled. Nobody decides about a superior,
    nor in a complaint about one.
    """
    mine = [each for each in case.raised if _meant(command, each)]
    if not mine:
        raise NothingToAnswerFor
    if command.person in {command.author, *command.under}:
        raise state.JudgeInOwnCause
    state.judge_in_own_cause(command.about, command.author, command.under)
    for each in case.unsettled:
        if _meant(command, each):
            return each
    return next(each for each in reversed(case.settlements) if _meant(command, each))


def said_of(command: Deciding, raised: ResponsibilityRaised, case: Case) -> dict[str, Any]:
    """What every settlement says."""
    return {
        "complaint_id": command.complaint_id,
        "data_subject": command.data_subject,
        "person": raised.person,
        "unit": raised.unit,
        "charge": raised.charge,
        "rests_on": raised.rests_on,
        "reason": command.reason,
        "complete": len(case.unsettled) == 1,
    }


def _meant(command: Deciding, of: ResponsibilityRaised | Settlement) -> bool:
    person, charge, rests_on = state.place(of)
    return (person, charge) == (command.person, command.charge) and command.rests_on in (None, rests_on)
