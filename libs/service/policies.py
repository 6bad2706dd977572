"""Which policy pack decides: the published one in force on a day, or the shipped one until any is (GOV-1)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.events.contracts.policy import PolicyAcknowledged, PolicyPublished
from libs.events.store import EventStore
from libs.policy import pack
from libs.policy.pack import Pack

CATEGORY: Final = "policy"
# How long what was read is good for; short beside the days ahead on which packs come into force.
FRESH_SECONDS: Final = 5.0
_POLICIES: Final = UUID("b4c4ad5e-5f0d-4b51-a5a6-0a2d2cf1d3f4")


def key_of(log: str) -> UUID:
    """The key of the stream that holds an organisation's policies."""
    return uuid.uuid5(_POLICIES, log)


def in_force_from(event: PolicyPublished) -> datetime:
    """When it begins to decide: with its day, or when it is published on that day. Reads the whole pack."""
    zone = ZoneInfo(pack.parse(event.text, f"{event.name}@{event.version}").time_zone)
    midnight = datetime.combine(event.effective_from, time(), zone).astimezone(UTC)
    return max(midnight, event.published_at)


@dataclass(slots=True)
class _Shelf:
    """What is known of one organisation's policies."""

    published: dict[int, Pack] = field(default_factory=dict)
    acknowledged: dict[tuple[int, str], datetime] = field(default_factory=dict)
    version: int = 0
    read_at: float = float("-inf")
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    changes: int = 0


class Policies:
    """The packs of every organisation, read from the log and kept for a moment."""

    def __init__(self, store: EventStore, shipped: Pack, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._shipped = shipped
        self._monotonic = monotonic
        self._shelves: dict[str, _Shelf] = {}

    async def in_force(self, log: str, moment: datetime) -> Pack:
        """The pack in force at `moment`, by the day it is where the organisation is."""
        published = (await self._shelf(log)).published.values()
        return _latest([p for p in published if p.effective_from <= _day(moment, p)], self._shipped)

    async def on(self, log: str, day: date) -> Pack:
        """The pack in force on `day`: what an act of that day is judged by (PEN-3)."""
        published = (await self._shelf(log)).published.values()
        return _latest([p for p in published if p.effective_from <= day], self._shipped)

    async def named(self, log: str, reference: str) -> Pack:
        """The pack that an event names, as `standard@2`; the shipped one where none was published as that."""
        published = (await self._shelf(log)).published.values()
        return next((p for p in published if p.reference == reference), self._shipped)

    async def acknowledged_at(self, log: str, version: int, person: str) -> datetime | None:
        """When a person acknowledged a version (PEN-3); None when they have not."""
        return (await self._shelf(log)).acknowledged.get((version, person))

    def changed(self, log: str) -> None:
        """Read these policies anew before the next decision: this process has just changed them."""
        shelf = self._shelves.setdefault(log, _Shelf())
        shelf.changes += 1
        shelf.read_at = float("-inf")

    async def _shelf(self, log: str) -> _Shelf:
        shelf = self._shelves.setdefault(log, _Shelf())
        if not self._is_fresh(shelf):
            async with shelf.reading:  # once for all who ask meanwhile
                if not self._is_fresh(shelf):
                    await self._read(log, shelf)
        return shelf

    def _is_fresh(self, shelf: _Shelf) -> bool:
        return self._monotonic() - shelf.read_at < FRESH_SECONDS

    async def _read(self, log: str, shelf: _Shelf) -> None:
        stream, began, changes = f"{CATEGORY}-{key_of(log)}", self._monotonic(), shelf.changes
        for recorded in await self._store.read_stream(log, stream, shelf.version):
            match recorded.event:
                case PolicyPublished() as event:
                    read = asyncio.to_thread(pack.parse, event.text, f"{event.name}@{event.version}")
                    shelf.published[event.version] = await read
                case PolicyAcknowledged(version=version, person=person, acknowledged_at=at):
                    shelf.acknowledged[version, person] = at
            shelf.version = recorded.envelope.version
        if shelf.changes == changes:  # what was published while we read may have been missed
            shelf.read_at = began


def _latest(packs: Iterable[Pack], otherwise: Pack) -> Pack:
    return max(packs, key=lambda p: p.version, default=otherwise)


def _day(moment: datetime, policy: Pack) -> date:
    return moment.astimezone(ZoneInfo(policy.time_zone)).date()
