"""The database of a local system: its roles, its passwords, its schema, its log."""

from urllib.parse import urlsplit, urlunsplit

import asyncpg

from libs.events.log import migrate

LOG = "main"
ROLES = (
    "redress_owner",
    "redress_intake",
    "redress_investigation",
    "redress_resolution",
    "redress_notifier",
    "redress_oversight",
    "redress_auditor",
)
CONNECT_SECONDS = 10


async def create(dsn_superuser: str, name: str, passwords: dict[str, str]) -> None:
    """Make the database, bring it to the newest schema, let each role in with its password, and open the log.
    May be repeated: what is there stays."""
    await create_empty(dsn_superuser, name)
    dsn = within(dsn_superuser, name)
    await migrate.upgrade(dsn)
    await migrate.set_passwords(dsn, passwords)
    await migrate.create_log(dsn, LOG)


async def create_empty(dsn_superuser: str, name: str, template: str = "template0") -> None:
    """CREATE DATABASE, unless it exists; from a template nobody is connected to."""
    connection = await asyncpg.connect(dsn_superuser, timeout=CONNECT_SECONDS)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()


async def drop(dsn_superuser: str, name: str) -> None:
    """DROP DATABASE, whoever is still connected."""
    connection = await asyncpg.connect(dsn_superuser, timeout=CONNECT_SECONDS)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


def within(dsn: str, database: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


def login(dsn: str, role: str, password: str) -> str:
    """The same server and database, another role."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{host}"))
