"""`python -m deploy.prepare DIRECTORY` makes the database what this version needs; it may be repeated.

In the directory, `admin-database-url` is of somebody who may create roles, and every other `…-database-url`
of a role, which is let in with the password in it.
"""

import asyncio
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from deploy.local import database

ADMINISTRATOR = "admin-database-url"


async def prepare(directory: Path) -> None:
    administrator = (directory / ADMINISTRATOR).read_text().strip()
    name = urlsplit(administrator).path.removeprefix("/")
    await database.create(administrator, name, passwords(directory))


def passwords(directory: Path) -> dict[str, str]:
    """The password of each role, as its own URL has it."""
    urls = [
        urlsplit(file.read_text().strip())
        for file in sorted(directory.glob("*-database-url"))
        if file.name != ADMINISTRATOR
    ]
    return {unquote(url.username or ""): unquote(url.password or "") for url in urls}


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.prepare DIRECTORY")
    try:
        asyncio.run(prepare(Path(sys.argv[1])))
    except (OSError, asyncpg.PostgresError) as why:
        sys.exit(f"the database cannot be prepared: {why}")


if __name__ == "__main__":
    main()
