"""Builds what a service stands on from its settings: the only place where real adapters are made."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Final

import asyncpg
from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request

from libs.events.connection import Connection
from libs.events.contracts import catalogue
from libs.events.envelope import Appended
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.store import EventStore, Log
from libs.policy import pack
from libs.service import database, keyset, settings, telemetry, tokens
from libs.service.policies import Policies

BUS_CONNECTIONS_MAX: Final = 3
CONTRACTS: Final = catalogue.MODULES  # imported, so that whole histories and logs can be decoded anywhere


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


@dataclass
class Resources:
    """What a service stands on. Tests build it with a log in memory; `opened` builds it for real."""

    settings: settings.Settings
    log: Log
    engine: AsyncEngine
    bus: Connection
    key_encryption_key: KeyEncryptionKey
    tokens: tokens.Verifier
    policy: pack.Pack
    database: asyncpg.Pool[asyncpg.Record] | None = (
        None  # for leases, checkpoints and parked messages of the bus
    )
    now: Callable[[], datetime] = utc_now

    @cached_property
    def keys(self) -> KeyRing:
        """Data keys at hand."""
        return KeyRing(self.log, self.key_encryption_key)

    @cached_property
    def store(self) -> EventStore:
        """Where commands append and read."""
        return MeasuredStore(self.log, self.keys, self.bus.wake)

    @cached_property
    def reading(self) -> AsyncEngine:
        """For queries: without a transaction around it, one is one round trip."""
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @cached_property
    def policies(self) -> Policies:
        """Which policy pack decides, by organisation and day."""
        return Policies(self.store, self.policy, time.monotonic)

    @cached_property
    def fingerprint_key(self) -> bytes:
        """For `idempotency.fingerprint`."""
        return self.key_encryption_key.derive("fingerprint")

    @cached_property
    def cursor_key(self) -> bytes:
        """For `paging`."""
        return self.key_encryption_key.derive("cursor")


class MeasuredStore(EventStore):
    """An event store that times its appends."""

    async def append(self, *arguments: Any, **named: Any) -> Appended:
        """See `EventStore.append`."""
        with telemetry.append_seconds.time():
            return await super().append(*arguments, **named)


@asynccontextmanager
async def opened(chosen: settings.Settings, service: str, files: dict[str, Any]) -> AsyncIterator[Resources]:
    """The real thing; `files` as `read` gave them. It connects by and by: no server has to be up."""
    from libs.events.log.postgres import PostgresLog

    dsn = chosen.database_url.get_secret_value()
    name = f"redress-{service}"
    async with AsyncExitStack() as stack:
        engine = database.engine(dsn, name)
        stack.push_async_callback(engine.dispose)
        pool = await database.pool(dsn, name, BUS_CONNECTIONS_MAX)
        stack.push_async_callback(pool.close)
        yield Resources(
            settings=chosen,
            log=await stack.enter_async_context(PostgresLog(dsn)),
            engine=engine,
            bus=await stack.enter_async_context(Connection(chosen.nats_url.get_secret_value(), name)),
            database=pool,
            **files,
        )


def read(chosen: settings.Settings) -> dict[str, Any]:
    """What stands in files; WrongSettings names the variable whose file is no good."""
    return {
        "key_encryption_key": _checked("KEY_FILE", lambda: KeyEncryptionKey.from_file(chosen.key_file)),
        "tokens": tokens.Verifier(
            _checked("JWKS_FILE", lambda: keyset.named(chosen.jwks_file, chosen.jwks_url)),
            chosen.jwt_issuer,
            chosen.jwt_audience,
        ),
        "policy": _checked("POLICY", lambda: pack.load(chosen.policy)),
    }


def _checked(variable: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (OSError, ValueError) as error:
        raise settings.WrongSettings(f"{settings.PREFIX}{variable}: {error}") from None


async def _resources(request: Request) -> Resources:
    found: Resources = request.app.state.resources
    return found


# For the signatures of endpoints: `resources: wiring.Wired`.
Wired = Annotated[Resources, Depends(_resources)]
