"""Joins the appends in flight: what queued up while one batch was committed is the next batch. No timer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from libs.events import errors
from libs.events.envelope import Append, Appended, Claimed
from libs.events.log.connections import OUTAGES, PATIENCE_SECONDS, RETRY_SECONDS, Connections
from libs.events.store import ClaimTaken, KeysChanged

BATCH_APPENDS_MAX: Final = 500
BATCH_BYTES_MAX: Final = 8 * 1024 * 1024
APPEND: Final = (
    "SELECT outcome, version, seq, at, taken FROM log.append("
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
)
CLAIMS: Final = (
    "SELECT name, fingerprint, stream, version, seq FROM log.claims WHERE log = $1 AND name = ANY ($2)"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An append and whoever waits for its answer."""

    append: Append
    answer: asyncio.Future[Appended]

    @property
    def bytes(self) -> int:
        return sum(len(event.body) for event in self.append.events)

    def touches(self) -> Iterable[object]:
        """What no two appends of a batch may share: each is checked against what was before the batch."""
        append = self.append
        yield append.stream
        for event in append.events:
            yield event.event_id
        for claim in append.claims:
            yield claim.name
        for key in append.new_keys:
            yield "key", key.subject


class Appender:
    """Appends in batches, each log's one after the other, several logs' side by side."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._queues: dict[str, deque[Waiting]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def append(self, append: Append) -> Appended:
        """See `store.Log.append`; Unavailable within PATIENCE_SECONDS."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Appended] = loop.create_future()
        self._queues.setdefault(append.log, deque()).append(Waiting(append, answer))
        if append.log not in self._tasks:
            self._tasks[append.log] = loop.create_task(self._drain(append.log))
        expiry = loop.call_later(PATIENCE_SECONDS, _expire, answer)
        try:
            return await answer
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
        batch: list[Waiting] = []
        try:
            while batch := _next_batch(queue):
                await self._carry_out(log, batch)
        finally:
            for waiting in (*batch, *queue):  # empty, unless this task was stopped or has a fault
                _expire(waiting.answer)
            del self._queues[log], self._tasks[log]

    async def _carry_out(self, log: str, batch: list[Waiting]) -> None:
        """Ask until the server answers or nobody waits any more.

        After an outage the same batch, with the same event ids, tells whether it had been written.
        """
        while batch:
            try:
                asked = arguments(log, [waiting.append for waiting in batch])
                rows = await self._connections.fetch_once(APPEND, asked, PATIENCE_SECONDS)
            except OUTAGES:
                await asyncio.sleep(RETRY_SECONDS)
                batch = [waiting for waiting in batch if not waiting.answer.done()]
            except asyncpg.PostgresError as refusal:
                return await self._take_apart(log, batch, refusal)
            else:
                return await self._answer(log, batch, rows)

    async def _take_apart(self, log: str, batch: list[Waiting], refusal: asyncpg.PostgresError) -> None:
        """The server refused the whole batch, which ought not to happen: let the culprit alone fail."""
        if len(batch) > 1:
            for waiting in batch:
                await self._carry_out(log, [waiting])
        elif not batch[0].answer.done():
            batch[0].answer.set_exception(refusal)

    async def _answer(self, log: str, batch: list[Waiting], rows: list[asyncpg.Record]) -> None:
        taken = [row["taken"] for row in rows if row["outcome"] == "claim_taken"]
        claims = {c["name"]: Claimed(*c) for c in await self._claims(log, taken)} if taken else {}
        for number, waiting in enumerate(batch):
            if waiting.answer.done():
                continue
            if not rows:
                waiting.answer.set_exception(errors.UnknownLog(log=log))
            elif rows[number]["outcome"] in ("appended", "repeated"):
                _, version, seq, at, _ = row = rows[number]
                waiting.answer.set_result(Appended(version, seq, at, row["outcome"] == "repeated"))
            else:
                waiting.answer.set_exception(_failure(waiting.append, rows[number], claims))

    async def _claims(self, log: str, names: list[UUID]) -> list[asyncpg.Record]:
        return await self._connections.fetch(CLAIMS, log, names)


def _next_batch(queue: deque[Waiting]) -> list[Waiting]:
    """The front of the queue, up to where two would touch the same thing. An erasure is a batch by itself."""
    batch: list[Waiting] = []
    touched: set[object] = set()
    size = 0
    while queue and len(batch) < BATCH_APPENDS_MAX:
        waiting = queue[0]
        if waiting.answer.done():  # gave up, or went away
            queue.popleft()
            continue
        touches = list(waiting.touches())
        size += waiting.bytes
        alone = waiting.append.erases is not None
        if batch and (alone or size > BATCH_BYTES_MAX or not touched.isdisjoint(touches)):
            break
        touched.update(touches)
        batch.append(queue.popleft())
        if alone:
            break
    return batch


def arguments(log: str, appends: Sequence[Append]) -> tuple[Any, ...]:
    """The arguments of APPEND for a batch: columns, not rows."""
    events = [event for append in appends for event in append.events]
    claims = [(number, claim) for number, append in enumerate(appends, 1) for claim in append.claims]
    keys = [(number, key) for number, append in enumerate(appends, 1) for key in append.new_keys]
    used = [(number, key_id) for number, append in enumerate(appends, 1) for key_id in append.used_keys]
    erases = [append.erases for append in appends]
    return (
        log,
        [append.stream for append in appends],
        [append.expected_version for append in appends],
        [len(append.events) for append in appends],
        [append.actor for append in appends],
        [append.complaint_id for append in appends],
        [append.caused_by for append in appends],
        [append.traceparent for append in appends],
        [event.event_id for event in events],
        [event.type for event in events],
        [event.body for event in events],
        [number for number, _ in claims] or None,
        [claim.name for _, claim in claims] or None,
        [claim.fingerprint for _, claim in claims] or None,
        [number for number, _ in keys] or None,
        [key.key_id for _, key in keys] or None,
        [key.subject for _, key in keys] or None,
        [key.wrapped for _, key in keys] or None,
        [number for number, _ in used] or None,
        [key_id for _, key_id in used] or None,
        erases if any(erases) else None,
    )


def _failure(append: Append, row: asyncpg.Record, claims: dict[UUID, Claimed]) -> errors.Failure:
    match row["outcome"]:
        case "version_conflict":
            return errors.VersionConflict(stream=append.stream, current_version=row["version"])
        case "claim_taken":
            return ClaimTaken(claims[row["taken"]])
        case "event_id_taken":
            return errors.EventIdTaken(event_id=str(row["taken"]))
        case "keys_changed":
            return KeysChanged()
        case "foreign_stream":
            return errors.ForeignStream(stream=append.stream)
        case outcome:
            raise AssertionError(f"log.append answered {outcome!r}")


def _expire(answer: asyncio.Future[Appended]) -> None:
    if not answer.done():
        answer.set_exception(
            errors.Unavailable("The database does not answer: this may or may not be on record.")
        )
