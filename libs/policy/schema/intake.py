"""What a pack says about recording: first reply, required details, duplicates, numbers (REC, SLA-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from libs.events.contracts.values import Detail
from libs.policy.schema.part import Part

MatchField = Literal["order_number", "part_number", "batch", "serial_number", "respondent"]


class FirstReply(Part):
    """When the complainant must have heard from us, counted from recording (SLA-1)."""

    within_hours: int = Field(ge=1, le=24 * 30)
    clock: Literal["elapsed"]  # weekends and holidays included

    @property
    def within(self) -> timedelta:
        """The time allowed."""
        return timedelta(hours=self.within_hours)


class QualityComplaint(Part):
    """What a complaint about a product needs before it can be judged founded (REC-2)."""

    required_details: tuple[Detail, ...] = Field(min_length=1)


class Duplicates(Part):
    """When another open complaint of the same customer is suspected to be the same (REC-9)."""

    match_any: tuple[MatchField, ...] = Field(min_length=1)
    window_days: int = Field(ge=1, le=3650)

    @property
    def window(self) -> timedelta:
        """How far back other complaints are looked at."""
        return timedelta(days=self.window_days)


class Numbers(Part):
    """How the number that people use is written: `2026-000123`, unique in an organisation and year."""

    format: str = Field(pattern=r"^[^{}]*\{year\}[^{}]*\{count:0[1-9]d\}[^{}]*$")

    def number(self, year: int, count: int) -> str:
        """The `count`-th number (from 1) of a year."""
        return self.format.format(year=year, count=count)
