"""Keep programs running: start them in order, start again what crashes, stop all in reverse order."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable
from typing import Self

from deploy.local import process

POLL_SECONDS = 0.1
RESTART_PAUSE_SECONDS_FIRST = 0.2
RESTART_PAUSE_SECONDS_MAX = 10.0
CALM_SECONDS = 30.0  # whatever ran this long before it crashed starts over with the first pause
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Supervisor:
    """Runs programs while its `async with` block lasts, and says in one line what happens to each.

    `changed` is called whenever a program has a new process, so that a record of them can be kept.
    """

    def __init__(self, say: Callable[[str], None], changed: Callable[[], None] = lambda: None) -> None:
        self._say = say
        self._changed = changed
        self._children: dict[str, process.Child] = {}
        self._ready: dict[str, int] = {}
        self._watchers: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int]:
        """The process of each program that was ready."""
        return dict(self._ready)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for child in reversed(self._children.values()):
            await asyncio.to_thread(child.stop)
            self.say(child.program.name, f"stopped  {ending(child)}")

    async def start(self, *programs: process.Program) -> None:
        """Start them side by side and return when all are ready; raises NotReady.

        From then on each is started again whenever it ends.
        """
        for program in programs:
            await self._begin(program)
        for program in programs:
            await self._until_ready(program)
            self._watchers.append(asyncio.create_task(self._watch(program), name=f"watch {program.name}"))

    def say(self, name: str, what: str) -> None:
        with contextlib.suppress(OSError):  # a closed terminal is no reason to stop
            self._say(f"{name:<14} {what}")

    async def _begin(self, program: process.Program) -> None:
        await asyncio.to_thread(program.before)
        # in this thread, which stays: a child dies with the thread it is from
        self._children[program.name] = process.Child(program)

    async def _until_ready(self, program: process.Program) -> None:
        child = self._children[program.name]
        await asyncio.to_thread(child.wait_ready)
        self._ready[program.name] = child.pid
        self._changed()
        self.say(program.name, f"ready  {program.address}")

    async def _watch(self, program: process.Program) -> None:
        pause = RESTART_PAUSE_SECONDS_FIRST
        while True:
            ready_at = time.monotonic()
            await self._end_of(program)
            if time.monotonic() - ready_at > CALM_SECONDS:
                pause = RESTART_PAUSE_SECONDS_FIRST
            self.say(program.name, f"crashed  {ending(self._children[program.name])}; again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, RESTART_PAUSE_SECONDS_MAX)
            await self._relaunch(program)

    async def _end_of(self, program: process.Program) -> None:
        while self._children[program.name].exit_status is None:  # nothing tells us of its end
            with contextlib.suppress(OSError):  # a full disk is not cured by ending what runs
                self._children[program.name].bound_log()
            await asyncio.sleep(POLL_SECONDS)

    async def _relaunch(self, program: process.Program) -> None:
        try:
            await self._begin(program)
            await self._until_ready(program)
        except (process.NotReady, OSError) as why:
            self.say(program.name, f"not ready  {why}")
            await asyncio.to_thread(self._children[program.name].stop)


def ending(child: process.Child) -> str:
    status = child.exit_status
    if status is None:
        return "still running"
    return f"status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"


@contextlib.asynccontextmanager
async def until_signal() -> AsyncIterator[None]:
    """Ctrl-C or SIGTERM ends the block, wherever it waits, and what it holds open is closed as usual.

    A second signal changes nothing: every stop has its deadline already.
    """
    loop, task, asked = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
    assert task is not None

    def ask() -> None:
        if not asked.is_set():
            asked.set()
            task.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, ask)
    try:
        yield
    except asyncio.CancelledError:
        if not asked.is_set():
            raise
        task.uncancel()
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
