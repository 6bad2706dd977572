"""The events of policy governance (GOV); oversight owns them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from libs.events.contracts.registry import contract


@contract("oversight")
@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDrafted:
    """A policy pack was checked and laid out for reading; nothing is decided by it yet (GOV-2)."""

    name: str
    version: int
    effective_from: date
    text: str
    author: str
    drafted_at: datetime


@contract("oversight")
@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPublished:
    """A policy pack was checked and published; from `effective_from` on immutable (GOV-1, GOV-2)."""

    name: str
    version: int
    effective_from: date
    text: str
    author: str
    published_at: datetime


@contract("oversight")
@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAcknowledged:
    """A person has read the policy; a sanction can rest on it from then on (GOV-1, PEN-3)."""

    name: str
    version: int
    person: str
    acknowledged_at: datetime
