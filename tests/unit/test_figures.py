"""The figures of a demonstration, from events alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from deploy.local import figures
from deploy.local.figures import Figures
from libs.events.envelope import Envelope
from libs.policy import pack

FRIDAY = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)  # 16:00 in Shanghai, an hour and a half before the weekend
ONE, OTHER = UUID(int=1), UUID(int=2)


def said(name: str, complaint: UUID | None = ONE, **body: Any) -> Envelope:
    content = json.dumps(body, default=lambda time: time.isoformat()).encode()
    event_type, stream = f"complaints.{name}.v1", f"{name.partition('.')[0]}-1"
    return Envelope(
        "main", 1, UUID(int=9), stream, 1, event_type, complaint, "a", None, "", FRIDAY, content, b""
    )


def recorded(complaint: UUID = ONE, at: datetime = FRIDAY) -> Envelope:
    return said("intake.complaint_recorded", complaint, recorded_at=at)


def closed(outcome: str, after: timedelta, complaint: UUID = ONE) -> Envelope:
    return said("resolution.complaint_closed", complaint, outcome=outcome, closed_at=FRIDAY + after)


def told(kind: str, after: timedelta, recipient: str = "customer") -> Envelope:
    at = FRIDAY + after
    return said("notifier.notice_delivered", kind=kind, recipient=recipient, delivered_at=at)


def of(*events: Envelope) -> Figures:
    return figures.of(events)


def test_complaints_are_counted_by_how_they_ended() -> None:
    found = of(recorded(), recorded(OTHER), closed("unfounded", timedelta(hours=1)))
    assert found.by_outcome == {"unfounded": 1, "open": 1}


def test_what_was_reopened_is_open() -> None:
    found = of(recorded(), closed("resolved", timedelta(hours=1)), said("resolution.complaint_reopened"))
    assert +found.by_outcome == {"open": 1}
    assert found.resolution() is None


@pytest.mark.rule("KPI-1")
def test_times_are_medians_on_the_clock_and_in_working_time() -> None:
    days = timedelta(days=3, hours=2)  # until Monday, 18:00
    found = of(
        recorded(), told("progress", timedelta(hours=1)), told("solution", days), closed("resolved", days)
    )
    policy = pack.load("standard")
    assert (found.first_response(), found.resolution()) == (timedelta(hours=1), days)
    assert found.first_response(policy) == timedelta(hours=1)
    assert found.resolution(policy) == timedelta(hours=1.5) + timedelta(hours=8)


def test_nothing_that_staff_are_told_is_a_first_response() -> None:
    assert of(recorded(), told("assignment", timedelta(), recipient="staff")).first_response() is None


def test_each_step_is_counted_once_for_each_complaint() -> None:
    judged = said("intake.complaint_classified", founded={"value": True})
    found = of(
        recorded(),
        said("intake.complaint_classified", founded=None),
        judged,
        judged,
        said("intake.complaint_assigned"),
        said("investigation.finding_recorded"),
        said("resolution.execution_advanced", stage="started", complete=False),
        told("acknowledgement", timedelta()),
        said("resolution.responsibility_waived", complete=True),
    )
    counts = {step: len(found.steps[step]) for step in figures.STEPS}
    done = {"record", "classify", "assign", "investigate", "penalize"}
    assert counts == {step: int(step in done) for step in figures.STEPS}


def test_sanctions_are_counted_by_clause_and_missed_deadlines_by_step() -> None:
    found = of(
        said("resolution.sanction_imposed", ground={"clause": "PEN-L1"}, complete=False),
        said("resolution.sanction_imposed", ground={"clause": "PEN-L1"}, complete=True),
        said("clock.deadline_missed", step="investigate"),
    )
    assert (found.sanctions, found.missed) == ({"PEN-L1": 2}, {"investigate": 1})


@pytest.mark.parametrize(
    ("time", "words"),
    [(None, "none"), (timedelta(seconds=2.25), "2.2 s"), (timedelta(hours=30), "30.0 h")],
)
def test_a_duration_in_words(time: timedelta | None, words: str) -> None:
    assert figures.duration(time) == words
