"""What callers send to oversight about policies, and what is answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

from pydantic import BaseModel, Field

from libs.service.body import RequestModel

TEXT_CHARACTERS_MAX: Final = 1_000_000


class PolicyBody(RequestModel):
    """A policy pack to lay out."""

    text: Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
    """The pack's YAML, whole."""


class PolicyAnswer(BaseModel):
    """A version of an organisation's policy: where it stands and who has read it."""

    name: str
    version: int
    effective_from: date
    published: bool
    published_at: datetime | None
    acknowledged_by: list[str]


class PolicyInForce(PolicyAnswer):
    """The policy that decides on a day, with its text; `shipped`: none was published yet."""

    shipped: bool
    text: str
