"""Real PostgreSQL and NATS for tests, from wheels, containers or elsewhere: COMPLAINTS_TEST_BACKEND decides.

`embedded` (default) starts the servers of deploy/local. `testcontainers` starts the images that
COMPLAINTS_TEST_POSTGRES_IMAGE and COMPLAINTS_TEST_NATS_IMAGE name. `external` uses the servers that
COMPLAINTS_TEST_DATABASE_URL (a superuser's) and COMPLAINTS_TEST_NATS_URL name. A backend that cannot be had
is an error, never a skip. COMPLAINTS_TEST_FSYNC=off trades durability for speed.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn, Protocol

import pytest

from deploy.local import database, nats, ports, postgres

NOT_TESTED = "NOT TESTED: "  # begins the reason of a skip that nobody may overlook


class Hands(Protocol):
    """What a fault test does to a server. `start` returns when it is ready, and does nothing where it is."""

    @property
    def alive(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class StoreHands(Hands, Protocol):
    def wipe(self) -> None: ...


@dataclass(frozen=True)
class Database:
    """A database of its own for a test, migrated, with the log `main`."""

    name: str
    superuser_dsn: str
    passwords: dict[str, str]

    def dsn(self, role: str) -> str:
        return database.login(self.superuser_dsn, role, self.passwords[role])


@dataclass
class PostgresServer:
    """PostgreSQL, ready; `stop`, `start` and `kill` for fault tests."""

    superuser_dsn: str
    hands: Hands

    @cached_property
    def passwords(self) -> dict[str, str]:
        """By role. Roles belong to the whole server, so every session must come to the same ones."""
        secret = {role: hashlib.sha256(f"{self.superuser_dsn} {role}".encode()) for role in database.ROLES}
        return {role: digest.hexdigest() for role, digest in secret.items()}

    @cached_property
    def template(self) -> str:
        """A migrated database to copy: migrating once and copying is much faster than migrating each."""
        name = f"template_{secrets.token_hex(6)}"
        run(database.create(self.superuser_dsn, name, self.passwords))
        return name

    def create_database(self, template: str | None = None) -> Database:
        """A fresh one: migrated, or a copy of `template` ("template0" is empty)."""
        name = f"test_{secrets.token_hex(6)}"
        run(database.create_empty(self.superuser_dsn, name, template or self.template))
        return Database(name, database.within(self.superuser_dsn, name), self.passwords)

    def drop_database(self, dropped: Database) -> None:
        run(database.drop(self.superuser_dsn, dropped.name))

    def drop_template(self) -> None:
        if "template" in self.__dict__:
            run(database.drop(self.superuser_dsn, self.template))

    def start(self) -> None:
        self.hands.start()

    def stop(self) -> None:
        self.hands.stop()

    def kill(self) -> None:
        self.hands.kill()


@dataclass
class NatsServer:
    """nats-server with JetStream, ready; `stop`, `start`, `kill` and `wipe` for fault tests."""

    url: str
    hands: StoreHands

    def start(self) -> None:
        self.hands.start()

    def stop(self) -> None:
        self.hands.stop()

    def kill(self) -> None:
        self.hands.kill()

    def restart(self) -> None:
        self.hands.stop()
        self.hands.start()

    def wipe(self) -> None:
        """Lose everything in the store and come back empty."""
        self.hands.stop()
        self.hands.wipe()
        self.hands.start()


class Backend(Protocol):
    """Where the servers come from."""

    def postgres(self) -> contextlib.AbstractContextManager[PostgresServer]: ...
    def nats(self) -> contextlib.AbstractContextManager[NatsServer]: ...


class Embedded:
    """The servers of `redress up`, in a temporary folder."""

    @contextlib.contextmanager
    def postgres(self) -> Iterator[PostgresServer]:
        with temporary_folder() as folder:
            server = postgres.start(folder, ports.free(), {"fsync": fsync(), "log_statement": "none"})
            try:
                yield PostgresServer(server.dsn_superuser, server)
            finally:
                server.stop()

    @contextlib.contextmanager
    def nats(self) -> Iterator[NatsServer]:
        with temporary_folder() as folder:
            server = nats.start(folder, ports.free(), sync_interval())
            try:
                yield NatsServer(server.url, server)
            finally:
                server.stop()


class NotOurs:
    """The hands on an external server: there are none."""

    alive = True

    def start(self) -> None:
        pass

    def stop(self) -> None:
        leave_out("tests that stop servers", "an external server is not ours to stop")

    kill = wipe = stop


class External:
    """Servers that somebody else runs."""

    @contextlib.contextmanager
    def postgres(self) -> Iterator[PostgresServer]:
        yield PostgresServer(os.environ["COMPLAINTS_TEST_DATABASE_URL"], NotOurs())

    @contextlib.contextmanager
    def nats(self) -> Iterator[NatsServer]:
        yield NatsServer(os.environ["COMPLAINTS_TEST_NATS_URL"], NotOurs())


def chosen() -> Backend:
    """The backend that COMPLAINTS_TEST_BACKEND names."""
    name = os.environ.get("COMPLAINTS_TEST_BACKEND", "embedded")
    match name:
        case "embedded":
            return Embedded()
        case "testcontainers":
            from tests import containers  # Docker's client is imported only where it is used

            return containers.Containers()
        case "external":
            return External()
    raise ValueError(f"COMPLAINTS_TEST_BACKEND={name!r} is none of embedded, testcontainers, external")


def fsync() -> str:
    return os.environ.get("COMPLAINTS_TEST_FSYNC", "on")


def sync_interval() -> str:
    return "always" if fsync() == "on" else "2m"


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Not pytest's: that is closed to the user PostgreSQL runs as when we are root, and its path is long."""
    folder = Path(tempfile.mkdtemp(prefix="redress-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def leave_out(what: str, why: str) -> NoReturn:
    """Skip the running test, and have the end of the run say so in red: see conftest.py."""
    pytest.skip(f"{NOT_TESTED}{what} did not run: {why}")


def run(work: Coroutine[None, None, None]) -> None:
    """Run in a loop and thread of its own, so that a fixture may call this while a test's loop runs."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
