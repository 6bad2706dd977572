"""Chinese public holidays and make-up working days, as far as they have been announced (SLA-2)."""

from __future__ import annotations

from datetime import date
from typing import Final

from chinese_calendar import constants  # type: ignore[import-untyped] # it has none

MAKE_UP: Final = "make-up working day"

# The State Council announces a year at a time; what lies beyond follows the week alone, and says so.
UNKNOWN_FROM: Final = date(max(constants.holidays).year + 1, 1, 1)
HOLIDAYS: Final[dict[date, str]] = dict(constants.holidays)
MAKE_UP_DAYS: Final[dict[date, str]] = {
    day: f"{MAKE_UP} ({name})" for day, name in constants.workdays.items()
}
IN_CHINESE: Final[dict[str, str]] = {each.value: each.chinese for each in constants.Holiday}
IN_CHINESE.update({f"{MAKE_UP} ({name})": f"{chinese}调休上班" for name, chinese in IN_CHINESE.items()})
