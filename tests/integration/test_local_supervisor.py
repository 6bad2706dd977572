"""The supervisor starts in order, restarts what crashes, stops in reverse order, and leaves no orphan."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import ports, process, supervisor
from tests import backends

DEADLINE_SECONDS = 20.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with backends.temporary_folder() as made:
        yield made


def shell(folder: Path, name: str, script: str, **how: object) -> process.Program:
    """A program that is ready when it has written its file."""
    mark = folder / f"{name}.ready"
    return process.Program(
        name=name,
        command=("sh", "-c", script.replace("READY", f"echo $$ >> {mark}")),
        log=folder / f"{name}.log",
        address="nowhere",
        ready=mark.exists,
        environment=process.plain_environment(),
        **how,  # type: ignore[arg-type]  # any field of Program
    )


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():  # noqa: ASYNC110 - a process outside tells us nothing
            await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    """Dead; perhaps not yet collected by its new parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def test_programs_stop_in_reverse_order(folder: Path) -> None:
    said: list[str] = []
    async with supervisor.Supervisor(said.append) as watched:
        await watched.start(shell(folder, "first", "READY; exec sleep 60"))
        await watched.start(shell(folder, "second", "READY; exec sleep 60"))
        pids = watched.pids
    assert [line.split()[:2] for line in said] == [
        ["first", "ready"],
        ["second", "ready"],
        ["second", "stopped"],
        ["first", "stopped"],
    ]
    assert all(gone(pid) for pid in pids.values())


async def test_programs_started_together_do_not_wait_for_each_other(folder: Path) -> None:
    """The first is ready only when the second is; what is said, and how they stop, keeps their order."""
    said: list[str] = []
    async with supervisor.Supervisor(said.append) as watched:
        waits = f"while [ ! -e {folder}/second.ready ]; do sleep 0.02; done; READY; exec sleep 60"
        first = shell(folder, "first", waits, ready_seconds=DEADLINE_SECONDS)
        await watched.start(first, shell(folder, "second", "READY; exec sleep 60"))
        assert list(watched.pids) == ["first", "second"]
    assert [line.split()[0] for line in said] == ["first", "second", "second", "first"]


async def test_of_programs_started_together_none_is_left_when_one_fails(folder: Path) -> None:
    said: list[str] = []

    async def start_both() -> None:
        fails = f"while [ ! -e {folder}/good.ready ]; do sleep 0.02; done; exit 7"
        async with supervisor.Supervisor(said.append) as watched:
            good = shell(folder, "good", "READY; exec sleep 60")
            await watched.start(shell(folder, "bad", fails, ready_seconds=DEADLINE_SECONDS), good)

    with pytest.raises(process.NotReady, match="bad ended with status 7"):
        await start_both()
    assert gone(int((folder / "good.ready").read_text()))


async def test_a_log_is_kept_from_filling_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LOG_BYTES_MAX", 5_000)
    chatty = shell(folder, "chatty", "READY; while :; do echo 0123456789; sleep 0.001; done")
    before = chatty.log.with_name("chatty.log.1")
    async with supervisor.Supervisor(lambda _: None) as watched:
        await watched.start(chatty)
        await eventually(before.exists)
        assert before.stat().st_size > 5_000
        await eventually(lambda: 0 < chatty.log.stat().st_size < 5_000)
    assert set(before.read_text().splitlines()[1:-1]) == {"0123456789"}


async def test_a_crashed_program_is_restarted_and_said_so(folder: Path) -> None:
    said: list[str] = []
    changes: list[int] = []
    async with supervisor.Supervisor(said.append, lambda: changes.append(1)) as watched:
        await watched.start(shell(folder, "fragile", "READY; exec sleep 60"))
        first = watched.pids["fragile"]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: len(changes) == 2)
        assert watched.pids["fragile"] != first
    assert "crashed  by SIGKILL" in said[1]
    assert "ready" in said[2]


async def test_the_pause_grows_while_a_program_keeps_crashing(folder: Path) -> None:
    said: list[str] = []
    async with supervisor.Supervisor(said.append) as watched:
        await watched.start(shell(folder, "hopeless", "READY; sleep 0.3; exit 3"))
        await eventually(lambda: sum("crashed  status 3" in line for line in said) >= 3)
    pauses = [line.rpartition("again in ")[2] for line in said if "crashed" in line]
    assert pauses[:3] == ["0.2 s", "0.4 s", "0.8 s"]


async def test_a_program_that_is_never_ready_stops_everything_and_says_why(folder: Path) -> None:
    said: list[str] = []

    async def start_good_then_bad() -> None:
        async with supervisor.Supervisor(said.append) as watched:
            await watched.start(shell(folder, "first", "READY; exec sleep 60"))
            await watched.start(shell(folder, "second", "echo out of cheese; exit 7"))

    with pytest.raises(process.NotReady, match="ended with status 7") as refusal:
        await start_good_then_bad()
    assert "out of cheese" in str(refusal.value)
    assert said[-1].split()[:2] == ["first", "stopped"]


async def test_a_program_that_ignores_its_signal_is_killed(folder: Path) -> None:
    said: list[str] = []
    async with supervisor.Supervisor(said.append) as watched:
        stubborn = "trap '' TERM; READY; while :; do sleep 0.1; done"
        await watched.start(shell(folder, "stubborn", stubborn, stop_seconds=0.5))
    assert "by SIGKILL" in said[-1]


SUPERVISED_SERVERS = """
    import asyncio, sys
    from pathlib import Path
    from deploy.local import nats, postgres, supervisor

    async def main():
        folder = Path(sys.argv[1])
        cluster = postgres.prepare(folder / "postgres", int(sys.argv[2]), folder / "postgres.log")
        stream = nats.prepare(folder / "nats", int(sys.argv[3]), folder / "nats.log")
        say = lambda line: print(line, flush=True)
        async with supervisor.until_signal(), supervisor.Supervisor(say) as watched:
            await watched.start(cluster.program)
            await watched.start(stream.program)
            print(*watched.pids.values(), flush=True)
            await asyncio.Event().wait()

    asyncio.run(main())
"""


@pytest.fixture
def supervised(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A supervisor in a process of its own, with both servers."""
    command = [sys.executable, "-c", textwrap.dedent(SUPERVISED_SERVERS), str(folder)]
    command += [str(ports.free()), str(ports.free())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        yield started
        started.terminate()


def server_pids(supervised: subprocess.Popen[str]) -> list[int]:
    assert supervised.stdout is not None
    for line in supervised.stdout:
        if line[0].isdigit():
            return [int(pid) for pid in line.split()]
    raise AssertionError("the supervisor ended before its servers were ready")


async def test_no_orphan_is_left_when_the_supervisor_is_killed(supervised: subprocess.Popen[str]) -> None:
    pids = server_pids(supervised)
    supervised.kill()
    await eventually(lambda: all(gone(pid) for pid in pids))


@pytest.mark.parametrize("number", supervisor.STOP_SIGNALS)
def test_a_signal_stops_all_cleanly(
    supervised: subprocess.Popen[str], folder: Path, number: signal.Signals
) -> None:
    pids = server_pids(supervised)
    supervised.send_signal(number)
    said, _ = supervised.communicate(timeout=DEADLINE_SECONDS)
    assert supervised.returncode == 0
    assert [line.split()[0] for line in said.splitlines()] == ["nats", "postgres"]
    assert all(gone(pid) for pid in pids)
    assert "database system is shut down" in (folder / "postgres.log").read_text()


def test_a_killed_supervisor_can_be_followed_by_another(supervised: subprocess.Popen[str]) -> None:
    first = server_pids(supervised)
    os.kill(first[0], signal.SIGKILL)
    supervised.kill()
    supervised.wait(DEADLINE_SECONDS)
    command = supervised.args
    assert isinstance(command, list)
    command[-1] = str(ports.free())  # nats-server may hold its port for a moment
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as second:
        assert set(server_pids(second)).isdisjoint(first)
        second.terminate()


def test_start_does_not_wait_longer_than_it_may(folder: Path) -> None:
    slow = shell(folder, "slow", "exec sleep 60", ready_seconds=0.3)
    before = time.monotonic()
    with pytest.raises(process.NotReady, match=r"after 0\.3 s"):
        process.start(slow)
    assert time.monotonic() - before < DEADLINE_SECONDS
