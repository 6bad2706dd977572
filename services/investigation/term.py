"""By when a finding is due, what that counts from, and what the clock has said of it so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from libs.events.contracts import investigate as events
from libs.events.contracts.reckoning import Reckoning
from libs.events.contracts.term import Breach, MovedDue

Given = (
    events.InvestigationOpened
    | events.InvestigationHandedOver
    | events.InvestigationJoined
    | events.InvestigationResumed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """By when the finding is due, when its person is warned, and what the clock has said of that so far.

    `level`: of the escalation that gave this time; 0 where the assignment did. `reckoned`: see `Reckoning`.
    """

    due_at: datetime
    warn_at: datetime
    warned: bool = False
    missed: bool = False
    level: int = 0
    reckoned: Reckoning | None = None

    def handed(self, event: events.InvestigationHandedOver, level: int) -> Term:
        """What the clock has said stays said while the due time is the same (trap 1), or late all the same.

        `level`: of whoever had it before.
        """
        late = self.missed and event.due_at <= event.handed_over_at
        if self.due_at == event.due_at or late:
            warn_at = event.warn_at if late else self.warn_at
            return replace(self, due_at=event.due_at, warn_at=warn_at, reckoned=event.reckoned)
        extended = self.missed and event.level > level
        return replace(given(event), level=event.level if extended else min(self.level, event.level))

    def counts_as(self, other: Term) -> bool:
        """Whether both are reckoned here, from the same."""
        return self.reckoned is not None and self.reckoned == other.reckoned

    def moved(self, lies: MovedDue) -> Term:
        """Where a policy has it now; what was missed, and is missed there too, was said."""
        said = lies.breach is Breach.STANDS
        warned, missed = said and self.warned, said and self.missed
        return replace(self, due_at=lies.due.due_at, warn_at=lies.due.warn_at, warned=warned, missed=missed)


def given(event: Given) -> Term:
    """As an event fixes it, of which the clock has said nothing yet."""
    return Term(due_at=event.due_at, warn_at=event.warn_at, reckoned=event.reckoned)
