"""The demonstration's main part: everybody sees to every complaint, until nobody has anything to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local.figures import STEPS, Figures
from deploy.people.drive import Drive

LOOK_SECONDS: Final = 0.25
PLAIN_LINE_SECONDS: Final = 10.0
STANDSTILL_SECONDS: Final = 60.0


async def through(
    drive: Drive, figures: Figures, console: Console, quiet: Callable[[], Awaitable[bool]]
) -> bool:
    """Show how far each step has come until all is quiet; False when nothing moved for too long."""
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    total = len(drive.staff.cases)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks = {step: progress.add_task(step, total=total) for step in STEPS}
        seen, moved_at, said_at = 0, time.monotonic(), time.monotonic()
        while not (drive.idle and await quiet() and drive.idle):
            await asyncio.sleep(LOOK_SECONDS)
            for step, task in tasks.items():
                progress.update(task, completed=len(figures.steps[step]))
            now, events = time.monotonic(), figures.types.total()
            if events != seen:
                seen, moved_at = events, now
            if now - moved_at > STANDSTILL_SECONDS:
                return False
            if not console.is_terminal and now - said_at > PLAIN_LINE_SECONDS:
                said_at = now
                console.print(line(figures, total))
        for step, task in tasks.items():
            progress.update(task, completed=len(figures.steps[step]))
    console.print(line(figures, total))
    await drive.look_at_the_rest()
    return True


def line(figures: Figures, total: int) -> str:
    """How many complaints have come through each step."""
    return "  ".join(f"{step} {len(figures.steps[step])}" for step in STEPS) + f"  of {total}"
