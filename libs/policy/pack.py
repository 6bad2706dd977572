"""A policy pack: the figures and lists that rules leave to the organisation, versioned (GOV-1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from importlib import resources
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from libs.events.contracts.values import Detail, RespondentKind

SHIPPED: Final = resources.files("libs.policy") / "packs"


class Likeness(StrEnum):
    """What two complaints of one customer can have in common (REC-9)."""

    ORDER_NUMBER = "order_number"
    PART_NUMBER = "part_number"
    SERIAL_NUMBER = "serial_number"
    RESPONDENT = "respondent"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no time zone") from None
    return name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recording(_Part):
    """What step 1 leaves to the organisation."""

    first_reply_within_hours: Annotated[int, Field(ge=1)]
    required_details: Mapping[RespondentKind, tuple[Detail, ...]]
    suspect_duplicate_on: tuple[Likeness, ...]


class Pack(_Part):
    """One version of one organisation's policy."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: Annotated[int, Field(ge=1)]
    effective_from: date
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    recording: Recording

    @property
    def reference(self) -> str:
        """How an event names the policy it was decided by."""
        return f"{self.name}@{self.version}"

    def year_of(self, moment: datetime) -> int:
        """The calendar year of `moment` where the organisation is."""
        return moment.astimezone(ZoneInfo(self.time_zone)).year

    def first_reply_due_at(self, recorded_at: datetime) -> datetime:
        """When the complainant must have heard from us (SLA-1)."""
        return recorded_at + timedelta(hours=self.recording.first_reply_within_hours)


def load(name: str) -> Pack:
    """The shipped pack of that name; ValueError says what is wrong with it, or that there is none."""
    file = SHIPPED / f"{name}.yaml"
    if not file.is_file():
        raise ValueError(f"there is no policy pack named {name!r}")
    return Pack.model_validate(yaml.safe_load(file.read_text("utf-8")))
