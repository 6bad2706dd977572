"""The servers under test, PostgreSQL and nats-server, as they run anywhere: every write waited for."""

import asyncio
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import asyncpg

from bench import machine
from deploy.local import database, nats, ports, postgres

BUILD = Path(__file__).resolve().parent.parent / "build"  # on the disk that the project is on, not in memory
TEMPLATE = "bench_template"
PASSWORD = "bench"


@dataclass
class Place:
    """A folder with one PostgreSQL and, once asked for, one nats-server."""

    folder: Path
    postgres: postgres.Running
    _databases: int = 0
    _nats: nats.Running | None = None

    @property
    def programs(self) -> Mapping[str, int]:
        """Whose use of the cores is accounted for: name -> process id."""
        return {"postgres": self.postgres.pid} | ({"nats": self._nats.pid} if self._nats else {})

    @property
    def nats(self) -> nats.Running:
        """A nats-server with `sync_interval: always`, started when first asked for."""
        if self._nats is None:
            self._nats = nats.start(self.folder / "nats", ports.free())
        return self._nats

    @cached_property
    def template(self) -> str:
        """A database as migrations make it, with one empty log; others are copied from it."""
        passwords = dict.fromkeys(database.ROLES, PASSWORD)
        asyncio.run(database.create(self.postgres.dsn_superuser, TEMPLATE, passwords))
        return TEMPLATE

    def migrated_database(self) -> str:
        """A fresh database with the system's schema and an empty log; gives its name."""
        return self._create(self.template)

    def empty_database(self) -> str:
        """A fresh database with nothing in it; gives its name."""
        return self._create("template0")

    def dsn(self, name: str, role: str = "redress_intake") -> str:
        return self.postgres.dsn(role, PASSWORD, name)

    def dsn_superuser(self, name: str) -> str:
        return database.within(self.postgres.dsn_superuser, name)

    def drop(self, name: str) -> None:
        asyncio.run(database.drop(self.postgres.dsn_superuser, name))

    def _create(self, template: str) -> str:
        self._databases += 1
        name = f"bench_{self._databases}"
        asyncio.run(database.create_empty(self.postgres.dsn_superuser, name, template))
        return name

    def settle(self, wal_files: int) -> None:
        """Use so many files of the write-ahead log once, as after running for a while; then a checkpoint.

        Commits wait while a file is made or a checkpoint is written: that would be two figures in one.
        """
        asyncio.run(_use_wal_files(self.postgres.dsn_superuser, wal_files))

    def stop(self) -> None:
        if self._nats is not None:
            self._nats.stop()
        self.postgres.stop()


@contextmanager
def running() -> Iterator[Place]:
    """Servers with empty folders; stopped and removed afterwards."""
    BUILD.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD))
    try:
        place = Place(folder, postgres.start(folder / "postgres", ports.free()))
        try:
            yield place
        finally:
            place.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _use_wal_files(dsn: str, count: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for _ in range(count):
            await connection.execute("SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")
        await connection.execute("CHECKPOINT")  # those before it are used again
    finally:
        await connection.close()


def described(place: Place) -> str:
    """One line on the machine and the versions of what is measured on it."""
    versions = {
        "PostgreSQL": _version(postgres.binary("postgres")),
        "nats-server": _version(nats.binary()),
        "Python": platform.python_version(),
    }
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    sync = f"write and fdatasync of 8 KiB {machine.sync_ms(place.folder):.2f} ms"
    return f"{machine.CORES} cores ({machine.model_name()}), {sync}; {named}"


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, check=True, text=True, timeout=10)
    return said.stdout.split()[-1].removeprefix("v")
