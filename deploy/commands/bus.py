"""`redress bus`: is the bus in step with the log, what waits for a person, and how to set either right."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from deploy import quiet
from deploy.commands import audit, source
from deploy.commands.source import Source
from deploy.local import up
from deploy.local.folder import Folder
from libs.events import bus, errors, lease, parked, stream
from libs.events.connection import Connection
from libs.events.log.postgres import PostgresLog
from libs.events.relay import Carrier

commands = typer.Typer(no_args_is_help=True, help="Look after the bus: status, rebuild, parked events.")
CONNECT_SECONDS = 5.0
RETRY_SECONDS = 0.1

Log = Annotated[str | None, typer.Option("--log", help="Only this organisation's log.")]
Consumer = Annotated[str | None, typer.Option("--consumer", help="Only this consumer.")]
NatsUrl = Annotated[
    str | None, typer.Option("--nats", envvar="REDRESS_NATS_URL", help="URL of another NATS.")
]


commands.callback()(quiet.quietly)


@commands.command()
def status(
    log: Log = None,
    database_url: audit.Database = None,
    nats_url: NatsUrl = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
    as_json: audit.AsJson = False,
) -> None:
    """Compare every stream with its log: status 1 where one disagrees. A lag is no disagreement."""

    async def look() -> dict[str, Any]:
        async with opened(data_dir, database_url, nats_url) as desk:
            names = await desk.log.logs() if log is None else [log]
            holders = [dict(row) for row in await desk.database.fetch(lease.HOLDERS)]
            return {"logs": [await desk.look_at(name) for name in names], "leases": holders}

    found = source.carry_out(look)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        tell(found)
    raise typer.Exit(1 if any(each["fault"] for each in found["logs"]) else 0)


@commands.command()
def rebuild(
    log: Annotated[str, typer.Argument(help="The organisation, which is the name of its log.")],
    database_url: audit.Database = None,
    nats_url: NatsUrl = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
) -> None:
    """Throw a log's stream away and fill it again, to the same numbers; consumers go on where they were."""

    async def carry() -> int:
        async with opened(data_dir, database_url, nats_url) as desk:
            return await desk.rebuild(log)

    typer.echo(f"{log}: the stream holds {source.carry_out(carry):,} events again")


@commands.command("parked")
def list_parked(
    log: Log = None,
    consumer: Consumer = None,
    database_url: audit.Database = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
    as_json: audit.AsJson = False,
) -> None:
    """List the events that wait for a person, and why. `redress audit replay` tells what is in them."""

    async def read() -> list[parked.Parked]:
        async with connected(Source(data_dir, database_url).dsn(source.AUDITOR)) as database:
            found = await parked.everything(database)
        return [each for each in found if log in (None, each.log) and consumer in (None, each.consumer)]

    waiting = source.carry_out(read)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(each) for each in waiting], default=str))
    else:
        for each in waiting:
            place = f"{each.log} {each.seq}  {each.consumer}  {each.type}  {each.parked_at.isoformat()}"
            typer.echo(f"{place}\n    {each.reason} ({each.attempts} attempts; lane {each.lane})")
        typer.echo(f"{len(waiting)} events parked")


@commands.command()
def redrive(
    seqs: Annotated[
        list[int] | None, typer.Argument(help="Events; each brings those of its complaint.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every event that is parked.")] = False,
    log: Log = None,
    consumer: Consumer = None,
    database_url: audit.Database = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
) -> None:
    """Send parked events round again, each complaint's in order; running consumers take them at once."""
    if bool(seqs) == everything:
        raise typer.BadParameter("name events by their seq, or say --all")

    async def mark() -> int:
        async with connected(Source(data_dir, database_url).dsn(source.OVERSIGHT)) as database:
            return await parked.mark_for_redrive(database, log, consumer, seqs or [])

    typer.echo(f"{source.carry_out(mark)} events go round again")


@dataclass(frozen=True)
class Desk:
    """What the commands work with."""

    log: PostgresLog
    connection: Connection
    database: asyncpg.Pool

    async def look_at(self, name: str) -> dict[str, Any]:
        head = (await self.log.head(name)).seq
        found = await stream.inspect(self.connection, self.log, name)
        missing = "there is no stream" if found.last is None and head else None
        waiting = [each.consumer for each in await parked.everything(self.database) if each.log == name]
        return {
            "log": name,
            "head": head,
            "stream": found.last,
            "lag": head - (found.last or 0),
            "fault": found.fault or missing,
            "consumers": await self._consumers(name, found.last is not None, waiting),
        }

    async def _consumers(self, name: str, carried: bool, waiting: list[str]) -> list[dict[str, Any]]:
        """Those JetStream knows, those with a checkpoint, and those with something parked."""
        served = await self.connection.jetstream.consumers_info(bus.stream_of(name)) if carried else []
        known = {each.name: each for each in served}
        checkpoints = await parked.checkpoints(self.database, name)
        return [
            {
                "consumer": consumer,
                "checkpoint": checkpoints.get(consumer, 0),
                "parked": waiting.count(consumer),
                "ack_floor": each.ack_floor.stream_seq if each and each.ack_floor else None,
                "pending": each.num_ack_pending if each else None,
                "lag": (each.num_pending or 0) + (each.num_ack_pending or 0) if each else None,
            }
            for consumer in sorted(known.keys() | checkpoints.keys() | set(waiting))
            for each in [known.get(consumer)]
        ]

    async def rebuild(self, name: str) -> int:
        head = (await self.log.head(name)).seq
        await stream.delete(self.connection, name)
        carrier = Carrier(self.log, self.connection, name)
        with audit.progressing("rebuild") as progress:
            while True:
                try:
                    return await carrier.catch_up(lambda last: progress(last, head))
                except stream.Overtaken:  # a running relay fills it too: between us, each event once
                    await asyncio.sleep(RETRY_SECONDS)


@asynccontextmanager
async def opened(data_dir: Path, database_url: str | None, nats_url: str | None) -> AsyncIterator[Desk]:
    dsn = Source(data_dir, database_url).dsn(source.AUDITOR)
    url = nats_url or str(Folder.at(data_dir).read_state()["nats"])
    async with Connection(url) as connection, PostgresLog(dsn) as log, connected(dsn) as database:
        try:
            await asyncio.wait_for(connection.until_connected(), CONNECT_SECONDS)
        except TimeoutError:
            raise errors.Unavailable("The bus does not answer.") from None
        yield Desk(log, connection, database)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(dsn, min_size=0, max_size=1, timeout=CONNECT_SECONDS) as database:
        yield database


def tell(found: dict[str, Any]) -> None:
    console = Console()
    for each in found["logs"]:
        state = each["fault"] or "agrees with the log"
        typer.echo(f"{each['log']}: head {each['head']}, stream {each['stream']}, lag {each['lag']}: {state}")
        if each["consumers"]:
            console.print(table(each["consumers"]))
    console.print(table(found["leases"]))


def table(rows: list[dict[str, Any]]) -> Table:
    made = Table(*(rows[0] if rows else ["no leases"]))
    for row in rows:
        made.add_row(*("-" if value is None else str(value) for value in row.values()))
    return made
