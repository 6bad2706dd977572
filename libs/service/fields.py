"""The kinds of fields that request bodies are made of: times, days, amounts, texts, each with its limits."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from libs.events.contracts import values
from libs.service.body import RequestModel

YEAR_MIN, YEAR_MAX = 1900, 2200  # what lies outside is a slip of the pen
PIECES_MAX: Final = 1_000_000_000
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_AMOUNT: Final = re.compile(r"\d{1,14}(\.\d{1,4})?")
_SHARE: Final = re.compile(r"0(\.\d{1,6})?|1(\.0{1,6})?")


def _written(form: re.Pattern[str], example: str) -> BeforeValidator:
    """Only text of this form: a number would be taken for seconds since 1970, a float for an exact amount."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and form.fullmatch(value):
            return value
        raise ValueError(f'Input should be text like "{example}"')

    return BeforeValidator(check)


def _plausible(day: date) -> None:
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise ValueError(f"The year should be between {YEAR_MIN} and {YEAR_MAX}")


def _in_utc(moment: datetime) -> datetime:
    _plausible(moment)
    return moment.astimezone(UTC)


def _day(day: date) -> date:
    _plausible(day)
    return day


def _text(characters_max: int) -> StringConstraints:
    """Text that says something, kept as it came, character for character."""
    return StringConstraints(min_length=1, max_length=characters_max, pattern=r"\S")


Instant = Annotated[
    AwareDatetime,
    _written(_INSTANT, "2026-11-20T09:12:00+08:00"),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[
    date,
    _written(_DAY, "2026-11-10"),
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Amount = Annotated[
    Decimal,
    _written(_AMOUNT, "12.50"),
    WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT.pattern}$"}),
]
Share = Annotated[
    Decimal,
    _written(_SHARE, "0.25"),
    WithJsonSchema({"type": "string", "pattern": f"^({_SHARE.pattern})$"}),
]
Pieces = Annotated[StrictInt, Field(ge=0, le=PIECES_MAX)]
Phone = Annotated[str, _text(50)]
Name = Annotated[str, _text(200)]
Reference = Annotated[str, _text(200)]
Line = Annotated[str, _text(1_000)]
Words = Annotated[str, _text(20_000)]


class Money(RequestModel):
    """An exact amount in a currency (ISO 4217)."""

    amount: Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    def value(self) -> values.Money:
        """As events have it."""
        return values.Money(amount=self.amount, currency=self.currency)
