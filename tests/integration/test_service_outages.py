"""While PostgreSQL is away a service says so at once and comes back by itself; without the bus it goes on."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from libs.service.app import create_app
from tests import backends, notes, service_kit
from tests.service_kit import problem, until


@pytest.fixture
async def client(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    settings = service_kit.write_settings(
        tmp_path, database_url=database.dsn("redress_intake"), nats_url=nats_server.url
    )
    async with service_kit.client(create_app(notes.SERVICE, settings), timeout=10) as caller:
        await until(lambda: ready(caller, "ready"))
        yield caller


async def ready(client: httpx.AsyncClient, status: str) -> bool:
    return bool((await client.get("/readyz")).json().get("status") == status)


async def test_the_database_may_go_and_come_back(
    client: httpx.AsyncClient, postgres: backends.PostgresServer
) -> None:
    assert (await client.post("/v1/notes", json={"text": "before"})).json() == {"seq": 1}
    postgres.stop()
    for _ in range(3):
        began = time.monotonic()
        answer = await client.post("/v1/notes", json={"text": "during"})
        assert time.monotonic() - began < 2
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"]
        problem(await client.get("/v1/count"), 503, "unavailable")
    assert problem(await client.get("/readyz"), 503, "not_ready")["checks"]["database"] == "unavailable"
    assert (await client.get("/livez")).status_code == 200

    postgres.start()
    await until(lambda: ready(client, "ready"))
    assert (await client.post("/v1/notes", json={"text": "after"})).status_code == 201
    assert (await client.get("/v1/notes")).json()[0] == "before"
    assert (await client.get("/v1/count")).json() >= 2


async def test_a_bus_that_is_away_only_degrades(
    client: httpx.AsyncClient, nats_server: backends.NatsServer
) -> None:
    nats_server.stop()
    await until(lambda: ready(client, "degraded"))
    began = time.monotonic()
    for _ in range(20):
        assert (await client.post("/v1/notes", json={"text": "a"})).status_code == 201
    assert time.monotonic() - began < 2
    nats_server.start()
    await until(lambda: ready(client, "ready"))
