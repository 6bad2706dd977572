"""A few connections to PostgreSQL that outlive its absence: opened when needed, and anew after a failure."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from libs.events import errors

PATIENCE_SECONDS: Final = 1.8  # in all, for one question; a caller hears that the database is away within 2 s
RETRY_SECONDS: Final = 0.05

# What says that the database, not the question, is at fault. All of it may pass, so all of it is tried again.
# A DSN that makes no sense is an InterfaceError too, but also a ValueError: that one will not pass.
OUTAGES: Final = (
    OSError,
    TimeoutError,
    ssl.SSLError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.InvalidAuthorizationSpecificationError,  # class 28: not let in, or not yet
    asyncpg.ReadOnlySQLTransactionError,  # a replica that is about to take over
    asyncpg.TransactionRollbackError,  # class 40
    asyncpg.InsufficientResourcesError,  # class 53: disk full, out of memory, too many connections
    asyncpg.LockNotAvailableError,
    asyncpg.OperatorInterventionError,  # class 57: shutting down, starting up, crashed, cancelled
    asyncpg.PostgresSystemError,  # class 58
)


class Connections:
    """At most `connections_max` connections of one role, with the same `settings` of the session."""

    def __init__(self, dsn: str, connections_max: int, settings: Mapping[str, str]) -> None:
        self._dsn = dsn
        self._connections_max = connections_max
        self._settings = dict(settings)
        self._pool: asyncpg.Pool | None = None

    async def start(self) -> None:
        """Nothing is connected yet: a service may start before its database."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self._connections_max,
            reset=_leave_as_it_is,
            server_settings=self._settings,
            timeout=PATIENCE_SECONDS,
        )

    async def close(self) -> None:
        """Leave at once: what is still under way here is repeated by whoever asked."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """The rows; asked again after an outage, so only what may be repeated. Raises Unavailable."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while (left := deadline - loop.time()) > 0:
            try:
                return await self.fetch_once(query, arguments, left)
            except ValueError:
                raise
            except OUTAGES:
                await asyncio.sleep(min(RETRY_SECONDS, max(0.0, deadline - loop.time())))
        raise errors.Unavailable("The database does not answer.")

    async def fetch_once(self, query: str, arguments: Any, seconds: float) -> list[asyncpg.Record]:
        """The rows, or whatever went wrong; one of OUTAGES leaves open whether the query was carried out."""
        if self._pool is None:
            raise errors.Unavailable("The connection to the database is not open.")
        async with self._pool.acquire(timeout=seconds) as connection:
            try:
                return await connection.fetch(query, *arguments, timeout=seconds)
            except TimeoutError:
                connection.terminate()  # asking a silent server to cancel would mean waiting for it again
                raise


async def _leave_as_it_is(_: Any) -> None:
    """No session state is ever set here, so a connection goes back without the round trip of a reset."""
