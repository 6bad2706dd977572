"""The embedded servers start, keep what they hold, come back from kill -9, and leave nothing behind."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import nats as nats_client
import pytest
from nats.aio.client import Client as NatsClient

from deploy.local import nats, ports, postgres, process, stand_in
from tests import backends


@pytest.fixture
def folder() -> Iterator[Path]:
    with backends.temporary_folder() as made:
        yield made


@pytest.fixture
def own_postgres(folder: Path) -> Iterator[postgres.Running]:
    server = postgres.start(folder / "postgres", ports.free())
    yield server
    server.stop()


@pytest.fixture
def own_nats(folder: Path) -> Iterator[nats.Running]:
    server = nats.start(folder / "nats", ports.free())
    yield server
    server.stop()


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def count_messages(url: str) -> int:
    client = await nats_client.connect(url, allow_reconnect=False)
    try:
        return (await client.jetstream().stream_info("kept")).state.messages
    finally:
        await client.close()


async def publish_one(url: str) -> None:
    client = await nats_client.connect(url, allow_reconnect=False)
    try:
        await client.jetstream().add_stream(name="kept", subjects=["kept.>"])
        await client.jetstream().publish("kept.one", b"1")
    finally:
        await client.close()


async def test_postgres_is_version_18_and_durable(own_postgres: postgres.Running) -> None:
    assert str(await ask(own_postgres.dsn_superuser, "SHOW server_version")).startswith("18.")
    assert await ask(own_postgres.dsn_superuser, "SHOW fsync") == "on"
    assert await ask(own_postgres.dsn_superuser, "SHOW data_checksums") == "on"


async def test_postgres_answers_on_its_socket_too(own_postgres: postgres.Running) -> None:
    by_socket = f"postgresql:///postgres?host={own_postgres.socket_dir}&port={own_postgres.port}"
    login = f"&user=postgres&password={own_postgres.superuser_password}"
    assert await ask(by_socket + login, "SELECT inet_server_addr()") is None


async def test_postgres_asks_for_the_password(own_postgres: postgres.Running, folder: Path) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(own_postgres.dsn("postgres", "guess", "postgres"), "SELECT 1")
    kept = folder / "postgres" / "superuser-password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_postgres_keeps_what_was_committed_before_kill_9(own_postgres: postgres.Running) -> None:
    await ask(own_postgres.dsn_superuser, "CREATE TABLE kept AS SELECT 1 AS one")
    own_postgres.kill()
    assert not own_postgres.alive
    own_postgres.start()
    assert await ask(own_postgres.dsn_superuser, "SELECT one FROM kept") == 1


async def test_postgres_reuses_its_folder_and_password(own_postgres: postgres.Running, folder: Path) -> None:
    await ask(own_postgres.dsn_superuser, "CREATE TABLE kept AS SELECT 1 AS one")
    own_postgres.stop()
    again = postgres.start(folder / "postgres", ports.free())
    try:
        assert again.superuser_password == own_postgres.superuser_password
        assert await ask(again.dsn_superuser, "SELECT one FROM kept") == 1
    finally:
        again.stop()


def test_postgres_stops_while_a_client_is_connected(own_postgres: postgres.Running) -> None:
    async def stop_under_a_client() -> None:
        connection = await asyncpg.connect(own_postgres.dsn_superuser, timeout=5)
        own_postgres.stop()
        connection.terminate()

    backends.run(stop_under_a_client())
    assert "database system is shut down" in own_postgres.program.log.read_text()


def test_postgres_never_runs_as_root(own_postgres: postgres.Running) -> None:
    assert Path(f"/proc/{own_postgres.pid}").stat().st_uid != 0


def test_a_path_too_long_for_a_socket_leaves_tcp(folder: Path) -> None:
    server = postgres.start(folder / ("long" * 30), ports.free())
    try:
        assert server.socket_dir is None
    finally:
        server.stop()


ODD_NAME = 'a, "b" 数据 $c'


def test_postgres_lives_in_an_oddly_named_folder(folder: Path) -> None:
    server = postgres.start(folder / ODD_NAME, ports.free())
    try:
        assert (folder / ODD_NAME / "socket" / f".s.PGSQL.{server.port}").is_socket()
    finally:
        server.stop()


async def test_nats_lives_in_an_oddly_named_folder(folder: Path) -> None:
    server = nats.start(folder / ODD_NAME, ports.free())
    try:
        await publish_one(server.url)
        assert list((folder / ODD_NAME / "store").rglob("*.blk"))
    finally:
        server.stop()


def test_others_may_read_what_root_unpacked_for_itself(folder: Path) -> None:
    for file, mode in (("bin/postgres", 0o700), ("share/timezone", 0o600)):
        (folder / file).parent.mkdir(mode=0o700)
        (folder / file).touch(mode)
    stand_in.let_read(folder)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folder.rglob("*")}
    assert modes == {"bin": 0o055, "postgres": 0o055, "share": 0o055, "timezone": 0o044}


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(process.NotReady, match="no_such_setting"):
        postgres.start(folder / "postgres", ports.free(), {"no_such_setting": "1"})


async def test_nats_keeps_acknowledged_messages_through_kill_9(own_nats: nats.Running) -> None:
    await publish_one(own_nats.url)
    own_nats.kill()
    own_nats.start()
    assert await count_messages(own_nats.url) == 1


def test_what_nats_acknowledges_is_on_disk(own_nats: nats.Running, folder: Path) -> None:
    """Only with this setting: by default it is written out every two minutes."""
    configuration = json.loads(next((folder / "nats").glob("*.conf")).read_text())
    assert configuration["jetstream"]["sync_interval"] == "always"
    assert "sync_interval: always" in Path("deploy/docker/nats.conf").read_text()


async def test_nats_comes_back_empty_after_a_wipe(own_nats: nats.Running) -> None:
    await publish_one(own_nats.url)
    own_nats.stop()
    own_nats.wipe()
    own_nats.start()
    with pytest.raises(nats_client.js.errors.NotFoundError):
        await count_messages(own_nats.url)


async def test_nats_lets_nobody_in_without_the_password(own_nats: nats.Running) -> None:
    async def quiet(_: Exception) -> None:
        pass

    client = NatsClient()
    bare = own_nats.url.replace(f"{nats.USER}:{own_nats.password}@", "")
    with pytest.raises(nats_client.errors.Error, match="Authorization"):
        await client.connect(bare, allow_reconnect=False, error_cb=quiet, max_reconnect_attempts=1)
    await client.close()
