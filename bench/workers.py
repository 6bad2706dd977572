"""Load from processes of its own: they prepare, start together, and hand back what they counted."""

import logging
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier, BrokenBarrierError
from typing import Any

import structlog

from bench import machine
from bench.measure import Sample
from libs.service import lean

PREPARE_SECONDS_MAX = 120.0
WORK_SECONDS_MAX = 300.0
Ready = Callable[[], None]
# Forked from a process that has imported all of it and runs no threads: fast, and nothing comes along.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["bench.__main__"])

_barrier: Barrier


@dataclass(frozen=True, slots=True)
class Counted:
    """What one worker did: how many, in how long, the seconds each took (may be empty), what it remarked."""

    count: int
    seconds: float
    each_seconds: Sequence[float] = ()
    remark: str = ""


def together(
    unit: str,
    programs: Mapping[str, int],
    work: Callable[..., Counted],
    *arguments: Any,
    processes: int = 1,
) -> Sample:
    """Run `work(ready, *arguments)` in so many processes at once; `ready()` returns when all have come to it.

    Gives the sum of their rates under `unit`, and p50 and p99 of each single time where they were kept.
    """
    barrier = FORKS.Barrier(processes + 1)
    with ProcessPoolExecutor(processes, FORKS, initializer=_hold, initargs=(barrier,)) as pool:
        futures = [pool.submit(_run, work, *arguments) for _ in range(processes)]
        for future in futures:
            future.add_done_callback(lambda done: barrier.abort() if done.exception() else None)
        try:
            barrier.wait(PREPARE_SECONDS_MAX)
        except BrokenBarrierError:  # one failed: its own error says more
            for future in futures:
                future.result()
            raise
        try:
            with machine.cores_used(programs) as cores:
                counted = [future.result(WORK_SECONDS_MAX) for future in futures]
        except BaseException:  # Ctrl-C among them
            for child in multiprocessing.active_children():  # or the pool would wait for them for ever
                child.kill()
            raise
    figures = {unit: sum(part.count / part.seconds for part in counted)}
    if each := sorted(seconds for part in counted for seconds in part.each_seconds):
        figures |= {f"p{rank} ms": each[(len(each) - 1) * rank // 100] * 1e3 for rank in (50, 99)}
    return Sample(figures, cores, "; ".join(part.remark for part in counted if part.remark))


def alone(programs: Mapping[str, int], work: Callable[..., Sample], *arguments: Any) -> Sample:
    """Run `work` in one process, which has its figures itself."""
    with ProcessPoolExecutor(1, FORKS, initializer=_quiet) as pool, machine.cores_used(programs) as cores:
        sample = pool.submit(_run_alone, work, *arguments).result(WORK_SECONDS_MAX)
    return replace(sample, cores=cores)


def _hold(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier
    _quiet()


def _quiet() -> None:
    """What the parts under test log would stand between the lines of the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def _ready() -> None:
    _barrier.wait(PREPARE_SECONDS_MAX)


def _run(work: Callable[..., Counted], *arguments: Any) -> Counted:
    lean.settle()  # every side, ours and others'; our services and commands do so when they begin
    return work(_ready, *arguments)


def _run_alone(work: Callable[..., Sample], *arguments: Any) -> Sample:
    lean.settle()
    return work(*arguments)
