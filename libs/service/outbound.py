"""Publishes what is meant for others to JetStream: durably, at least once, with an id to discard repeats by.

It is apart from the log's own stream, which the relay alone writes. What is kept there is kept for
`KEPT_SECONDS`: it is a letter box, no record, and may hold what is personal in the clear.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import nats.errors
import nats.js.errors
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from libs.events import errors
from libs.events.connection import Connection

KEPT_SECONDS: Final = 7 * 24 * 3600
REPEATS_SECONDS: Final = 120  # how long JetStream itself discards repeats; readers do so for ever
MESSAGE_ID: Final = "Nats-Msg-Id"


class Outbound:
    """A family of streams, `<family>-<log>` with the subjects `<family>.<log>.>`, each made at first use."""

    def __init__(self, family: str, bus: Connection) -> None:
        self._family = family
        self._bus = bus
        self._made: set[str] = set()

    async def publish(
        self, log: str, what: str, id: str, payload: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        """Publish to `<family>.<log>.<what>`; returns once it is stored. Unavailable where it may not be."""
        try:
            if log not in self._made:
                await self._bus.jetstream.add_stream(self._configuration(log))
                self._made.add(log)
            answer = await self._bus.request(
                f"{self._family}.{log}.{what}", payload, {**(headers or {}), MESSAGE_ID: id}
            )
        except (nats.errors.Error, errors.Unavailable) as error:
            self._made.discard(log)  # perhaps it was thrown away: make it again
            raise errors.Unavailable(f"The bus did not take it: {type(error).__name__}.") from error
        if "error" in (said := json.loads(answer.data)):
            raise errors.Unavailable(f"The bus did not take it: {said['error'].get('description')}.")

    def _configuration(self, log: str) -> StreamConfig:
        return StreamConfig(
            name=f"{self._family}-{log}",
            subjects=[f"{self._family}.{log}.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_age=KEPT_SECONDS,
            duplicate_window=REPEATS_SECONDS,
        )
