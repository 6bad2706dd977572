"""Tasks that end when they are told to: a library may swallow a cancellation, so it is said again and again.

Before Python 3.12 `asyncio.wait_for` swallows one that comes with its answer (python/cpython#86296), and the
clients of NATS and PostgreSQL are built on it. A loop that lost one would never end, nor the service with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Coroutine, Generator
from contextvars import Context
from types import TracebackType
from typing import Any, Final, TypeVar

T = TypeVar("T")
AGAIN_SECONDS: Final = 0.1


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel until all have ended; a cancellation of the caller's meanwhile is not needed, for it ends."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)


class Tasks(asyncio.TaskGroup):
    """A task group for loops: whenever its block is left by an exception, it ends the tasks by `end`."""

    def __init__(self) -> None:
        super().__init__()
        self._running: set[asyncio.Task[Any]] = set()

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """See `asyncio.TaskGroup.create_task`."""
        task = super().create_task(coro, name=name, context=context)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            await end(self._running)
        await super().__aexit__(kind, error, trace)
