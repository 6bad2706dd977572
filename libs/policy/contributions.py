"""What each unit owes to an investigation, and by when (INV-2)."""

from __future__ import annotations

from datetime import datetime

from libs.events.contracts.handling import Kind, Severity
from libs.events.contracts.investigate import Duty
from libs.events.contracts.values import Language
from libs.policy.deadlines import due
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand


def duties(
    pack: Pack,
    kind: Kind,
    severity: Severity,
    opened_at: datetime,
    language: Language = Language.CHINESE,
) -> tuple[Duty, ...]:
    """The contributions to ask for in an investigation of that kind, in the pack's order."""
    by_then = due(pack, Errand.CONTRIBUTION, severity, opened_at).due_at
    return tuple(
        Duty(unit=each.unit, duty=each.duty.in_language(language), due_at=by_then)
        for each in pack.contributions
        if kind in each.kinds
    )
