"""Escalation by policy: who is put in charge when something is late, unsolved or passed around (ASG-5..6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from libs.events.contracts.assign import EscalationCause, PassedOver
from libs.events.contracts.handling import Answerable, Ground
from libs.policy import people
from libs.policy.pack import Pack
from libs.policy.schema.routing import Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """Whom it goes to, at which level (from 1), and by which clauses."""

    to: Answerable
    level: int
    passed_over: tuple[PassedOver, ...]
    ground: Ground


def escalate(
    pack: Pack,
    cause: EscalationCause,
    on: date,
    owed_by: Answerable | None = None,
    level: int = 0,
    about: str | None = None,
) -> Escalated:
    """The next level after `level` (0: none so far), never back to who owes it; beyond the ladder its last.

    `owed_by` None: nobody was assigned yet, so the unit that gets what no other clause routes owes it
    (trap 3). `about`: the person complained of.
    """
    ladder = pack.escalation.ladder
    first: int = getattr(pack.escalation.begins_at, cause)
    reached = min(max(level + 1, first), len(ladder))
    rung = ladder[reached - 1]
    excluded = frozenset({owed_by.person}) if owed_by else people.NOBODY
    chosen = people.choose(pack, tuple(_holders(pack, rung, owed_by)), on, about, excluded)
    clauses = (pack.buck_passing.clause,) if cause is EscalationCause.BUCK_PASSING else ()
    return Escalated(
        to=chosen.answerable,
        level=reached,
        passed_over=chosen.passed_over,
        ground=pack.ground(*clauses, rung.clause),
    )


def _holders(pack: Pack, rung: Rung, owed_by: Answerable | None) -> Iterator[str]:
    if rung.to not in ("unit-head", "superior"):
        yield from people.in_office(pack, rung.to)
        return
    *_, head = people.in_unit(pack, owed_by.unit if owed_by else pack.routing[-1].to)
    if rung.to == "unit-head":
        yield head
    else:
        yield from people.superiors(pack, head)
