"""Checks that deadlines do not contradict each other."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from libs.events.contracts.handling import Severity
from libs.policy.checks.finding import Wrong
from libs.policy.schema.deadlines import Deadlines

# Steps that count from the same moment and come one after the other.
ORDERS: Final = (("classify", "assign"), ("investigate", "propose", "notify"))


def follow_each_other(deadlines: Deadlines) -> Wrong:
    """No step is due before the one it waits for, as far as both count the same."""
    for order in ORDERS:
        for (earlier, later), severity in ((pair, each) for pair in pairwise(order) for each in Severity):
            first = getattr(deadlines.steps, earlier).allowed(severity)
            then = getattr(deadlines.steps, later).allowed(severity)
            if first.counted is then.counted and then.count < first.count:
                yield (
                    ("deadlines", "steps", later, str(severity)),
                    f"{later} would be due ({then}) before {earlier} ({first})",
                )
