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
IDLE_SECONDS_MAX: Final = 300.0

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
    """At most `connections_max` connections of one role, with the same `settings` of the session.

    asyncpg has a pool of its own, which costs twice what a short question does; here a connection is taken
    from a list and put back, for nothing in the log changes what a session is.
    """

    def __init__(self, dsn: str, connections_max: int, settings: Mapping[str, str]) -> None:
        self._dsn = dsn
        self._connections_max = connections_max
        self._settings = dict(settings)
        self._turns: asyncio.Semaphore | None = None  # None while not open
        self._all: set[asyncpg.Connection] = set()
        self._idle: list[tuple[asyncpg.Connection, float]] = []  # since when; the last used is used next

    async def start(self) -> None:
        """Nothing is connected yet: a service may start before its database."""
        self._turns = asyncio.Semaphore(self._connections_max)

    async def close(self) -> None:
        """Leave at once: what is still under way here is repeated by whoever asked."""
        self._turns = None
        for connection in self._all:
            connection.terminate()
        self._all.clear()
        self._idle.clear()

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
        turns = self._turns
        if turns is None:
            raise errors.Unavailable("The connection to the database is not open.")
        async with asyncio.timeout(seconds):
            await turns.acquire()
            try:
                return await self._fetch(query, arguments, seconds)
            finally:
                turns.release()

    async def _fetch(self, query: str, arguments: Any, seconds: float) -> list[asyncpg.Record]:
        connection = self._take() or await self._connect(seconds)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
        except asyncpg.PostgresError:  # an answer like any other
            self._put_back(connection)
            raise
        except BaseException:  # out of time, or not wanted any more: nobody waits until that has ended
            connection.terminate()
            self._all.discard(connection)
            raise
        self._put_back(connection)
        return rows

    def _take(self) -> asyncpg.Connection | None:
        """One that is open, and was used of late: what lies idle, firewalls forget."""
        used_after = asyncio.get_running_loop().time() - IDLE_SECONDS_MAX
        while self._idle:
            connection, used_at = self._idle.pop()
            if used_at > used_after and not connection.is_closed():
                return connection
            connection.terminate()
            self._all.discard(connection)
        return None

    async def _connect(self, seconds: float) -> asyncpg.Connection:
        connection = await asyncpg.connect(self._dsn, server_settings=self._settings, timeout=seconds)
        self._all.add(connection)
        return connection

    def _put_back(self, connection: asyncpg.Connection) -> None:
        if self._turns is None or connection.is_closed():
            connection.terminate()
            self._all.discard(connection)
        else:
            self._idle.append((connection, asyncio.get_running_loop().time()))
