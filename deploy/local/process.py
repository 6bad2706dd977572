"""A program we run as our own child: what to start, how to see that it is ready, how to stop it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
PROBE_PAUSE_SECONDS = 0.05
LOG_TAIL_LINES = 15
LOG_BYTES_MAX = 32 * 1024 * 1024  # then a log begins anew, and the one before is kept beside it


class NotReady(Exception):
    """A program ended, or stayed silent, before it was ready."""

    def __init__(self, program: "Program", what: str) -> None:
        tail = "\n".join(program.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        super().__init__(f"{program.name} {what}; the end of {program.log}:\n{tail}")


@dataclass(frozen=True)
class Program:
    """What to start. `before` is called before each start, `ready` until it says yes: in any thread, and with
    short deadlines of their own."""

    name: str
    command: tuple[str, ...]
    log: Path
    address: str
    ready: Callable[[], bool]
    before: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    ready_seconds: float = 30.0
    stop_seconds: float = 10.0


def tethered(command: tuple[str, ...], user: str, death_signal: signal.Signals) -> tuple[str, ...]:
    """The same command, run as `user` ("" for ourselves) and sent `death_signal` when we die."""
    python = (sys.executable, "-I", "-S")
    return (*python, str(TETHER), str(os.getpid()), str(int(death_signal)), user, *command)


class Child:
    """A running program. It gets its own session, so Ctrl-C in the terminal reaches only us, who stop all in
    order; it dies with the thread that made this object (see tether.py)."""

    def __init__(self, program: Program) -> None:
        self.program = program
        with program.log.open("ab") as log:
            self._popen = subprocess.Popen(
                tethered(program.command, program.user, program.stop_signal),
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._popen.poll()

    def bound_log(self) -> None:
        """Begin its log anew where it has grown too long; a line written at that very moment may be lost."""
        log = self.program.log
        if log.stat().st_size > LOG_BYTES_MAX:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)  # the program appends, so it goes on at the beginning

    def wait_ready(self) -> None:
        """Return once the probe answers yes; raises NotReady when it ended first or took too long."""
        deadline = time.monotonic() + self.program.ready_seconds
        while time.monotonic() < deadline:
            if self.exit_status is not None:
                raise NotReady(self.program, f"ended with status {self.exit_status} before it was ready")
            if self.program.ready():
                return
            time.sleep(PROBE_PAUSE_SECONDS)
        raise NotReady(self.program, f"was not ready after {self.program.ready_seconds:g} s")

    def stop(self) -> None:
        """Ask it to stop and wait; kill it if it takes longer than it may."""
        if self.exit_status is not None:
            return
        self._popen.send_signal(self.program.stop_signal)
        try:
            self._popen.wait(self.program.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.exit_status is not None:
            return
        self._popen.kill()
        self._popen.wait(self.program.stop_seconds)


def start(program: Program) -> Child:
    """Start a program and wait until it is ready; raises NotReady, and then nothing of it is left running."""
    program.before()
    child = Child(program)
    try:
        child.wait_ready()
    except BaseException:
        child.stop()
        raise
    return child


@dataclass
class Server:
    """A program with the hands to start it, stop it, hurt it and start it again."""

    program: Program
    _child: Child | None = field(default=None, init=False, repr=False)

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.exit_status is None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError(f"{self.program.name} was not started")
        return self._child.pid

    def start(self) -> None:
        """Start and wait until ready; nothing to do where it runs."""
        if not self.alive:
            self._child = start(self.program)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()


def plain_environment() -> dict[str, str]:
    """What every child needs and nothing that could bend it (no PG* and no REDRESS_* of the caller's)."""
    kept = ("PATH", "PYTHONPATH", "HOME", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C.UTF-8"}
