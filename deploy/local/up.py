"""`redress up` and `redress down`: a whole system on this machine, from an empty folder, in seconds."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deploy.local import database, nats, ports, postgres, process, services, stand_in, tokens
from deploy.local.folder import AlreadyUp, Folder, KeyMissing, NotUp
from deploy.local.supervisor import Supervisor, until_signal

DATABASE = "redress"
DOWN_SECONDS = 90.0
LEFTOVERS_SECONDS = 10.0
PAUSE_SECONDS = 0.1
REFUSALS = (  # what a person can mend, and is told in a line
    AlreadyUp,
    KeyMissing,
    ports.PortTaken,
    postgres.CannotPrepare,
    stand_in.CannotStandIn,
    process.NotReady,
    OSError,
    ValueError,
)

DataDir = Annotated[Path, typer.Option("--data-dir", help="Folder of the system: database, secrets, logs.")]
Ports = Annotated[
    str, typer.Option("--ports", envvar="REDRESS_PORTS", help="First port, or NAME=PORT,..., or both.")
]
DEFAULT_DATA_DIR = Path(".redress")


@dataclass(frozen=True)
class System:
    """A system that is up. The URLs hold passwords."""

    folder: Folder
    service_urls: dict[str, str]
    database_urls: dict[str, str]
    nats_url: str

    def state(self, pids: dict[str, int]) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "processes": pids,
            "log": database.LOG,
            "services": self.service_urls,
            "databases": self.database_urls,
            "nats": self.nats_url,
            "key_file": str(self.folder.key_file),
            "jwks_file": str(self.folder.jwks_file),
            "attachments": str(self.folder.attachments),
        }


@contextlib.asynccontextmanager
async def running(
    folder: Folder, chosen: dict[str, int], say: Callable[[str], None], *, clean: bool = False
) -> AsyncIterator[System]:
    """Start everything, and stop it at the end; raises one of REFUSALS.

    `clean`: in an emptied folder; nothing is deleted before it is sure that nobody is up here or at a port.
    """
    with folder.locked():
        await asyncio.to_thread(require_free, folder, chosen)
        if clean:
            folder.clean()
        folder.prepare()
        cluster = postgres.prepare(folder.postgres, chosen["postgres"], folder.logs / "postgres.log")
        stream = nats.prepare(folder.nats, chosen["nats"], folder.logs / "nats.log")
        system = describe(folder, chosen, cluster, stream)
        supervisor = Supervisor(say, changed=lambda: folder.write_state(system.state(supervisor.pids)))
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(folder.state.unlink, missing_ok=True)
            await stack.enter_async_context(supervisor)
            await supervisor.start(cluster.program, stream.program)
            await database.create(cluster.dsn_superuser, DATABASE, folder.passwords())
            urls = {name: system.database_urls[services.role(name)] for name in services.OFFSETS}
            await supervisor.start(
                *(services.program(name, chosen[name], folder, urls[name], stream.url) for name in urls)
            )
            yield system


def describe(
    folder: Folder, chosen: dict[str, int], cluster: postgres.Running, stream: nats.Running
) -> System:
    roles = {role: cluster.dsn(role, password, DATABASE) for role, password in folder.passwords().items()}
    superuser = database.within(cluster.dsn_superuser, DATABASE)
    urls = {name: services.url(chosen[name]) for name in services.OFFSETS}
    return System(folder, urls, roles | {postgres.SUPERUSER: superuser}, stream.url)


def require_free(folder: Folder, chosen: dict[str, int]) -> None:
    """Raise PortTaken; but after a killed `up`, whose processes may still be stopping, wait a little."""
    deadline = time.monotonic() + (LEFTOVERS_SECONDS if folder.state.exists() else 0.0)
    while time.monotonic() < deadline and any(map(ports.taken, chosen.values())):
        time.sleep(PAUSE_SECONDS)
    ports.require_free(chosen)


def up(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    wanted: Ports = str(ports.FIRST),
    clean: Annotated[bool, typer.Option("--clean", help="Delete everything in the folder first.")] = False,
) -> None:
    """Start all services with PostgreSQL and NATS, until Ctrl-C or `redress down`."""
    folder = Folder.at(data_dir)
    try:
        chosen = ports.choose(wanted)
        asyncio.run(stay_up(folder, chosen, clean))
    except REFUSALS as why:
        typer.echo(str(why), err=True)
        raise typer.Exit(1) from None


async def stay_up(folder: Folder, chosen: dict[str, int], clean: bool) -> None:
    started = time.monotonic()
    async with until_signal(), running(folder, chosen, typer.echo, clean=clean):
        typer.echo(f"Redress is up after {time.monotonic() - started:.1f} s; its files are in {folder.path}")
        typer.echo(f"A token to try it with: {folder.command('token')}")
        typer.echo(f"To stop: Ctrl-C, or {folder.command('down')}")
        await asyncio.Event().wait()


def down(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Stop the system that is up."""
    folder = Folder.at(data_dir)
    pid = folder.holder()
    if not pid:
        typer.echo(f"no redress is up in {folder.path}", err=True)
        raise typer.Exit(1)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while folder.holder() == pid:
        if time.monotonic() > deadline:
            typer.echo(f"process {pid} is still stopping after {DOWN_SECONDS:g} s", err=True)
            raise typer.Exit(1)
        time.sleep(PAUSE_SECONDS)
    typer.echo("Redress is down.")


def token(
    org: Annotated[str, typer.Option(help="Organisation, which is the name of its log.")] = database.LOG,
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"May be repeated; without it all: {', '.join(tokens.SCOPES)}."),
    ] = None,
    subject: Annotated[str, typer.Option(help="Who acts; goes into the audit trail.")] = "local",
    ttl: Annotated[int, typer.Option(min=1, help="Seconds until the token expires.")] = tokens.TTL_SECONDS,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print a token for the local system."""
    folder = Folder.at(data_dir)
    if not folder.jwks_file.exists():
        typer.echo(str(NotUp(f"no redress was ever up in {folder.path}")), err=True)
        raise typer.Exit(1)
    scopes = tuple(word for given in scope or tokens.SCOPES for word in given.split())
    if unknown := ", ".join(sorted(set(scopes) - set(tokens.SCOPES))):
        raise typer.BadParameter(f"{unknown}: there is no such scope", param_hint="--scope")
    typer.echo(tokens.mint(folder.signing_keys(), org, scopes, subject, ttl))
