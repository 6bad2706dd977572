"""What callers send to judge, contest, assign and escalate, and what intake answers (CLS, ASG)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from libs.events.contracts import handling
from libs.events.contracts.handling import Kind, Nature, Severity, Step
from libs.policy.deadlines import Explanation, Spent
from libs.service.body import RequestModel
from libs.service.fields import Reference, Words
from services.intake import state
from services.intake.models import ChangedAnswer, Reasoned


class JudgementBody(Reasoned):
    """Yes or no, with its reason (CLS-4)."""

    value: bool

    def judged(self) -> handling.Judgement:
        """As events have it."""
        return handling.Judgement(value=self.value, reason=self.reason)


class ClassificationBody(RequestModel):
    """A person's judgement (CLS-1 to CLS-4); `founded` is null as long as that cannot be judged."""

    kind: Kind
    nature: Nature
    severity: Severity
    founded: JudgementBody | None = None
    demand_reasonable: JudgementBody | None = None


class ContestBody(RequestModel):
    """What the customer brings up that was not known (CLS-5)."""

    new_facts: Words


class AssignmentBody(Reasoned):
    """Who is to answer for it, and why they (ASG-2, ASG-5)."""

    unit: Reference
    person: Reference


class EscalationBody(RequestModel):
    """What was tried in vain (ASG-6)."""

    tried: Words


class HandledAnswer(ChangedAnswer):
    """Where the complaint stands; `round` counts judgements, `level` escalations since it was assigned."""

    round: int
    kind: Kind | None
    severity: Severity | None
    founded: bool | None
    unit: str | None
    person: str | None
    level: int
    incident_id: UUID | None


class IncidentLine(BaseModel):
    """A batch incident: what its complaints have in common, how many there are, and who leads (CLS-7)."""

    incident_id: UUID
    matched_on: str
    reference: str
    complaints: int
    threshold: int
    window_days: int
    unit: str
    person: str
    policy: str
    clause: str | None
    raised_at: datetime
    latest_at: datetime


class Day(BaseModel):
    """What one day, where the organisation is, counted towards a deadline."""

    day: date
    kind: str
    counted_seconds: int


class Deadline(BaseModel):
    """When a step is due, from when it counts, what the policy allows, and how that comes about (ASG-7)."""

    step: Step
    started_at: datetime
    warn_at: datetime
    due_at: datetime
    allowed: str
    policy: str
    clause: str | None
    elapsed_seconds: int
    working_seconds: int
    paused_seconds: int
    days: tuple[Day, ...]
    explanation: tuple[str, ...]


class Wait(BaseModel):
    """When the customer was waited for, who had been asked for details; no deadline counts that (SLA-9).

    The last `until` is when deadlines run on at the latest, as long as `answered` is false there.
    """

    since: datetime
    until: datetime
    answered: bool


class SpentTime(BaseModel):
    """What a step took so far, on the clock and in working time without what stood still (SLA-9)."""

    step: Step
    started_at: datetime
    ended_at: datetime | None
    elapsed_seconds: int
    working_seconds: int
    paused_seconds: int


class DeadlinesAnswer(BaseModel):
    """Every deadline of a complaint that intake has fixed, and the time that its own steps took, in order."""

    complaint_id: UUID
    first_reply_due_at: datetime
    deadlines: tuple[Deadline, ...]
    waits: tuple[Wait, ...]
    spent: tuple[SpentTime, ...]


def handled(record: state.Record, status: state.Status, version: int) -> HandledAnswer:
    """As a record stands."""
    found = record.handling
    known = found.judgements[-1] if found.judgements else None
    return HandledAnswer(
        complaint_id=record.complaint_id,
        status=status,
        version=version,
        missing_details=record.missing_details,
        round=found.round,
        kind=known.kind if known else None,
        severity=found.severity if known or found.incident else None,
        founded=found.founded,
        unit=found.answerable.unit if found.answerable else None,
        person=found.answerable.person if found.answerable else None,
        level=found.level,
        incident_id=found.incident.incident_id if found.incident else None,
    )


def waits(record: state.Record) -> tuple[Wait, ...]:
    """All of them, in order."""
    found, open_still = record.handling.stops, {each.notice_id for each in record.handling.stopped}
    return tuple(
        Wait(
            since=span.start,
            until=span.end,
            answered=notice_id not in open_still,
        )
        for notice_id, span in found
    )


def spent(step: Step, started_at: datetime, ended_at: datetime | None, time: Spent) -> SpentTime:
    """As policy reckons it."""
    return SpentTime(
        step=step,
        started_at=started_at,
        ended_at=ended_at,
        elapsed_seconds=int(time.elapsed.total_seconds()),
        working_seconds=int(time.working.total_seconds()),
        paused_seconds=int(time.paused.total_seconds()),
    )


def deadline(due: handling.StepDue, started_at: datetime, explained: Explanation) -> Deadline:
    """As it was fixed, with the sum that led there."""
    return Deadline(
        step=due.step,
        started_at=started_at,
        warn_at=due.warn_at,
        due_at=due.due_at,
        allowed=explained.due.allowed,
        policy=explained.due.ground.policy,
        clause=explained.due.ground.clause,
        elapsed_seconds=int(explained.elapsed.total_seconds()),
        working_seconds=int(explained.working.total_seconds()),
        paused_seconds=int(explained.paused.total_seconds()),
        days=tuple(
            Day(day=share.day, kind=share.kind, counted_seconds=int(share.counted.total_seconds()))
            for share in explained.days
        ),
        explanation=explained.sentences,
    )
