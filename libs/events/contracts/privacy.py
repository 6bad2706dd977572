"""Events about personal data itself; oversight owns them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.events.contracts.registry import contract


@contract("oversight")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataErased:
    """The keys of one data subject were deleted: their personal data cannot be read again (SEC-2)."""

    data_subject: str
    erased_at: datetime
    author: str
    reason: str
