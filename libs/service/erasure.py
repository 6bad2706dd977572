"""Forgets data keys here within a second of their erasure in any other process (SEC-2).

It reads the log itself: a message could be missed, and this holds while the bus is away.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any, Final

import asyncpg

from libs.events import every_log
from libs.events.contracts import registry
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.keys import KeyRing
from libs.events.store import Log
from libs.service import background

LOOK_SECONDS: Final = 1.0
# At the start: what was erased after the first key was cached here, and before the first look.
LOOK_BACK_EVENTS: Final = 10_000
TYPE: Final = registry.contract_of(PersonalDataErased).name
SINCE: Final = """
    SELECT seq, body FROM log.events WHERE log = $1 AND seq > $2 AND seq <= $3 AND type = $4 ORDER BY seq
"""


class Forgetting:
    """Follows the erasures of every log: what was erased long before the start was never cached here."""

    def __init__(self, log: Log, database: asyncpg.Pool[Any], keys: KeyRing) -> None:
        self._log = log
        self._database = database
        self._keys = keys
        self._seen: dict[str, int] = {}

    async def run(self) -> None:
        """Follow for ever."""
        await every_log.run(self._log, self._keep_following)

    async def _keep_following(self, name: str) -> None:
        await background.keep("erasure", partial(self._follow, name))

    async def _follow(self, name: str) -> None:
        while True:
            head = (await self._log.head(name)).seq
            seen = self._seen.get(name, max(0, head - LOOK_BACK_EVENTS))
            if head > seen:
                for row in await self._database.fetch(SINCE, name, seen, head, TYPE):
                    self._keys.forget(name, json.loads(row["body"])["data_subject"])
            self._seen[name] = head
            await asyncio.sleep(LOOK_SECONDS)
