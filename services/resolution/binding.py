"""Which rules bind a person: those in force, and known to them, when they acted (PEN-3, LAW-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.events import errors
from libs.policy.facts import Facts
from libs.policy.pack import Pack


class RulesNotInForce(errors.Refused):
    """No rules were in force on the day of the act: waive, or state the day it was done."""

    code = "rules_not_in_force"


class RulesNotAcknowledged(errors.Refused):
    """The person had not acknowledged the rules before the act, so those do not bind them: waive instead."""

    code = "rules_not_acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The policy of the day of the act, and when the person acknowledged it.

    `shipped`: it is the pack the system came with. Nobody could acknowledge that one in the log; it binds
    from its effective date on, as consulted on and displayed (docs/decisions/0008).
    """

    policy: Pack
    shipped: bool
    acknowledged_at: datetime | None
    acted_at: datetime
    facts: Facts


def check(rules: Rules) -> None:
    """Refused unless the rules bound the person when they acted."""
    policy = rules.policy
    if policy.effective_from > policy.day_of(rules.acted_at):
        raise RulesNotInForce(policy=policy.reference, effective_from=policy.effective_from.isoformat())
    if not rules.shipped and (rules.acknowledged_at is None or rules.acknowledged_at > rules.acted_at):
        raise RulesNotAcknowledged(policy=policy.reference)
