"""Connections for views and queries (SQLAlchemy): few, bounded in time, made when they are first needed."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from libs.events import errors
from libs.events.log.connections import OUTAGES

CONNECTIONS_MAX: Final = 4
CONNECT_SECONDS_MAX: Final = 1.5
CHECKOUT_SECONDS_MAX: Final = 1.5
QUERY_SECONDS_MAX: Final = 5.0


def engine(dsn: str, application: str) -> AsyncEngine:
    """An engine that connects when first used and raises Unavailable while PostgreSQL is away."""
    made = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(_connect, dsn, application),
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=CHECKOUT_SECONDS_MAX,
        pool_pre_ping=True,
    )
    event.listen(made.sync_engine, "handle_error", _on_error)
    return made


async def _connect(dsn: str, application: str, *_: Any, **__: Any) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await asyncpg.connect(
            dsn,
            timeout=CONNECT_SECONDS_MAX,
            command_timeout=QUERY_SECONDS_MAX,
            server_settings={"application_name": application, "jit": "off"},
        )
    except OUTAGES:
        raise errors.Unavailable("The database does not answer.") from None


def _on_error(context: ExceptionContext) -> None:
    """A connection lost under a query is no bug of the query."""
    cause = context.original_exception
    if not isinstance(cause, Exception):
        return  # a cancelled query; its connection counts as lost, but whoever cancelled it must hear of that
    if context.is_disconnect or isinstance(cause, OUTAGES):
        raise errors.Unavailable("The database connection was lost.") from None
