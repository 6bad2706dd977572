"""Leases: of all processes that could do a piece of work, one does it. Correctness never rests on them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

import asyncpg
import structlog

from libs.events.tasks import Tasks

# A holder that was killed is followed within the TTL: those who wait know when it ends, and look then.
TTL_SECONDS: Final = 1.5
RENEW_SECONDS: Final = 0.5
QUERY_SECONDS: Final = 1.0
LOOK_SECONDS_MIN: Final = 0.05

TAKE: Final = "SELECT held, left_seconds FROM bus.take($1, $2, $3)"
DROP: Final = "DELETE FROM bus.leases WHERE name = $1 AND holder = $2"
HOLDERS: Final = """
    SELECT name, holder::text, extract(epoch FROM until - clock_timestamp())::float8 AS left_seconds
    FROM bus.leases ORDER BY name
"""
# A connection that dies under a query can leave asyncpg itself confused, so its own errors are among them.
FAILURES: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

Work = Callable[[], Coroutine[Any, Any, None]]
logger = structlog.get_logger(__name__)


class Turn(Protocol):
    """A right to work that one process has at a time."""

    async def hold(self, work: Work) -> None:
        """Run `work` whenever and as long as this process has the right; ends when `work` does."""
        ...


class Undisputed:
    """A turn where there is nobody to share with: a test, or a command that wants to work beside a holder."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def hold(self, work: Work) -> None:
        """See `Turn.hold`."""
        await work()


class Lost(Exception):
    """The lease could not be renewed in time."""


class Lease:
    """A turn kept in PostgreSQL, in the unlogged table `bus.leases`."""

    def __init__(self, database: asyncpg.Pool, name: str, holder: UUID) -> None:
        self._database = database
        self._name = name
        self._holder = holder

    async def hold(self, work: Work) -> None:
        """See `Turn.hold`."""
        while True:
            await self._wait_for_turn()
            logger.info("lease taken", lease=self._name)
            try:
                async with Tasks() as tasks:
                    renewing = tasks.create_task(self._renew())
                    await asyncio.wait({tasks.create_task(work())})
                    renewing.cancel()
                return
            except* Lost:
                logger.warning("lease lost", lease=self._name)
            finally:
                await self._drop()

    async def _wait_for_turn(self) -> None:
        told = False
        while True:
            try:
                left = await self._take()
                if left is None:
                    return
            except FAILURES as error:
                if not told:
                    logger.warning("lease out of reach", lease=self._name, error=type(error).__name__)
                told, left = True, RENEW_SECONDS
            await asyncio.sleep(max(left, LOOK_SECONDS_MIN))

    async def _renew(self) -> None:
        """Runs as long as the lease is held; raises Lost when it is, or may be by now, somebody else's."""
        loop = asyncio.get_running_loop()
        until = loop.time() + TTL_SECONDS
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            asked = loop.time()
            with contextlib.suppress(*FAILURES):
                if await self._take() is not None:
                    raise Lost
                until = asked + TTL_SECONDS
            if loop.time() > until:
                raise Lost

    async def _take(self) -> float | None:
        """Take or renew. None: we hold it; otherwise the seconds until its holder's time is up."""
        async with asyncio.timeout(QUERY_SECONDS):  # also over waiting for a connection
            row = await self._database.fetchrow(TAKE, self._name, self._holder, TTL_SECONDS)
        assert row is not None
        return None if row["held"] else float(row["left_seconds"])

    async def _drop(self) -> None:
        """Let the next one start at once; where that fails, the lease runs out by itself."""
        with contextlib.suppress(*FAILURES):
            await self._database.execute(DROP, self._name, self._holder, timeout=QUERY_SECONDS)


def leases(database: asyncpg.Pool) -> Callable[[str], Lease]:
    """This process's leases, by name."""
    holder = uuid4()
    return lambda name: Lease(database, name, holder)
