"""What a due time counts from, where a service reckons it by policy itself: so it can be moved (SLA-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.events.contracts.handling import Severity
from libs.events.contracts.registry import Fields, upcast


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Time that did not count."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """Since when something was owed, by the times of which severity, and without which pauses.

    None in its place: a person set the date; another service fixed it, and moves it (by an assignment, a
    reopening); or that was before events said what it counts from.
    """

    since: datetime
    severity: Severity
    pauses: tuple[Pause, ...] = ()


_INVESTIGATION = "complaints.investigation.investigation"
_NOTIFIED = "complaints.investigation.supplier_notified"


@upcast(f"{_INVESTIGATION}_opened.v1", f"{_INVESTIGATION}_opened.v2")
@upcast(f"{_INVESTIGATION}_handed_over.v1", f"{_INVESTIGATION}_handed_over.v2")
@upcast(f"{_INVESTIGATION}_joined.v1", f"{_INVESTIGATION}_joined.v2")
@upcast(f"{_INVESTIGATION}_resumed.v1", f"{_INVESTIGATION}_resumed.v2")
@upcast(f"{_NOTIFIED}.v1", f"{_NOTIFIED}.v2")
def _from_an_unnamed_time(fields: Fields) -> Fields:
    """Before, nothing said what it counts from."""
    return {**fields, "reckoned": None}
