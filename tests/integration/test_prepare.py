"""The step before a rollout: an empty database becomes one that services can use, by a folder of secrets."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy import credentials, prepare
from deploy.local import database
from tests import backends


def aim(folder: Path, at: backends.Database) -> dict[str, str]:
    """Make an installation's secrets, with this server in place of theirs; returns the URL of each role."""
    credentials.write(folder)
    urls: dict[str, str] = {}
    for file in folder.glob("*-database-url"):
        made = urlsplit(file.read_text())
        url = database.login(at.superuser_dsn, made.username or "", made.password or "")
        file.unlink()
        file.write_text(at.superuser_dsn if file.name == prepare.ADMINISTRATOR else url)
        urls[made.username or ""] = url
    return urls


async def user_of(url: str) -> str:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.fetchval("SELECT count(*) FROM log.events")
        return str(await connection.fetchval("SELECT current_user"))
    finally:
        await connection.close()


def test_every_role_is_let_in_however_often_the_step_is_repeated(
    postgres: backends.PostgresServer, tmp_path: Path
) -> None:
    empty = postgres.create_database("template0")
    try:
        urls = aim(tmp_path / "secrets", empty)
        for _ in range(2):
            asyncio.run(prepare.prepare(tmp_path / "secrets"))
        assert asyncio.run(user_of(urls["redress_intake"])) == "redress_intake"
        assert asyncio.run(user_of(urls["redress_auditor"])) == "redress_auditor"
    finally:  # roles belong to the server: other tests need the passwords they had
        backends.run(database.create(empty.superuser_dsn, empty.name, postgres.passwords))
        postgres.drop_database(empty)


def test_a_database_that_is_away_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / prepare.ADMINISTRATOR).write_text("postgresql://postgres:wrong@127.0.0.1:1/redress\n")
    monkeypatch.setattr("sys.argv", ["prepare", str(secrets)])
    with pytest.raises(SystemExit, match="the database cannot be prepared"):
        prepare.main()
