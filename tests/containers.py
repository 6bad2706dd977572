"""PostgreSQL and NATS from container images, for COMPLAINTS_TEST_BACKEND=testcontainers."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
from testcontainers.core.container import DockerContainer

from deploy.local import nats, ports, private
from tests import backends

POSTGRES_PORT = 5432
NATS_PORT = 4222
NATS_CONFIGURATION = "/nats-server.conf"
READY_SECONDS = 60.0
STOP_SECONDS = 30
PAUSE_SECONDS = 0.1


class ContainerHands:
    """A server in a container that keeps its host port, so it comes back where its clients look for it."""

    def __init__(self, make: Callable[[], DockerContainer], ready: Callable[[], bool]) -> None:
        self.make = make
        self.ready = ready
        self.container = make()

    @property
    def alive(self) -> bool:
        wrapped = self.container.get_wrapped_container()
        wrapped.reload()
        return bool(wrapped.status == "running")

    def start(self) -> None:
        if not self.alive:
            self.container.get_wrapped_container().start()
        deadline = time.monotonic() + READY_SECONDS
        while not self.ready():
            if time.monotonic() > deadline:
                log = b"".join(self.container.get_logs()).decode(errors="replace")
                raise TimeoutError(f"{self.container.image} was not ready in {READY_SECONDS:g} s:\n{log}")
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        self.container.get_wrapped_container().stop(timeout=STOP_SECONDS)

    def kill(self) -> None:
        if self.alive:
            self.container.get_wrapped_container().kill()

    def wipe(self) -> None:
        """A new container with nothing in it."""
        self.remove()
        self.container = self.make()

    def remove(self) -> None:
        self.container.stop()


class Containers:
    """Servers in containers that live as long as the tests."""

    @contextlib.contextmanager
    def postgres(self) -> Iterator[backends.PostgresServer]:
        port, password = ports.free(), private.password()
        dsn = f"postgresql://postgres:{password}@{host()}:{port}/postgres"

        def make() -> DockerContainer:
            image = os.environ.get("COMPLAINTS_TEST_POSTGRES_IMAGE", "postgres:18")
            container = DockerContainer(image).with_bind_ports(POSTGRES_PORT, port)
            container.with_env("POSTGRES_PASSWORD", password)
            return container.with_command(["-c", f"fsync={backends.fsync()}"]).start()

        with ready_and_removed(ContainerHands(make, lambda: postgres_answers(dsn))) as hands:
            yield backends.PostgresServer(dsn, hands)

    @contextlib.contextmanager
    def nats(self) -> Iterator[backends.NatsServer]:
        port, password = ports.free(), private.password()
        settings = nats.settings(f"0.0.0.0:{NATS_PORT}", password, "/tmp/jetstream", backends.sync_interval())

        def make() -> DockerContainer:
            image = os.environ.get("COMPLAINTS_TEST_NATS_IMAGE", "nats:2.15")
            container = DockerContainer(image).with_bind_ports(NATS_PORT, port)
            container.with_copy_into_container(json.dumps(settings).encode(), NATS_CONFIGURATION)
            return container.with_command(["--config", NATS_CONFIGURATION]).start()

        with ready_and_removed(ContainerHands(make, lambda: nats.greets(host(), port))) as hands:
            yield backends.NatsServer(f"nats://{nats.USER}:{password}@{host()}:{port}", hands)


@contextlib.contextmanager
def ready_and_removed(hands: ContainerHands) -> Iterator[ContainerHands]:
    try:
        hands.start()
        yield hands
    finally:
        hands.remove()


def host() -> str:
    """Where published ports are: this machine, unless the engine is elsewhere."""
    return os.environ.get("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")


def postgres_answers(dsn: str) -> bool:
    """The image's own first start listens on its socket only, so an answer over TCP means that it is done."""

    async def ask() -> bool:
        try:
            connection = await asyncpg.connect(dsn, timeout=2)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    with ThreadPoolExecutor(1) as thread:  # a fixture may wait for us while a test's loop runs
        return thread.submit(asyncio.run, ask()).result()
