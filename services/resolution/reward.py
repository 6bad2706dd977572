"""Step 7, reward: good handling is recorded in the same way as what was not (PEN-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events import errors
from libs.events.contracts.handling import Ground
from libs.events.contracts.penalize import RewardGranted
from libs.events.contracts.values import Money
from services.resolution import state
from services.resolution.state import Case


class OwnReward(errors.Refused):
    """Nobody rewards themselves: another person must."""

    code = "own_reward"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantReward:
    """For whom, why, and how much where it is money."""

    complaint_id: UUID
    data_subject: str
    person: str
    unit: str
    amount: Money | None
    reason: str
    author: str
    under: frozenset[str]  # everybody the author answers to
    about: str | None  # the person complained of
    ground: Ground
    now: datetime


def decide(command: GrantReward, case: Case) -> list[RewardGranted]:
    """A person is rewarded once for the same reason; the customer may thank after the complaint closed."""
    if case.handling is None:
        raise state.NotYetAssigned
    if command.author == command.person:
        raise OwnReward
    state.judge_in_own_cause(command.about, command.author, command.under)
    if any((each.person, each.reason) == (command.person, command.reason) for each in case.rewards):
        return []
    return [
        RewardGranted(
            complaint_id=command.complaint_id,
            data_subject=command.data_subject,
            person=command.person,
            unit=command.unit,
            amount=command.amount,
            reason=command.reason,
            granted_by=command.author,
            granted_at=command.now,
            ground=command.ground,
        )
    ]
