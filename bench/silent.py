"""Intake with the log left out: the same application on a log that answers at once and keeps nothing."""

import itertools
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from libs.events.envelope import Append, Appended, Claimed, Envelope, Head, WrappedKey
from libs.events.ledger import genesis
from libs.events.store import PAGE_EVENTS, Log
from libs.service import run, settings, wiring

LOG = "silent"  # not "main": its stream on the bus is another process's


class SilentLog:
    """A `Log` that is always empty, and agrees to everything."""

    def __init__(self) -> None:
        self._seqs = itertools.count(1)

    async def append(self, append: Append) -> Appended:
        return Appended(append.expected_version + len(append.events), next(self._seqs), datetime.now(UTC))

    async def read_stream(self, log: str, stream: str, after_version: int = 0) -> list[Envelope]:
        return []

    async def read(
        self, log: str, after: int = 0, limit: int = PAGE_EVENTS, complaint_id: UUID | None = None
    ) -> list[Envelope]:
        return []

    async def head(self, log: str) -> Head:
        return Head(0, genesis(log), datetime.now(UTC))

    async def logs(self) -> list[str]:
        return [LOG]

    async def find_claim(self, log: str, name: UUID) -> Claimed | None:
        return None

    async def key_of_subject(self, log: str, subject: str) -> WrappedKey | None:
        return None

    async def keys_by_id(self, log: str, key_ids: Iterable[UUID]) -> list[WrappedKey]:
        return []


opened = wiring.opened


@asynccontextmanager
async def silenced(
    chosen: settings.Settings, service: str, files: dict[str, Any]
) -> AsyncIterator[wiring.Resources]:
    """What a service stands on, but for the log."""
    log: Log = SilentLog()
    async with opened(chosen, service, files) as resources:
        yield replace(resources, log=log)


if __name__ == "__main__":
    wiring.opened = silenced
    sys.exit(run.main(["services.intake.app"]))
