"""Work in lanes: within a lane one piece after the other, in the order they came; the lanes side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

Work = Callable[[], Awaitable[None]]


class Lanes:
    """A lane comes with its first piece of work and goes with its last. An error ends the task group."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._waiting: dict[str, deque[Work]] = {}

    def add(self, lane: str, work: Work) -> None:
        """Do `work` when everything added to the lane before is done."""
        if waiting := self._waiting.get(lane):
            waiting.append(work)
        else:
            self._waiting[lane] = deque([work])
            self._tasks.create_task(self._work_off(lane))

    async def _work_off(self, lane: str) -> None:
        waiting = self._waiting[lane]
        while waiting:
            await waiting[0]()  # stays in the lane while at work, so that the next to come waits behind it
            waiting.popleft()
        del self._waiting[lane]
