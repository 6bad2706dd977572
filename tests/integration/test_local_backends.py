"""Whatever the backend, tests get fresh databases quickly and servers that survive what tests do to them."""

import os
import subprocess
import sys

import asyncpg
import nats as nats_client
import pytest

from deploy.local import database as roles
from tests import backends


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_database_can_be_made_and_dropped(postgres: backends.PostgresServer) -> None:
    empty = postgres.create_database(template="template0")
    assert await ask(empty.superuser_dsn, "SELECT current_database()") == empty.name
    postgres.drop_database(empty)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await ask(empty.superuser_dsn, "SELECT 1")


@pytest.mark.parametrize("role", roles.ROLES)
async def test_every_role_gets_into_a_fresh_database(module_database: backends.Database, role: str) -> None:
    assert await ask(module_database.dsn(role), "SELECT current_user") == role


async def test_each_test_has_a_database_of_its_own(
    database: backends.Database, module_database: backends.Database
) -> None:
    await ask(database.superuser_dsn, "CREATE TABLE mine AS SELECT 1 AS one")
    assert await ask(module_database.superuser_dsn, "SELECT to_regclass('mine')") is None


async def test_postgres_comes_back_after_a_kill(postgres: backends.PostgresServer) -> None:
    empty = postgres.create_database(template="template0")
    await ask(empty.superuser_dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    postgres.kill()
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await ask(empty.superuser_dsn, "SELECT 1")
    postgres.start()
    assert await ask(empty.superuser_dsn, "SELECT one FROM kept") == 1
    postgres.drop_database(empty)


async def test_nats_keeps_a_stream_through_a_kill_and_loses_it_in_a_wipe(
    nats_server: backends.NatsServer,
) -> None:
    async def count() -> int:
        client = await nats_client.connect(nats_server.url, allow_reconnect=False)
        try:
            return (await client.jetstream().stream_info("backend_test")).state.messages
        finally:
            await client.close()

    client = await nats_client.connect(nats_server.url, allow_reconnect=False)
    await client.jetstream().add_stream(name="backend_test", subjects=["backend_test"])
    await client.jetstream().publish("backend_test", b"1")
    await client.close()
    nats_server.kill()
    nats_server.start()
    assert await count() == 1
    nats_server.wipe()
    with pytest.raises(nats_client.js.errors.NotFoundError):
        await count()


def test_servers_of_somebody_else_are_used_and_not_stopped(
    postgres_server: backends.PostgresServer, session_nats_server: backends.NatsServer
) -> None:
    """What needs to stop a server says in the end, in capitals, that it did not run."""
    given = {
        "COMPLAINTS_TEST_BACKEND": "external",
        "COMPLAINTS_TEST_DATABASE_URL": postgres_server.superuser_dsn,
        "COMPLAINTS_TEST_NATS_URL": session_nats_server.url,
    }
    chosen = "gets_into_a_fresh_database or comes_back_after_a_kill"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", chosen]
    told = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, timeout=60).stdout
    assert f"{len(roles.ROLES)} passed, 1 skipped" in told
    assert "NOT TESTED" in told
    assert "tests that stop servers did not run: an external server is not ours to stop" in told


async def test_an_unknown_backend_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLAINTS_TEST_BACKEND", "embeded")
    with pytest.raises(ValueError, match="embeded"):
        backends.chosen()
