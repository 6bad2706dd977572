"""Numbers for people, "2026-000123": unique in an organisation and year (decision 0003)."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from typing import Final, Protocol

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.tables import NUMBER_BLOCKS

# One short statement for so many numbers; what a process did not use when it stops is a gap.
BLOCK_NUMBERS: Final = 200

_RESERVE: Final = (
    insert(NUMBER_BLOCKS)
    .values(reserved=BLOCK_NUMBERS)
    .on_conflict_do_update(
        index_elements=["log", "year"], set_={"reserved": NUMBER_BLOCKS.c.reserved + BLOCK_NUMBERS}
    )
    .returning(NUMBER_BLOCKS.c.reserved)
)


class Numbering(Protocol):
    """Gives each complaint its number."""

    async def take(self, log: str, year: int) -> int:
        """A number, from 1 on, that nobody else gets in this year. Unavailable with the database."""
        ...

    def give_back(self, log: str, year: int, number: int) -> None:
        """Take back a number that certainly stands in no event."""
        ...


class MemoryNumbers:
    """Counts in memory: for a simulation and for tests."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, int]] = Counter()

    async def take(self, log: str, year: int) -> int:
        """See `Numbering.take`."""
        self._taken[log, year] += 1
        return self._taken[log, year]

    def give_back(self, log: str, year: int, number: int) -> None:
        """It becomes a gap."""


class Numbers:
    """Gives each complaint its number. No append ever waits for it: reserving is a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._at_hand: defaultdict[tuple[str, int], deque[int]] = defaultdict(deque)
        self._reserving: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, log: str, year: int) -> int:
        """A number, from 1 on, that nobody else gets in this year. Unavailable with the database."""
        at_hand = self._at_hand[log, year]
        while not at_hand:
            async with self._reserving[log, year]:
                if not at_hand:
                    at_hand.extend(await self._reserve(log, year))
        return at_hand.popleft()

    def give_back(self, log: str, year: int, number: int) -> None:
        """Take back a number that certainly stands in no event."""
        self._at_hand[log, year].appendleft(number)

    async def _reserve(self, log: str, year: int) -> range:
        async with self._engine.begin() as connection:
            last = (await connection.execute(_RESERVE, {"log": log, "year": year})).scalar_one()
        return range(last - BLOCK_NUMBERS + 1, last + 1)
