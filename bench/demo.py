"""Rows on the demonstration: from a fresh clone to its final table, and what each service weighs after it."""

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import machine
from bench.measure import Contestant, Group, Row, Sample, Scale
from bench.servers import Place
from deploy.local import ports
from deploy.local.folder import Folder

REPOSITORY = Path(__file__).resolve().parent.parent
DEMO = "make demo"
FOLDER = Path(".redress/demo")
AGREES, STAYS_UP = "All of it agrees", "Stays up"
SERVERS = ("postgres", "nats")
STOP_SECONDS_MAX = 60.0

ROWS = (
    Row("memory", "largest service process after the demo", "MB resident", DEMO, 120.0, at_most=True),
    Row("demo", "make demo on a fresh clone, to its table", "s", DEMO, 60.0, at_most=True),
)


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """Each time a clone of its own, beside the real complaints where they are at hand."""
    yield {DEMO: partial(demonstrate, scale.demo_reports)}


def demonstrate(reports: int | None) -> Sample:
    """Clone what is committed, `make demo`, and look at its processes while it stays up."""
    with tempfile.TemporaryDirectory(prefix="redress-") as folder:
        clone = Path(folder) / "redress"
        subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True, timeout=60)
        if (shared := REPOSITORY.parent / "shared").exists():
            (clone.parent / "shared").symlink_to(shared)
        options = ["--ports", str(first_port())]
        options += ["--count", str(reports or "all"), "--record-only"]
        with machine.cores_used({}) as cores:
            began = time.monotonic()
            with running(clone, options) as demo:
                said = until_it_stays_up(demo)
                seconds = time.monotonic() - began
                weighed = weigh(clone)
    remark = ", ".join(f"{name} {rss:.0f} MB resident, {pss:.0f} proportional" for name, rss, pss in weighed)
    figures = {"s": seconds, "MB resident": max(rss for _, rss, _ in weighed)}
    return Sample(figures, cores, f"{remark}; {said}")


def first_port() -> int:
    """One from which all ports that a system counts off are free, below those of outgoing connections."""
    first = random.randrange(20_000, 30_000)
    while any(ports.taken(first + offset) for offset in ports.OFFSETS.values()):
        first = random.randrange(20_000, 30_000)
    return first


@contextmanager
def running(clone: Path, options: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """`make demo` as a newcomer runs it, in a session of its own, to which Ctrl-C is played at the end."""
    ours = ("REDRESS_", "MAKE", "MFLAGS", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    demo = subprocess.Popen(
        ["make", "--no-print-directory", "demo", f"ARGS={' '.join(options)}"],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield demo
    finally:
        if demo.poll() is None:
            stop(demo)


def until_it_stays_up(demo: subprocess.Popen[str]) -> str:
    """Read along until all is printed; tells when what was ready. Raises where not all of it agreed."""
    began, lines, agrees = time.monotonic(), [], False
    assert demo.stdout is not None
    for line in demo.stdout:
        lines.append(f"{time.monotonic() - began:.1f} s {line.strip()}")
        agrees = agrees or line.startswith(AGREES)
        if agrees and line.startswith(STAYS_UP):
            return "; ".join(line for line in lines if " ready " in line or " s complaints " in line)
    raise RuntimeError("make demo ended:\n" + "\n".join(lines[-40:]))


def weigh(clone: Path) -> list[tuple[str, float, float]]:
    """Name, resident and proportional memory (MB) of each service process."""
    pids = Folder.at(clone / FOLDER).read_state()["processes"]
    return [(name, *machine.memory_mb(pid)) for name, pid in pids.items() if name not in SERVERS]


def stop(demo: subprocess.Popen[str]) -> None:
    """Ctrl-C; raises where it does not end by itself."""
    os.killpg(demo.pid, signal.SIGINT)
    try:
        demo.communicate(timeout=STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        os.killpg(demo.pid, signal.SIGKILL)
        raise


GROUP = Group(ROWS, contestants)
