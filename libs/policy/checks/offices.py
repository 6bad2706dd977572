"""Checks that offices are held, and that whoever is named as an office is one."""

from __future__ import annotations

from collections.abc import Mapping

from libs.policy.checks.finding import Wrong, named
from libs.policy.schema.notices import Notices
from libs.policy.schema.people import Office, Person
from libs.policy.schema.routing import Escalation, Leadership
from libs.policy.schema.solutions import Approvals
from libs.policy.schema.thresholds import Thresholds


def are_held(offices: Mapping[str, Office], people: Mapping[str, Person]) -> Wrong:
    """Offices name people."""
    for name, office in offices.items():
        yield from named(office.held_by, people, "person", ("offices", name, "held_by"))


def decide(leadership: Leadership, offices: Mapping[str, Office]) -> Wrong:
    """Disputes, contests and appeals go to an office."""
    for place in ("adjudicates_disputes", "judges_contests", "decides_appeals"):
        office = getattr(leadership, place)
        if office not in offices:
            yield ("leadership", place), f"there is no office {office}"


def are_on_the_ladder(escalation: Escalation, offices: Mapping[str, Office]) -> Wrong:
    """A rung is a place in the line, or an office."""
    for index, rung in enumerate(escalation.ladder):
        if rung.to not in ("unit-head", "superior", *offices):
            yield ("escalation", "ladder", index, "to"), f"there is no office {rung.to}"


def approve(approvals: Approvals, offices: Mapping[str, Office]) -> Wrong:
    """Approvals are given by offices."""
    for index, always in enumerate(approvals.always):
        yield from named(always.offices, offices, "office", ("approvals", "always", index, "offices"))
    for index, clause in enumerate(approvals.matrix):
        for at, bracket in enumerate(clause.brackets):
            path = ("approvals", "matrix", index, "brackets", at, "offices")
            yield from named(bracket.offices, offices, "office", path)


def lead_incidents(thresholds: Thresholds, offices: Mapping[str, Office]) -> Wrong:
    """Batch incidents are led by an office."""
    if thresholds.batch_incidents.led_by not in offices:
        yield (
            ("thresholds", "batch_incidents", "led_by"),
            f"there is no office {thresholds.batch_incidents.led_by}",
        )


def are_told(notices: Notices, people: Mapping[str, Person], offices: Mapping[str, Office]) -> Wrong:
    """Notices inside go to people or offices."""
    known = (*people, *offices)
    for place in ("design_defect", "batch_incident"):
        given = getattr(notices.told, place)
        yield from named(given, known, "person or office", ("notices", "told", place))
    if notices.told.failed_notice not in known:
        yield (
            ("notices", "told", "failed_notice"),
            f"there is no person or office {notices.told.failed_notice}",
        )
