"""One service started on real servers, somebody who calls it, and the pens of the services beside it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from libs.events.keys import KeyRing
from libs.events.log.postgres import PostgresLog
from libs.events.store import EventStore
from libs.service.app import Service, create_app
from tests import backends, service_kit
from tests.complaint_history import Writer


@dataclass(frozen=True)
class Started:
    """The service; `pens` by the name of whose they are."""

    app: FastAPI
    client: httpx.AsyncClient
    pens: dict[str, Writer]


@contextlib.asynccontextmanager
async def started(
    service: Service,
    database: backends.Database,
    nats_server: backends.NatsServer,
    folder: Path,
    others: Collection[str],
    bearer: str = "",
    **chosen: Any,
) -> AsyncIterator[Started]:
    """On that database and an empty bus; the caller has a token of `service_kit` unless one is given."""
    nats_server.wipe()
    settings = service_kit.write_settings(
        folder, database_url=database.dsn(f"redress_{service.name}"), nats_url=nats_server.url, **chosen
    )
    async with contextlib.AsyncExitStack() as stack:
        app = create_app(service, settings)
        client = await stack.enter_async_context(service_kit.client(app, bearer))
        resources, pens = app.state.resources, {}
        for name in others:
            log = await stack.enter_async_context(PostgresLog(database.dsn(f"redress_{name}")))
            ring = KeyRing(log, resources.key_encryption_key)
            pens[name] = Writer(EventStore(log, ring, resources.bus.wake))
        yield Started(app, client, pens)
