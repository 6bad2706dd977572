"""What a pack says about coming back: batch incidents, repeat repairs, observation, contests, duties."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from libs.events.contracts.handling import Kind
from libs.policy.schema.part import Clause, Id, Part, Words

SameField = Literal["part_number", "batch", "respondent"]


class BatchIncidents(Clause):
    """How many complaints alike within how many days make a batch incident, and which office leads (CLS-7).

    Complaints are alike when every field of one entry of `same` agrees.
    """

    same: tuple[tuple[SameField, ...], ...] = Field(min_length=1)
    complaints: int = Field(ge=2, le=1000)
    window_days: int = Field(ge=1, le=3650)
    led_by: Id

    @property
    def window(self) -> timedelta:
        """How far back complaints are counted."""
        return timedelta(days=self.window_days)


class RepeatRepairs(Clause):
    """Within which time the same fault on the same unit is a repeat repair (INV-6)."""

    window_days: int = Field(ge=1, le=3650)

    @property
    def window(self) -> timedelta:
        """How far back repairs are looked at."""
        return timedelta(days=self.window_days)


class Observation(Clause):
    """How long a measure's effect is observed, and its cause must not come back (IMP-1, IMP-2)."""

    days: int = Field(ge=1, le=3650)

    @property
    def period(self) -> timedelta:
        """From completion on."""
        return timedelta(days=self.days)


class Contests(Clause):
    """How often a customer may contest an unfounded judgement (CLS-5)."""

    times_max: int = Field(ge=1, le=5)


class Contribution(Clause):
    """What a unit owes to every investigation of these kinds (INV-2)."""

    unit: Id
    duty: Words
    kinds: tuple[Kind, ...] = Field(min_length=1)


class Thresholds(Part):
    """Where counting begins to mean something."""

    batch_incidents: BatchIncidents
    repeat_repairs: RepeatRepairs
    observation: Observation
    contests: Contests
