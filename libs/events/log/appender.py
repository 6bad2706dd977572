"""Joins the appends in flight: what queued up while one batch was committed is the next batch. No timer."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

import asyncpg

from libs.events import errors
from libs.events.envelope import Append, Appended, Claimed
from libs.events.log import batch
from libs.events.log.connections import OUTAGES, PATIENCE_SECONDS, RETRY_SECONDS, Connections

BATCH_APPENDS_MAX: Final = 500
BATCH_BYTES_MAX: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """An append and whoever waits for its answer."""

    append: Append
    answer: asyncio.Future[Appended]

    def tell(self, answer: Appended | Exception) -> None:
        """Answer, unless the caller went away or gave up."""
        if self.answer.done():
            return
        if isinstance(answer, Appended):
            self.answer.set_result(answer)
        else:
            self.answer.set_exception(answer)

    def give_up(self) -> None:
        """Answer that we do not know."""
        self.tell(errors.Unavailable("The database does not answer: this may or may not be on record."))


class Appender:
    """Appends in batches, each log's one after the other, several logs' side by side."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._queues: dict[str, deque[Waiting]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def append(self, append: Append) -> Appended:
        """See `store.Log.append`; Unavailable within PATIENCE_SECONDS."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(append, loop.create_future())
        self._queues.setdefault(append.log, deque()).append(waiting)
        if append.log not in self._tasks:
            self._tasks[append.log] = loop.create_task(self._drain(append.log))
        expiry = loop.call_later(PATIENCE_SECONDS, waiting.give_up)
        try:
            return await waiting.answer
        finally:
            expiry.cancel()

    async def close(self) -> None:
        """Stop; whoever still waits is told Unavailable and may repeat."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _drain(self, log: str) -> None:
        """Carry out what waits for one log, batch after batch, until nothing does."""
        queue = self._queues[log]
        together: list[Waiting] = []
        try:
            while together := next_batch(queue):
                await self._carry_out(log, together)
        finally:
            for waiting in (*together, *queue):  # nobody, unless this task was stopped or has a fault
                waiting.give_up()
            del self._queues[log], self._tasks[log]

    async def _carry_out(self, log: str, together: list[Waiting]) -> None:
        """Ask until the server answers or nobody waits any more.

        After an outage the same batch, with the same event ids, tells whether it had been written.
        """
        while together:
            try:
                answers = await self._ask(log, [waiting.append for waiting in together])
            except ValueError as refusal:  # a DSN that makes no sense, a value that cannot be sent
                return await self._take_apart(log, together, refusal)
            except OUTAGES:
                await asyncio.sleep(RETRY_SECONDS)
                together = [waiting for waiting in together if not waiting.answer.done()]
            except asyncpg.PostgresError as refusal:
                return await self._take_apart(log, together, refusal)
            else:
                for waiting, answer in zip(together, answers, strict=True):
                    waiting.tell(answer)
                return None

    async def _ask(self, log: str, appends: list[Append]) -> list[Appended | errors.Failure]:
        """One round trip; a second one where a claim was taken, to say by whom."""
        fetch = self._connections.fetch_once
        rows = await fetch(batch.APPEND, batch.arguments(log, appends), PATIENCE_SECONDS)
        taken = batch.taken(rows)
        found = await fetch(batch.CLAIMS, (log, taken), PATIENCE_SECONDS) if taken else []
        return batch.answers(appends, rows, {row["name"]: Claimed(*row) for row in found})

    async def _take_apart(self, log: str, together: list[Waiting], refusal: Exception) -> None:
        """The server refused the whole batch, which ought not to happen: let the culprit alone fail."""
        if len(together) == 1:
            return together[0].tell(refusal)
        for waiting in together:
            await self._carry_out(log, [waiting])


def next_batch(queue: deque[Waiting]) -> list[Waiting]:
    """The front of the queue, up to where two would touch the same thing. An erasure is by itself."""
    together: list[Waiting] = []
    touched: set[object] = set()
    size = 0
    while queue and len(together) < BATCH_APPENDS_MAX:
        append = queue[0].append
        if queue[0].answer.done():
            queue.popleft()
            continue
        touches = list(batch.touches(append))
        size += sum(len(event.body) for event in append.events)
        alone = append.erases is not None
        if together and (alone or size > BATCH_BYTES_MAX or not touched.isdisjoint(touches)):
            break
        touched.update(touches)
        together.append(queue.popleft())
        if alone:
            break
    return together
