"""The machine a run was made on, and its own account of which program kept how much of its cores busy."""

import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROC = Path("/proc")
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
SYNC_TRIES = 100
IDLE_SECONDS_MAX = 120.0
IDLE_LOOK_SECONDS = 0.5
IDLE_CORES_MAX = 0.1
PAGE = bytes(8192)  # what PostgreSQL writes at a time


@contextmanager
def cores_used(programs: Mapping[str, int]) -> Iterator[dict[str, float]]:
    """How many cores each program (name -> process id, with its descendants) keeps busy inside the block.

    "load" is this process with its descendants, less the programs; "others" tells how quiet the machine was.
    Empty where there is no /proc.
    """
    used: dict[str, float] = {}
    if not PROC.exists():
        yield used
        return
    began, before = time.monotonic(), _seconds(programs)
    yield used
    elapsed, after = time.monotonic() - began, _seconds(programs)
    used.update({name: max(0.0, after[name] - before[name]) / elapsed for name in after})


def until_idle(programs: Mapping[str, int]) -> None:
    """Wait until all of the programs together do next to nothing; TimeoutError when they never do."""
    until = time.monotonic() + IDLE_SECONDS_MAX
    while True:
        with cores_used(programs) as cores:
            time.sleep(IDLE_LOOK_SECONDS)
        if sum(cores.get(name, 0.0) for name in programs) < IDLE_CORES_MAX:
            return
        if time.monotonic() > until:
            raise TimeoutError(f"still at work after {IDLE_SECONDS_MAX:.0f} s: {cores}")


def family(pid: int) -> set[int]:
    """A process and all its descendants that are alive now."""
    found, wave = {pid}, [pid]
    while wave:
        wave = [child for parent in wave for child in _children(parent)]
        found.update(wave)
    return found


def memory_mb(pid: int) -> tuple[float, float]:
    """A process's memory in MB: resident (every page it has), and proportional (of shared pages a part)."""
    lines = (PROC / f"{pid}/smaps_rollup").read_text().splitlines()[1:]
    kibibytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return kibibytes["Rss"] * 1.024e-3, kibibytes["Pss"] * 1.024e-3


def sync_ms(folder: Path) -> float:
    """The median time of writing one page and waiting until it is on disk: it bounds every durable write."""
    times = []
    path = folder / "sync"
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNC_TRIES):
            began = time.perf_counter()
            file.seek(0)
            file.write(PAGE)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return sorted(times)[SYNC_TRIES // 2] * 1e3


def model_name() -> str:
    """The processor's name as Linux gives it."""
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _seconds(programs: Mapping[str, int]) -> dict[str, float]:
    used = {name: _family_seconds(pid) for name, pid in programs.items()}
    used["load"] = _family_seconds(os.getpid()) - sum(used.values())
    used["others"] = _busy_seconds() - sum(used.values())
    return used


def _family_seconds(pid: int) -> float:
    """Processor time of a process, its living descendants and the dead ones that they waited for."""
    return sum(_process_seconds(member) for member in family(pid))


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        threads = list((PROC / f"{pid}/task").iterdir())
    except OSError:
        return children  # the process has ended
    for thread in threads:
        try:
            children += map(int, (thread / "children").read_text().split())
        except OSError:
            continue  # that thread has ended
    return children


def _process_seconds(pid: int) -> float:
    try:
        fields = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # it has ended: its parent's account has its time
    return sum(map(int, fields[11:15])) * TICK_SECONDS  # user, system, and both of children waited for


def _busy_seconds() -> float:
    user, nice, system, _idle, _io_wait, irq, soft_irq, stolen = map(
        int, (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + soft_irq + stolen) * TICK_SECONDS
