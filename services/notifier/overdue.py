"""Step 6, overdue: a notice that has to be prompt and has not arrived in time (NTF-1, SLA-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Ground
from libs.events.contracts.notify import NoticeKind
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from services.notifier.state import Arrived, HandedOver, LeftToPerson, Notice, NotWritten, Sending
from services.notifier.term import Debtor, passed

# The notices that have to arrive within the policy's minutes, and the errand that gives the time.
PROMPT = {
    NoticeKind.SOLUTION: Errand.SOLUTION_NOTICE,
    NoticeKind.UNFOUNDED_REPLY: Errand.UNFOUNDED_REPLY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PassArrival:
    """It is `now`; the notice may be overdue, and `debtor` answers for the complaint that it is about."""

    debtor: Debtor
    policy: Pack
    now: datetime


def decide(command: PassArrival, notice: Notice) -> list[DeadlineWarned | DeadlineMissed]:
    """A notice left to a person runs on: nobody was told until somebody was (trap 13)."""
    match notice:
        case Sending(letter) | LeftToPerson(letter):
            if letter.term is None:
                return []
            ground = _ground(command.policy, letter.written.kind)
            return list(passed(letter.term, command.debtor, ground, command.policy, command.now))
        case NotWritten() | Arrived() | HandedOver():
            return []
        case _:
            assert_never(notice)


def _ground(policy: Pack, kind: NoticeKind) -> Ground:
    return policy.ground(policy.deadlines.of(PROMPT[kind]).clause)
