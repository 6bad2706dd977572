"""What a pack says about working time: weekly hours with breaks, public holidays, single days (SLA-2)."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from libs.policy import calendar, holidays
from libs.policy.schema.part import Part, Words

STRETCH: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
# Less than what the calendar takes for the end of all work, whatever weekends and holidays come before.
CLOSED_DAYS_MAX: Final = 366
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEK: Final[tuple[Weekday, ...]] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)


def _hours(given: Any) -> calendar.Hours:
    found = STRETCH.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError('hours are written like "08:30-12:00"; a day ends at 24:00')
    end = time(int(found[3]), int(found[4])) if found[3] else calendar.MIDNIGHT
    return calendar.Hours(time(int(found[1]), int(found[2])), end)


Hours = Annotated[calendar.Hours, BeforeValidator(_hours)]


class SingleDay(Part):
    """A day that differs from what week and public holidays say; without hours nobody works."""

    day: date = Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))
    name: Words
    hours: tuple[Hours, ...] = ()


class WorkingTime(Part):
    """When the organisation works. Make-up days (调休) have the hours of the weekday they make up for."""

    week: dict[Weekday, tuple[Hours, ...]]
    make_up_hours: tuple[Hours, ...] = Field(min_length=1)
    public_holidays: Literal["china", "none"]
    single_days: tuple[SingleDay, ...] = ()

    @model_validator(mode="after")
    def _works(self) -> WorkingTime:
        found = self.in_zone("UTC")
        for single in self.single_days:
            days = (single.day + n * calendar.DAY for n in range(CLOSED_DAYS_MAX + 1))
            if not any(found.spans(day) for day in days):
                raise ValueError(f"the calendar has no working time for more than a year from {single.day}")
        return self

    def in_zone(self, time_zone: str) -> calendar.Calendar:
        """The calendar of working time; ValueError where hours overlap or there are none."""
        if not any(self.week.values()):
            raise ValueError("the calendar has no working time: give hours to a day of the week")
        return calendar.Calendar(
            ZoneInfo(time_zone),
            tuple(self.week.get(day, ()) for day in WEEK),
            self._special_days(),
            holidays.UNKNOWN_FROM if self.public_holidays == "china" else None,
        )

    def _special_days(self) -> dict[date, calendar.SpecialDay]:
        days: dict[date, calendar.SpecialDay] = {}
        if self.public_holidays == "china":
            days |= {day: calendar.SpecialDay((), name) for day, name in holidays.HOLIDAYS.items()}
            days |= {
                day: calendar.SpecialDay(self.make_up_hours, name)
                for day, name in holidays.MAKE_UP_DAYS.items()
            }
        given = {each.day: calendar.SpecialDay(each.hours, each.name.en) for each in self.single_days}
        return days | given
