"""While PostgreSQL is away a service says so at once and comes back by itself; without the bus it goes on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from libs.service.app import create_app
from tests import backends, notes, service_kit
from tests.service_kit import problem, until

AWAY_SECONDS_MAX = 2.5  # two seconds, and what a busy machine adds


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
        await away(lambda: client.post("/v1/notes", json={"text": "during"}))
        await away(lambda: client.get("/v1/count"))
    assert problem(await client.get("/readyz"), 503, "not_ready")["checks"]["database"] == "unavailable"
    assert (await client.get("/livez")).status_code == 200

    postgres.start()
    await until(lambda: ready(client, "ready"))
    assert (await client.post("/v1/notes", json={"text": "after"})).status_code == 201
    assert (await client.get("/v1/notes")).json()[0] == "before"
    assert (await client.get("/v1/count")).json() >= 2


class Wall:
    """Stands before a server and, while it is up, lets nothing through; connections stay open."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = host, port
        self._open = asyncio.Event()
        self._open.set()
        self._passing: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def standing(self) -> AsyncIterator[int]:
        """At the port given."""
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()[1]
        server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.wait(self._passing, timeout=10)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, answering = await asyncio.open_connection(*self._behind)
        for source, target in ((reader, answering), (behind, writer)):
            self._passing.add(asyncio.create_task(self._carry(source, target)))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.closing(target), contextlib.suppress(ConnectionError):
            while content := await source.read(65536):
                await self._open.wait()
                target.write(content)

    def up(self) -> None:
        self._open.clear()

    def down(self) -> None:
        self._open.set()


@contextlib.asynccontextmanager
async def walled(url: str) -> AsyncIterator[tuple[Wall, str]]:
    """A wall before a server, and the URL that leads through it."""
    way = urlsplit(url)
    assert way.hostname
    assert way.port
    wall = Wall(way.hostname, way.port)
    async with wall.standing() as port:
        yield wall, way._replace(netloc=f"{way.username}:{way.password}@127.0.0.1:{port}").geturl()


async def test_a_database_that_falls_silent_is_away_too(database: backends.Database, tmp_path: Path) -> None:
    async with walled(database.dsn("redress_intake")) as (wall, dsn):
        app = create_app(notes.SERVICE, service_kit.write_settings(tmp_path, database_url=dsn))
        async with service_kit.client(app, timeout=10) as client:
            assert (await client.post("/v1/notes", json={"text": "before"})).status_code == 201
            assert (await client.get("/v1/count")).json() == 1
            wall.up()
            for _ in range(2):
                await away(lambda: client.post("/v1/notes", json={"text": "during"}))
                await away(lambda: client.get("/v1/count"))
            wall.down()
            await until(lambda: ready(client, "degraded"))
            assert (await client.post("/v1/notes", json={"text": "after"})).status_code == 201
            assert (await client.get("/v1/count")).json() >= 2


async def away(call: Callable[[], Awaitable[httpx.Response]]) -> None:
    answer = await asyncio.wait_for(call(), AWAY_SECONDS_MAX)
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"]


async def test_a_bus_that_is_away_only_degrades(
    client: httpx.AsyncClient, nats_server: backends.NatsServer
) -> None:
    nats_server.stop()
    await until(lambda: ready(client, "degraded"))
    for _ in range(20):
        answer = await asyncio.wait_for(client.post("/v1/notes", json={"text": "a"}), AWAY_SECONDS_MAX)
        assert answer.status_code == 201
    nats_server.start()
    await until(lambda: ready(client, "ready"))


async def test_a_bus_that_falls_silent_is_told_before_its_connection_is_lost(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> None:
    async with walled(nats_server.url) as (wall, nats_url):
        settings = service_kit.write_settings(
            tmp_path, database_url=database.dsn("redress_intake"), nats_url=nats_url
        )
        app = create_app(notes.SERVICE, settings)
        async with service_kit.client(app, timeout=10) as client:
            await until(lambda: ready(client, "ready"))
            wall.up()
            await until(lambda: ready(client, "degraded"))
            assert app.state.resources.bus.connected, "it is silent, not lost"
            for _ in range(3):
                answers = await asyncio.wait_for(
                    asyncio.gather(*(client.get("/readyz") for _ in range(10))), AWAY_SECONDS_MAX
                )
                assert {each.json()["checks"]["bus"] for each in answers} == {"unavailable"}
            wall.down()
            await until(lambda: ready(client, "ready"))
