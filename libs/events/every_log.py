"""Runs one piece of work for every log there is, and for each that is opened later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from libs.events import errors
from libs.events.store import Log
from libs.events.tasks import Tasks

LOOK_SECONDS: Final = 5.0
LOOK_AGAIN_SECONDS: Final = 0.5

logger = structlog.get_logger(__name__)


async def run(log: Log, work: Callable[[str], Awaitable[None]]) -> None:
    """`work(name)` for each log, side by side; ends by cancellation, or by an error that `work` lets out."""
    known: set[str] = set()
    async with Tasks() as group:
        while True:
            try:
                names = await log.logs()
            except errors.Unavailable:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                continue
            for name in sorted(set(names) - known):
                known.add(name)
                group.create_task(_named(work, name))
            await asyncio.sleep(LOOK_SECONDS)


async def _named(work: Callable[[str], Awaitable[None]], name: str) -> None:
    await work(name)
