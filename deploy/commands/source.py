"""Where the commands for auditors find a log: a running system, a database, or an exported file."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import typer

from deploy.local.folder import Folder, NotUp
from libs.events import errors, export
from libs.events import store as events
from libs.events.envelope import Envelope
from libs.events.keys import KeyEncryptionKey
from libs.events.log.postgres import PostgresLog

T = TypeVar("T")

AUDITOR = "redress_auditor"
OVERSIGHT = "redress_oversight"
REFUSALS = (errors.Failure, NotUp, OSError, EOFError, ValueError)  # what a person can mend
REFUSED = 2  # the status; 1 says that something was altered


@dataclass(frozen=True)
class Source:
    """What the options of a command name. The first that is given counts: file, database, running system."""

    data_dir: Path
    database: str | None = None
    file: Path | None = None

    def dsn(self, role: str) -> str:
        """The database's URL, which names its own role, or the running system's for `role`."""
        if self.file is not None:
            raise ValueError("this needs a database, not a file")
        if self.database is not None:
            return self.database
        return str(Folder.at(self.data_dir).read_state()["databases"][role])

    @asynccontextmanager
    async def log(self, role: str = AUDITOR) -> AsyncIterator[PostgresLog]:
        async with PostgresLog(self.dsn(role)) as log:
            yield log

    async def pages(self, name: str, after: int, complaint: UUID | None) -> AsyncIterator[list[Envelope]]:
        """The events after a seq, some at a time; of one complaint where it is given."""
        if self.file is not None:
            for page in export.pages(self.file):
                yield [e for e in page if e.seq > after and complaint in (None, e.complaint_id)]
            return
        async with self.log() as log:
            upto = (await log.head(name)).seq
            while page := await log.read(name, after, events.PAGE_EVENTS, complaint):
                yield [e for e in page if e.seq <= upto]
                after = page[-1].seq
                if after >= upto:
                    return

    def key_encryption_key(self, key_file: Path | None) -> KeyEncryptionKey | None:
        """From the file given, REDRESS_KEY_FILE, or the running system's; a file holds no data keys."""
        given = key_file or os.environ.get("REDRESS_KEY_FILE")
        if self.file is not None:
            return None
        if given is None and self.database is None:
            given = Folder.at(self.data_dir).read_state()["key_file"]
        return KeyEncryptionKey.from_file(Path(given)) if given else None


def carry_out(work: Callable[[], Awaitable[T]]) -> T:
    """Run it; what a person can mend becomes one line on standard error and status 2."""

    async def run() -> T:
        return await work()

    try:
        return asyncio.run(run())
    except BrokenPipeError:  # whoever reads what we print has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(REFUSED) from None
    except REFUSALS as why:
        typer.echo(str(why), err=True)
        raise typer.Exit(REFUSED) from None
