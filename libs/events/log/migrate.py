"""Brings a database to the newest schema: roles, the log, every service's tables; opens logs, lets roles in.

`python -m libs.events.log.migrate upgrade | set-passwords ROLE=FILE... | create-log NAME`, on the database of
REDRESS_DATABASE_URL or REDRESS_DATABASE_URL_FILE.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command, config, op
from sqlalchemy import Connection, pool, util
from sqlalchemy.ext.asyncio import create_async_engine

HERE: Final = Path(__file__).parent
SERVICES: Final = HERE.parents[2] / "services"
CONNECT_SECONDS: Final = 10.0
OWNER: Final = "redress_owner"


async def upgrade(dsn: str) -> None:
    """Run every migration not yet run: all or none. `dsn` is an administrator's, or later redress_owner's."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: _connect(dsn), poolclass=pool.NullPool
    )
    try:
        await _prepare_roles(dsn)
        async with engine.begin() as connection:
            await connection.run_sync(_run_migrations)
    finally:
        await engine.dispose()


async def set_passwords(dsn: str, passwords: Mapping[str, str]) -> None:
    """Let roles in with these passwords."""
    connection = await _connect(dsn)
    try:
        for role, password in passwords.items():
            statement = "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)"
            await connection.execute(await connection.fetchval(statement, role, password))
    finally:
        await connection.close()


async def create_log(dsn: str, name: str) -> None:
    """Open an organisation's log, named with a-z, 0-9, `-` and `_`; nothing changes when it is there."""
    connection = await _connect(dsn)
    try:
        await connection.execute(f"SET ROLE {OWNER}")
        await connection.execute("SELECT log.create_log($1)", name)
    finally:
        await connection.close()


def run_script(text: str) -> None:
    """Run many SQL statements at once, inside the migration that calls this."""
    op.execute("SELECT 1")  # SQLAlchemy opens the transaction with its first statement
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    util.await_only(driver.execute(text))


def migration_folders() -> list[Path]:
    """The log's own, and each service's: found by its folder, for nothing here may import a service."""
    return [HERE / "migrations" / "versions", *sorted(SERVICES.glob("*/migrations"))]


def _run_migrations(connection: Connection) -> None:
    settings = config.Config()
    settings.set_main_option("script_location", str(HERE / "migrations"))
    settings.set_main_option("path_separator", "newline")
    settings.set_main_option("version_locations", "\n".join(map(str, migration_folders())))
    settings.attributes["connection"] = connection
    command.upgrade(settings, "heads")


async def _prepare_roles(dsn: str) -> None:
    """Run roles.sql, unless we are the owner, who exists only where an administrator has run it."""
    connection = await _connect(dsn)
    try:
        if await connection.fetchval("SELECT current_user") != OWNER:
            await connection.execute((HERE / "roles.sql").read_text())
    finally:
        await connection.close()


async def _connect(dsn: str) -> asyncpg.Connection:
    return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)


def _dsn_from_environment() -> str:
    file = os.environ.get("REDRESS_DATABASE_URL_FILE")
    if file is not None:
        return Path(file).read_text().strip()
    if "REDRESS_DATABASE_URL" not in os.environ:
        raise SystemExit("set REDRESS_DATABASE_URL, or REDRESS_DATABASE_URL_FILE to a file that holds it")
    return os.environ["REDRESS_DATABASE_URL"]


def _passwords_from_files(pairs: list[str]) -> dict[str, str]:
    return {role: Path(file).read_text().strip() for role, _, file in (pair.partition("=") for pair in pairs)}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m libs.events.log.migrate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("upgrade", help="run every migration not yet run")
    passwords = commands.add_parser("set-passwords", help="let roles in")
    passwords.add_argument("pairs", nargs="+", metavar="ROLE=FILE", help="and the file with its password")
    commands.add_parser("create-log", help="open an organisation's log").add_argument("name")
    given = parser.parse_args()
    dsn = _dsn_from_environment()
    match given.command:
        case "upgrade":
            asyncio.run(upgrade(dsn))
        case "set-passwords":
            asyncio.run(set_passwords(dsn, _passwords_from_files(given.pairs)))
        case "create-log":
            asyncio.run(create_log(dsn, given.name))


if __name__ == "__main__":
    main()
