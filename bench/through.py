"""Rows on whole complaints: through all eight steps on a running system, and a month of them simulated."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import machine
from bench.demo import REPOSITORY, first_port
from bench.measure import Contestant, Group, Row, Sample, Scale
from bench.servers import BUILD, Place

RATE, SECONDS = "complaints/min", "s"
DEMO, SIMULATION = "redress demo", "redress simulate"
DEMO_SECONDS_MAX = 1800.0
SIMULATION_SECONDS_MAX = 600.0
SAID_MAX = 6_000  # characters of what a command said that failed: with its traceback
TABLE_COLUMNS = "240"  # so that no line of the table is broken
FIGURE = re.compile(r"complaints/min\W+([\d,]+)\W+yes")
TOLD = ("complaints by outcome", "events in the log", "calls by people", "refused")

DEMO_ROWS = (Row("eight-steps", "complaints closed, eight steps, staff included", RATE, DEMO, 1000.0),)
SIMULATION_ROWS = (
    Row("simulate", "simulate a month of 1,000 complaints", SECONDS, SIMULATION, 10.0, at_most=True),
)


@contextmanager
def demonstrations(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """The command itself."""
    yield {DEMO: partial(demonstrate, scale.closed_complaints)}


@contextmanager
def simulations(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """The command itself."""
    yield {SIMULATION: partial(simulate, scale.simulated_complaints)}


def demonstrate(reports: int | None) -> Sample:
    """From an empty folder, the staff working without a pause; the rate counts from the last report sent."""
    with tempfile.TemporaryDirectory(prefix="demo-", dir=BUILD) as folder:
        # Whoever PostgreSQL runs as has to pass through.
        Path(folder).chmod(0o711)
        options = ["--count", str(reports or "all"), "--exit", "--ports", str(first_port())]
        with machine.cores_used({}) as cores:
            said = ran("demo", *options, "--data-dir", folder, seconds_max=DEMO_SECONDS_MAX)
    figure = FIGURE.search(said)
    if figure is None:
        raise RuntimeError(f"no rate in what the demo said:\n{said[-SAID_MAX:]}")
    lines = [line for line in said.splitlines() if any(told in line for told in TOLD)]
    remark = "; ".join(" ".join(re.findall(r"[^\s│┃]+", line)) for line in lines)
    return Sample({RATE: float(figure[1].replace(",", ""))}, cores, remark)


def simulate(complaints: int) -> Sample:
    """One month, from the first import to the last invariant."""
    options = ["--months", "1", "--complaints", str(complaints), "--seed", "7"]
    with machine.cores_used({}) as cores:
        began = time.monotonic()
        said = ran("simulate", *options, seconds_max=SIMULATION_SECONDS_MAX)
        seconds = time.monotonic() - began
    return Sample({SECONDS: seconds}, cores, said.splitlines()[0])


def ran(*words: str, seconds_max: float) -> str:
    """What a command said. Raises with the end of it where it failed, or took longer than it may."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REDRESS_")}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *words],
        cwd=REPOSITORY,
        env=environment | {"COLUMNS": TABLE_COLUMNS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=seconds_max,
    )
    if done.returncode:
        told = done.stdout[-SAID_MAX:]
        raise RuntimeError(f"redress {' '.join(words)} ended with {done.returncode}:\n{told}")
    return done.stdout


GROUPS = (Group(DEMO_ROWS, demonstrations, rounds_max=1), Group(SIMULATION_ROWS, simulations, rounds_max=1))
