"""A day off that is announced late: the standard pack with it, published in a service's log."""

from __future__ import annotations

from datetime import date, datetime

from libs.events.contracts.policy import PolicyPublished
from libs.events.keys import KeyRing
from libs.events.log.postgres import PostgresLog
from libs.events.store import EventStore
from libs.service import policies
from libs.service.wiring import Resources
from tests import backends
from tests.complaint_history import Writer
from tests.packs import text_with


def announced(day_off: date, now: datetime, today: date) -> PolicyPublished:
    """As version 2, in force from now on."""
    return PolicyPublished(
        name="standard",
        version=2,
        effective_from=today,
        text=text_with(
            ("version: 1", "version: 2"),
            ("effective_from: 2026-01-01", f"effective_from: {today}"),
            ("single_days: []", f"single_days: [{{day: {day_off}, name: {{zh: 雪, en: snow}}}}]"),
        ),
        author="general-manager",
        published_at=now,
    )


async def falls(database: backends.Database, resources: Resources, day_off: date, now: datetime) -> None:
    """It is published to the organisation `main`, on whose log a service runs with these resources."""
    published = announced(day_off, now, resources.policy.day_of(now))
    async with PostgresLog(database.dsn("redress_oversight")) as log:
        store = EventStore(log, KeyRing(log, resources.key_encryption_key), resources.bus.wake)
        await Writer(store).says(published, policies.key_of("main"), "policy")
    # What was read a moment ago is good for seconds, which time leaps over.
    resources.policies.changed("main")
