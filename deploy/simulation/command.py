"""`redress simulate`: months of complaints in seconds, on a bad bus, and what held all the same."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import Annotated, Final

import structlog
import typer

from deploy.people.calls import first_cause
from deploy.simulation import story
from libs.service import lean

COMPLAINTS_A_MONTH: Final = 50


def simulate(
    months: Annotated[int, typer.Option(min=1, max=8, help="How long contacts come in.")] = 6,
    seed: Annotated[int, typer.Option(help="The same seed gives the same history.")] = 7,
    complaints: Annotated[
        int | None, typer.Option(min=1, help=f"How many in all; {COMPLAINTS_A_MONTH} a month without.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from the first on.")] = 1,
) -> None:
    """Simulate all services in one process; status 1, with the seed, at the first invariant that breaks."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    count = complaints or months * COMPLAINTS_A_MONTH
    lean.settle()  # or a tenth of the time would go into looking through what is loaded
    for each in range(seed, seed + seeds):
        began = time.monotonic()
        try:
            told = asyncio.run(story.tell(each, months, count))
        except ExceptionGroup as fault:  # whatever goes wrong ends the services, too
            cause = first_cause(fault)
            typer.echo(f"seed {each}: {type(cause).__name__}: {cause}", err=True)
            raise typer.Exit(1) from None
        tell(told, time.monotonic() - began, whole=seeds == 1)
        if told.broken:
            raise typer.Exit(1)


def tell(told: story.Story, seconds: float, *, whole: bool) -> None:
    """Print how it went: everything, or one line where there are many."""
    typer.echo(f"seed {told.seed}: {summary(told)} in {seconds:.1f} s")
    for invariant in told.invariants:
        if invariant.broken:
            typer.echo(f"  BROKEN  {invariant.says}: {invariant.broken}", err=True)
        elif whole:
            typer.echo(f"  held    {invariant.says}")


def summary(told: story.Story) -> str:
    """What came of it, in figures."""
    outcomes = [case.outcome for case in told.staff.cases.values()]
    ends = Counter(each["path"] if each.get("closed") else "open" for each in outcomes)
    ended = ", ".join(f"{n} {end}" for end, n in ends.most_common())
    bus = ", ".join(f"{n} {what}" for what, n in sorted(told.world.bus.counts.items()))
    calls = told.staff.callers.calls
    return f"{len(told.staff.cases)} complaints ({ended}), {told.events} events, {calls} calls; bus: {bus}"
