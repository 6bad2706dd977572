"""Checks of notices and single days."""

from __future__ import annotations

from datetime import date

from libs.events.contracts.notify import NoticeKind
from libs.policy.checks.finding import Wrong
from libs.policy.schema.hours import WorkingTime
from libs.policy.schema.notices import FIELDS, Notices, fields


def know_their_fields(notices: Notices) -> Wrong:
    """A template names only fields that its notice has."""
    for kind in NoticeKind:
        template = notices.template(kind)
        for language, letter in (("zh-CN", template.zh), ("en", template.en)):
            for place in ("subject", "text"):
                path = ("notices", "templates", str(kind), language, place)
                for unknown in sorted(fields(getattr(letter, place)) - FIELDS[kind]):
                    yield path, f"unknown field {{{unknown}}}; there are {', '.join(sorted(FIELDS[kind]))}"


def wait_between_tries(notices: Notices) -> Wrong:
    """There is a pause after every try but the last."""
    if len(notices.retries.wait_minutes) < notices.retries.attempts - 1:
        yield (
            ("notices", "retries", "wait_minutes"),
            f"{notices.retries.attempts} attempts need {notices.retries.attempts - 1} pauses",
        )


def single_days_are_single(working_time: WorkingTime) -> Wrong:
    """A day is given once."""
    seen: set[date] = set()
    for index, single in enumerate(working_time.single_days):
        if single.day in seen:
            yield ("working_time", "single_days", index, "day"), f"{single.day} is given twice"
        seen.add(single.day)
