"""Chinese public holidays and make-up working days, as far as they have been announced (SLA-2)."""

from __future__ import annotations

from datetime import date
from typing import Final

from chinese_calendar import constants  # type: ignore[import-untyped] # it has none

# The State Council announces a year at a time; what lies beyond follows the week alone, and says so.
UNKNOWN_FROM: Final = date(max(constants.holidays).year + 1, 1, 1)
HOLIDAYS: Final[dict[date, str]] = dict(constants.holidays)
MAKE_UP_DAYS: Final[dict[date, str]] = {
    day: f"make-up working day ({name})" for day, name in constants.workdays.items()
}
