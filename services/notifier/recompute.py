"""Step 6, recompute: a policy that came into force moves by when a notice has to arrive (SLA-2, trap 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from libs.events.contracts.handling import Ground, Step, StepDue
from libs.events.contracts.term import DeadlinesRecomputed
from libs.policy import recomputation
from services.notifier.state import Arrived, HandedOver, LeftToPerson, Notice, NotWritten, Sending
from services.notifier.term import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeArrival:
    """By when the policy in force has it arrive, counted from what it tells of."""

    due: Term
    ground: Ground
    now: datetime


def decide(command: RecomputeArrival, notice: Notice) -> list[DeadlinesRecomputed]:
    """Only of what has not arrived; a first reply is promised on the clock: no calendar moves it (SLA-1)."""
    match notice:
        case Sending(letter) | LeftToPerson(letter):
            if letter.term is None or letter.term.due_at == command.due.due_at:
                return []
            due = StepDue(step=Step.NOTIFY, due_at=command.due.due_at, warn_at=command.due.warn_at)
            before_at, about = letter.term.due_at, str(letter.notice_id)
            return [
                DeadlinesRecomputed(
                    complaint_id=letter.written.complaint_id,
                    moved=(recomputation.followed(due, before_at, command.now, about),),
                    ground=command.ground,
                    recomputed_at=command.now,
                )
            ]
        case NotWritten() | Arrived() | HandedOver():
            return []
        case _:
            assert_never(notice)
