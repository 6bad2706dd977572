"""`redress audit`: prove a log unaltered, tell it again, export it, erase a person from it."""

import getpass
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress

from deploy.commands import source, telling
from deploy.commands.source import Source
from deploy.local import database, up
from libs.events import codec, erasure, errors, export, ledger, store
from libs.events.contracts import catalogue
from libs.events.envelope import Appended, Envelope, Head
from libs.events.keys import DataKey, KeyRing
from libs.service import lean

commands = typer.Typer(no_args_is_help=True, help="Prove, tell again, export and erase what is on record.")
CONTRACTS = catalogue.MODULES  # imported, so that every type of event can be decoded

Log = Annotated[str, typer.Option("--log", help="The organisation, which is the name of its log.")]
Database = Annotated[
    str | None, typer.Option("--database", envvar="REDRESS_DATABASE_URL", help="URL of a database instead.")
]
File = Annotated[Path | None, typer.Option("--file", exists=True, help="An exported file instead.")]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="Key-encryption key for personal texts.")]
Sealed = Annotated[bool, typer.Option("--sealed", help="Leave personal texts sealed.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]


@commands.command()
def verify(
    log: Log = database.LOG,
    file: File = None,
    database_url: Database = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
    checkpoint: Annotated[Path | None, typer.Option(exists=True, help="An exported checkpoint.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute the hash chain: status 1 where something was altered, with the first bad seq."""

    async def check() -> ledger.Verdict:
        known = ledger.Checkpoint.load(checkpoint) if checkpoint else None
        if file is not None:
            return ledger.verify_pages(log, export.pages(file), known)
        async with Source(data_dir, database_url).log() as opened:
            with progressing("verify") as progress:
                return await ledger.verify(opened, log, known, progress)

    lean.settle()  # or a quarter of the time would go into looking through what is loaded
    verdict = source.carry_out(check)
    typer.echo(telling.verdict_as_json(verdict) if as_json else telling.verdict(verdict))
    raise typer.Exit(0 if verdict.sound else 1)


@commands.command()
def replay(
    log: Log = database.LOG,
    file: File = None,
    database_url: Database = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
    after: Annotated[int, typer.Option(help="Begin behind this seq.")] = 0,
    event_type: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    key_file: KeyFile = None,
    sealed: Sealed = False,
    as_json: AsJson = False,
) -> None:
    """Tell every event again, in the order it was recorded."""
    teller = Teller(Source(data_dir, database_url, file), log, key_file, sealed, as_json)
    lean.settle()
    source.carry_out(lambda: teller.tell(after, None, lambda e: event_type in (None, e.type)))


@commands.command()
def history(
    complaint_id: UUID,
    log: Log = database.LOG,
    file: File = None,
    database_url: Database = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
    as_of: Annotated[datetime | None, typer.Option(help="As it was on record at this time, in UTC.")] = None,
    key_file: KeyFile = None,
    sealed: Sealed = False,
    as_json: AsJson = False,
) -> None:
    """Tell everything that happened to one complaint, in all services."""
    until = as_of.replace(tzinfo=UTC) if as_of else None
    teller = Teller(Source(data_dir, database_url, file), log, key_file, sealed, as_json)
    source.carry_out(lambda: teller.tell(0, complaint_id, lambda e: until is None or e.at <= until))


@commands.command("export")
def export_log(
    output: Annotated[Path, typer.Argument(help="NDJSON, compressed where the name ends in .gz.")],
    log: Log = database.LOG,
    database_url: Database = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
    checkpoint: Annotated[Path | None, typer.Option(help="Also write a checkpoint of the end.")] = None,
) -> None:
    """Write every event, every column, to a file; personal texts stay sealed."""

    async def write() -> Head:
        async with Source(data_dir, database_url).log() as opened:
            head = await opened.head(log)
            with export.writing(output) as file, progressing("export") as progress:
                async for page in store.pages(opened, log, 0, head.seq):
                    file.writelines(export.to_line(envelope) + "\n" for envelope in page)
                    progress(page[-1].seq, head.seq)
            return head

    head = source.carry_out(write)
    if checkpoint is not None:
        ledger.Checkpoint.of(log, head).save(checkpoint)
    typer.echo(f"{log}: {head.seq:,} events written to {output}")


@commands.command()
def checkpoint(
    output: Annotated[Path, typer.Argument(help="JSON file.")],
    log: Log = database.LOG,
    database_url: Database = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
) -> None:
    """Write down where the log ends now; kept elsewhere, it shows a tail that is cut off later."""

    async def read() -> Head:
        async with Source(data_dir, database_url).log() as opened:
            return await opened.head(log)

    head = source.carry_out(read)
    ledger.Checkpoint.of(log, head).save(output)
    typer.echo(f"{log}: the checkpoint of seq {head.seq:,} is in {output}")


@commands.command()
def erase(
    subject: Annotated[str, typer.Argument(help="The data subject, as `data_subject` in events.")],
    reason: Annotated[str, typer.Option(help="Stays readable for ever: name nobody in it.")],
    author: Annotated[str, typer.Option(help="Who erases; you.", default_factory=getpass.getuser)],
    log: Log = database.LOG,
    database_url: Database = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
) -> None:
    """Delete the keys of a data subject, so that nobody can read their personal texts, and record that.

    With customer:ID, also what was said in their complaints before it was known whose they are.
    """

    async def carry_out() -> dict[str, Appended]:
        async with Source(data_dir, database_url).log(source.OVERSIGHT) as opened:
            return await erasure.erase(opened, log, subject, author, reason, datetime.now(UTC))

    for erased, appended in source.carry_out(carry_out).items():
        typer.echo(f"{log}: {erased} was erased; on record as seq {appended.seq:,}")


@dataclass(frozen=True)
class Teller:
    """Prints events, their personal texts opened where there is a key and nobody asked to leave them."""

    source: Source
    log: str
    key_file: Path | None
    sealed: bool
    as_json: bool

    async def tell(self, after: int, complaint: UUID | None, wanted: Callable[[Envelope], bool]) -> None:
        lean.settle()
        form = telling.event_as_json if self.as_json else telling.event
        async for envelope, fields in self._fields(after, complaint, wanted):
            typer.echo(form(envelope, fields))

    async def _fields(
        self, after: int, complaint: UUID | None, wanted: Callable[[Envelope], bool]
    ) -> AsyncIterator[tuple[Envelope, Any]]:
        key = None if self.sealed else self.source.key_encryption_key(self.key_file)
        chosen = self.source.pages(self.log, after, complaint)
        if key is None:
            async for page in chosen:
                for envelope in filter(wanted, page):
                    yield envelope, telling.stored(envelope)
            return
        async with self.source.log() as log:
            opening = store.EventStore(log, KeyRing(log, key))
            async for page in chosen:
                found = list(filter(wanted, page))
                keys = await opening.keys_of(self.log, found)
                for envelope in found:
                    yield envelope, _opened(envelope, keys)


def _opened(envelope: Envelope, keys: Mapping[UUID, DataKey]) -> Any:
    """What fits no contract is told as it is stored: an auditor sees everything."""
    try:
        return telling.opened(codec.decode(envelope, keys))
    except errors.ContractError:
        return telling.stored(envelope)


@contextmanager
def progressing(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere nothing."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield ledger.not_counted
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(what)
        yield lambda done, of: progress.update(task, completed=done, total=of)
