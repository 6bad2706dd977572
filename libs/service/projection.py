"""Views that follow the log: each event applied once, in order, in one transaction with its place."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Protocol

import sqlalchemy as sql
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from libs.events import errors, every_log
from libs.events.connection import Connection
from libs.events.envelope import Recorded
from libs.events.store import EventStore
from libs.service import background, telemetry

BATCH_EVENTS_MAX: Final = 200
BATCH_EVENTS_FIRST: Final = 25  # bodies may be large; the batch grows when they turn out not to be
BATCH_BYTES: Final = 4 * 1024 * 1024
POLL_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Projection(Protocol):
    """A view: tables of its own in the service's schema, written by `project` alone."""

    @property
    def name(self) -> str:
        """Names the view's checkpoint; a new name builds the view again from the first event."""
        ...

    async def project(self, connection: AsyncConnection, recorded: Recorded[Any]) -> None:
        """Apply one event of any type in the caller's transaction; pass over what the view has no use for."""
        ...


class Follower:
    """Keeps one view in step with every log. Several processes may do so at once: the checkpoint decides.

    An event that cannot be applied stops the view there, loudly, and is tried again: nothing is passed over.
    """

    def __init__(
        self, view: Projection, schema: str, store: EventStore, engine: AsyncEngine, bus: Connection
    ) -> None:
        self.view = view
        self.stopped: dict[str, str] = {}  # log -> why
        self._store = store
        self._engine = engine
        self._bus = bus
        self._table = sql.table(
            "checkpoints", sql.column("log"), sql.column("projection"), sql.column("seq"), schema=schema
        )

    async def run(self) -> None:
        """Follow for ever."""
        await every_log.run(self._store.log, self._keep_following)

    async def _keep_following(self, name: str) -> None:
        follow, stopped = partial(self._follow, name), partial(self._stopped, name)
        await background.keep(f"view {self.view.name}", follow, stopped)

    async def _follow(self, name: str) -> None:
        grown = self._bus.listen(name)
        while True:
            grown.clear()
            # One bad event spoils its batch: one at a time, the view stops at that event and no earlier.
            spoilt = self.stopped.get(name) not in (None, errors.Unavailable.__name__)
            await self.catch_up(name, 1 if spoilt else BATCH_EVENTS_MAX)
            if self.stopped.pop(name, None):
                log.info("view goes on", view=self.view.name, log=name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await grown.wait()

    async def catch_up(self, name: str, limit: int = BATCH_EVENTS_MAX) -> None:
        """Apply everything up to the head, up to `limit` events at once; raises what decoding or views do."""
        lag = telemetry.view_lag.labels(name, self.view.name)
        after, page = await self._checkpoint(name), min(limit, BATCH_EVENTS_FIRST)
        while batch := await self._store.read(name, after, page):
            lag.set((await self._store.log.head(name)).seq - after)
            await self._apply(name, after, batch)
            after, page = await self._checkpoint(name), min(limit, _fitting(batch))
        lag.set(0)

    def _stopped(self, name: str, fault: Exception) -> None:
        self.stopped[name] = type(fault).__name__

    async def _checkpoint(self, name: str) -> int:
        found = sql.select(self._table.c.seq).where(self._here(name))
        async with self._engine.connect() as connection:
            seq = (await connection.execute(found)).scalar()
        return 0 if seq is None else int(seq)

    async def _apply(self, name: str, after: int, batch: Sequence[Recorded[Any]]) -> None:
        async with self._engine.begin() as connection:
            # Moved first: whoever else has this batch waits here for us, then finds the checkpoint gone.
            if await self._move(connection, name, after, batch[-1].envelope.seq):
                for recorded in batch:
                    await self.view.project(connection, recorded)

    async def _move(self, connection: AsyncConnection, name: str, after: int, to: int) -> bool:
        if after == 0:
            first = "INSERT INTO {} (log, projection, seq) VALUES (:log, :view, :seq) ON CONFLICT DO NOTHING"
            statement = sql.text(first.format(self._table.fullname))
            moved = await connection.execute(statement, {"log": name, "view": self.view.name, "seq": to})
        else:
            moved = await connection.execute(
                sql.update(self._table).where(self._here(name), self._table.c.seq == after).values(seq=to)
            )
        return moved.rowcount == 1

    def _here(self, name: str) -> sql.ColumnElement[bool]:
        return sql.and_(self._table.c.log == name, self._table.c.projection == self.view.name)


def _fitting(batch: Sequence[Recorded[Any]]) -> int:
    """How many events of the mean size of these are a batch."""
    mean = sum(len(recorded.envelope.body) for recorded in batch) // len(batch) + 1
    return max(1, BATCH_BYTES // mean)
