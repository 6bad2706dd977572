"""What is asked across complaints: measures under observation, and what months' wages already bear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from libs.events.contracts import improve, penalize
from libs.events.contracts.penalize import Installment
from libs.events.envelope import Recorded

Months = Mapping[date, Decimal]  # the first day of a month, and the sum it bears


class Lookups(Protocol):
    """Answers from all complaints of an organisation; in SQL, or in memory for a simulation."""

    async def observed(self, log: str, cause_code: str, at: datetime, seq: int) -> Sequence[UUID]:
        """The measures against a cause that were in place and observed at that time (IMP-2).

        Unavailable until everything up to `seq` is known: an answer given too early would lose a recurrence.
        """
        ...

    async def deducted(self, log: str, person: str) -> Months:
        """What sanctions already take from a person's wage, month by month (LAW-1)."""
        ...


class MemoryLookups:
    """The same from events, each noted once, in log order."""

    def __init__(self) -> None:
        self._measures: dict[tuple[str, UUID], _Measure] = {}
        self._sanctions: dict[tuple[str, UUID, int], tuple[str, tuple[Installment, ...]]] = {}

    def note(self, recorded: Recorded[Any]) -> None:
        """Take in one event of any service."""
        log, event = recorded.envelope.log, recorded.event
        match event:
            case improve.ImprovementPlanned():
                self._measures[log, event.improvement_id] = _Measure(event.cause_code)
            case improve.ImprovementCompleted():
                self._measures[log, event.improvement_id].observe(event.completed_at, event.observed_until)
            case improve.ImprovementReopened() | improve.ImprovementVerified(effective=False):
                self._measures[log, event.improvement_id].span = None
            case penalize.SanctionImposed():
                key = (log, event.complaint_id, event.sanction)
                self._sanctions[key] = (event.person, event.installments)
            case penalize.AppealDecided():
                key = (log, event.complaint_id, event.sanction)
                self._sanctions[key] = (self._sanctions[key][0], event.installments)

    async def observed(self, log: str, cause_code: str, at: datetime, seq: int) -> Sequence[UUID]:
        """See `Lookups.observed`; what was appended was noted."""
        return [
            improvement_id
            for (of, improvement_id), measure in self._measures.items()
            if of == log and measure.cause_code == cause_code and measure.observed_at(at)
        ]

    async def deducted(self, log: str, person: str) -> Months:
        """See `Lookups.deducted`."""
        mine = (taken for (of, *_), (who, taken) in self._sanctions.items() if (of, who) == (log, person))
        return by_month((each.month, each.money.amount) for taken in mine for each in taken)


class _Measure:
    def __init__(self, cause_code: str) -> None:
        self.cause_code = cause_code
        self.span: tuple[datetime, datetime] | None = None

    def observe(self, since: datetime, until: datetime) -> None:
        self.span = (since, until)

    def observed_at(self, at: datetime) -> bool:
        return self.span is not None and self.span[0] <= at <= self.span[1]


def by_month(sums: Iterable[tuple[date, Decimal]]) -> Months:
    """The sums of each month."""
    total: defaultdict[date, Decimal] = defaultdict(Decimal)
    for month, amount in sums:
        total[month] += amount
    return dict(total)
