"""What became of an organisation's complaints, in figures, from its events alone."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

from libs.events.envelope import Envelope
from libs.policy.pack import Pack

PREFIX: Final = "complaints."
STEPS: Final = ("record", "classify", "assign", "investigate", "propose", "notify", "penalize", "improve")
# The event by which a step of a complaint has its outcome, where one event says so.
DONE_BY: Final = {
    "intake.complaint_recorded": "record",
    "intake.complaint_assigned": "assign",
    "investigation.finding_recorded": "investigate",
}


@dataclass(slots=True)
class Figures:
    """Counts of an organisation; taken in event by event, in log order."""

    types: Counter[str] = field(default_factory=Counter)
    outcomes: dict[UUID, str] = field(default_factory=dict)
    steps: defaultdict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    sanctions: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    recorded_at: dict[UUID, datetime] = field(default_factory=dict)
    first_told_at: dict[UUID, datetime] = field(default_factory=dict)
    closed_at: dict[UUID, datetime] = field(default_factory=dict)

    def take(self, envelope: Envelope) -> None:
        """Take in one event."""
        name = envelope.type.removeprefix(PREFIX).rpartition(".")[0]
        self.types[name] += 1
        body = json.loads(envelope.body)
        complaint_id = envelope.complaint_id
        match name:
            case "resolution.sanction_imposed":
                self.sanctions[body["ground"]["clause"]] += 1
            case "clock.deadline_missed":
                self.missed[body["step"]] += 1
        if complaint_id is not None:
            self._of_complaint(name, complaint_id, body)

    def _of_complaint(self, name: str, complaint_id: UUID, body: dict[str, Any]) -> None:
        if name in DONE_BY:
            self.steps[DONE_BY[name]].add(complaint_id)
        match name:
            case "intake.complaint_recorded":
                self.recorded_at[complaint_id] = _at(body["recorded_at"])
            case "intake.complaint_classified" if body["founded"] is not None:
                self.steps["classify"].add(complaint_id)
            case "resolution.execution_advanced" if body["complete"]:
                self.steps["propose"].add(complaint_id)
            case "notifier.notice_delivered" if body["recipient"] == "customer":
                self.first_told_at.setdefault(complaint_id, _at(body["delivered_at"]))
                if body["kind"] in ("solution", "unfounded_reply"):
                    self.steps["notify"].add(complaint_id)
            case (
                "resolution.sanction_imposed"
                | "resolution.responsibility_waived"
                | "resolution.no_fault_found"
            ) if body["complete"]:
                self.steps["penalize"].add(complaint_id)
            case "resolution.complaint_joined_improvement" | "resolution.improvement_not_needed":
                self.steps["improve"].add(complaint_id)
            case "resolution.complaint_closed":
                self.outcomes[complaint_id] = body["outcome"]
                self.closed_at[complaint_id] = _at(body["closed_at"])
            case "resolution.complaint_reopened":
                self.outcomes.pop(complaint_id, None)
                self.closed_at.pop(complaint_id, None)

    @property
    def by_outcome(self) -> Counter[str]:
        """How many complaints ended how; those that have not are open."""
        ended = Counter(self.outcomes.values())
        ended["open"] = len(self.recorded_at) - len(self.outcomes)
        return ended

    def first_response(self, policy: Pack | None = None) -> timedelta | None:
        """Median from recording to the first notice that reached the customer (KPI-1); see `resolution`."""
        return self._median(policy, self.first_told_at)

    def resolution(self, policy: Pack | None = None) -> timedelta | None:
        """Median from recording to closing: in the working time of a policy, else on the clock (KPI-1)."""
        return self._median(policy, self.closed_at)

    def _median(self, policy: Pack | None, ends: dict[UUID, datetime]) -> timedelta | None:
        spans = [(self.recorded_at[each], end) for each, end in ends.items()]
        took = [policy.calendar.between(*span) if policy else span[1] - span[0] for span in spans]
        return timedelta(seconds=median(each.total_seconds() for each in took)) if took else None


def of(envelopes: Iterable[Envelope]) -> Figures:
    """The figures of a whole history."""
    figures = Figures()
    for envelope in envelopes:
        figures.take(envelope)
    return figures


def named(counts: Counter[str]) -> str:
    """Counts in words, the largest first."""
    return ", ".join(f"{n:,} {name}" for name, n in counts.most_common() if n) or "none"


def duration(time: timedelta | None) -> str:
    """A time as people say it."""
    if time is None:
        return "none"
    hours = time.total_seconds() / 3600
    return f"{hours:,.1f} h" if hours >= 1 else f"{time.total_seconds():,.1f} s"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
