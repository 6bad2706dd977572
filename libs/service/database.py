"""Connections for views and queries (SQLAlchemy): few, bounded in time, made when they are first needed."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Final

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine import AdaptedConnection, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from libs.events import errors
from libs.events.log.connections import OUTAGES

CONNECTIONS_MAX: Final = 4
# A caller hears within 2 s that the database is away, or only silent: one look, then one attempt.
PING_SECONDS_MAX: Final = 0.7
# A connection that answered a moment ago is not looked at: under load that is one round trip less a request.
# Whoever asks in the first such moment of a silence waits as long as for a query already under way.
REST_SECONDS: Final = 0.25
CONNECT_SECONDS_MAX: Final = 1.0
CHECKOUT_SECONDS_MAX: Final = 1.5
QUERY_SECONDS_MAX: Final = 5.0
ANSWERED: Final = "redress_answered_at"  # in what SQLAlchemy keeps with each connection


class Link(asyncpg.Connection):
    """A connection that leaves at once: a goodbye to a server that fell silent would wait for ever."""

    async def close(self, *, timeout: float | None = None) -> None:
        """Without a word; the server notices."""
        self.terminate()

    def get_reset_query(self) -> str:
        """Nothing: no session here has settings or locks of its own, and it is a round trip for each use."""
        return ""


async def pool(dsn: str, application: str, connections_max: int) -> asyncpg.Pool[asyncpg.Record]:
    """A pool that connects when first used; for what speaks to asyncpg itself."""
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=connections_max,
        connection_class=Link,
        timeout=CONNECT_SECONDS_MAX,
        command_timeout=QUERY_SECONDS_MAX,
        server_settings={"application_name": application},
    )


def engine(dsn: str, application: str) -> AsyncEngine:
    """An engine that connects when first used and raises Unavailable while PostgreSQL is away."""
    made = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(_connect, dsn, application),
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=CHECKOUT_SECONDS_MAX,
    )
    event.listen(made.sync_engine, "after_cursor_execute", _note)
    event.listen(made.sync_engine, "checkout", _look)
    event.listen(made.sync_engine, "handle_error", _on_error)
    return made


async def _connect(dsn: str, application: str, *_: Any, **__: Any) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await asyncpg.connect(
            dsn,
            connection_class=Link,
            timeout=CONNECT_SECONDS_MAX,
            command_timeout=QUERY_SECONDS_MAX,
            server_settings={"application_name": application, "jit": "off"},
        )
    except OUTAGES:
        raise errors.Unavailable("The database does not answer.") from None


def _note(connection: Connection, *_: Any) -> None:
    """A query was answered, so the connection need not be asked for a moment."""
    connection.info[ANSWERED] = time.monotonic()


def _look(connection: AdaptedConnection, record: ConnectionPoolEntry, *_: Any) -> None:
    """Before a use: does the connection still answer? The pool's own ping would wait as for a query."""
    if time.monotonic() - record.info.get(ANSWERED, -REST_SECONDS) < REST_SECONDS:
        return
    try:
        connection.run_async(_ping)
    except OUTAGES:
        raise DisconnectionError from None  # the pool makes another


async def _ping(connection: Any) -> None:
    await connection.fetchrow(";", timeout=PING_SECONDS_MAX)


def _on_error(context: ExceptionContext) -> None:
    """A connection lost under a query is no bug of the query."""
    cause = context.original_exception
    if not isinstance(cause, Exception):
        return  # a cancelled query; its connection counts as lost, but whoever cancelled it must hear of that
    if context.is_disconnect or isinstance(cause, OUTAGES):
        raise errors.Unavailable("The database connection was lost.") from None
