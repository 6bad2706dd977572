"""Whole systems for tests of paths: a real one with all its processes, and one on simulated time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

import httpx
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from deploy.local import database, folder, ports, up
from deploy.people.calls import Callers, first_cause
from deploy.simulation import world as simulation
from deploy.simulation.resources import LOG
from libs.events import bus
from libs.events.connection import Connection
from libs.events.memory_bus import Faults
from tests import backends
from tests.e2e.steps import Office, Told, told

T = TypeVar("T")
DEADLINE_SECONDS: Final = 30.0
CALL_SECONDS: Final = 30.0
LOOK_AGAIN_SECONDS: Final = 0.05  # for what views show a moment later; most of all is heard of
EVENTS_MAX: Final = 100_000


class Listener:
    """An ordinary consumer of the JetStream stream; see `Ear`."""

    def __init__(self) -> None:
        self.heard: list[Told] = []
        self._more = asyncio.Event()

    async def take(self, message: Msg) -> None:
        """One message, as JetStream delivers it."""
        self.heard.append(told(bus.from_message(message.headers, message.data)))
        self._more.set()

    async def until(self, holds: Callable[[], Awaitable[T | None]], what: str) -> T:
        """See `Ear.until`."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (found := await holds()) is None:
            assert time.monotonic() < deadline, f"waited in vain until {what}; last heard: {self.heard[-3:]}"
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), LOOK_AGAIN_SECONDS)
        return found


@contextlib.asynccontextmanager
async def real() -> AsyncIterator[Office]:
    """PostgreSQL, nats-server and the five services, each a process, as `redress up` starts them."""
    async with contextlib.AsyncExitStack() as stack:
        home = folder.Folder.at(stack.enter_context(backends.temporary_folder()) / "system")
        chosen = {name: ports.free() for name in ports.OFFSETS}
        system = await stack.enter_async_context(up.running(home, chosen, lambda _: None))
        clients = {
            name: await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=CALL_SECONDS))
            for name, url in system.service_urls.items()
        }
        connection = await stack.enter_async_context(Connection(system.nats_url, "tests"))
        await asyncio.wait_for(connection.until_connected(), DEADLINE_SECONDS)
        listener, stream = Listener(), bus.stream_of(database.LOG)
        await asyncio.wait_for(_made(connection, stream), DEADLINE_SECONDS)
        await connection.client.jetstream().subscribe(
            bus.subjects_of(database.LOG), stream=stream, ordered_consumer=True, cb=listener.take
        )
        yield Office(Callers(clients, home.signing_keys()), listener)


async def _made(connection: Connection, stream: str) -> None:
    """Wait until the relay has made the stream."""
    while True:
        with contextlib.suppress(NotFoundError):
            await connection.jetstream.stream_info(stream)
            return
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


class Diary:
    """Everything that is in a simulated world's log; see `Ear`. Nothing is waited for there."""

    def __init__(self, world: simulation.World) -> None:
        self.heard: list[Told] = []
        self.world = world

    async def until(self, holds: Callable[[], Awaitable[T | None]], what: str) -> T:
        """See `Ear.until`: all that follows from what was done has happened, at this moment of the world."""
        await self.world.settle()
        page = await self.world.log.read(LOG, len(self.heard), EVENTS_MAX)
        self.heard += [told(envelope) for envelope in page]
        found = await holds()
        assert found is not None, f"never {what}; last heard: {self.heard[-3:]}"
        return found


@contextlib.asynccontextmanager
async def simulated() -> AsyncIterator[tuple[Office, simulation.World]]:
    """The same services in one process, on time that leaps, and on a bus without faults."""
    try:
        async with simulation.running(1, Faults()) as world:
            clients = {
                name: httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{name}")
                for name, app in world.apps.items()
            }
            yield Office(Callers(clients, world.ground.signing_keys), Diary(world)), world
    except ExceptionGroup as failed:  # each service wraps it once more
        raise first_cause(failed) from None


async def live(world: simulation.World, time: timedelta) -> None:
    """Let that much of its time go by."""

    async def nothing() -> None:
        """Nobody does anything."""

    await world.run(world.now + time, nothing)
