"""What falls due, as a service's own events say: in a table of the service, or in memory (SLA-3, SLA-4)."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, assert_never
from uuid import UUID

import sqlalchemy as sql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from libs.events.contracts.policy import PolicyPublished
from libs.events.contracts.registry import contract_of
from libs.events.contracts.term import Breach, MovedDue
from libs.events.envelope import Envelope, Recorded
from libs.service import policies, tables

PAGE_DEADLINES: Final = 500
_PUBLISHED: Final = contract_of(PolicyPublished).name


@dataclass(frozen=True, slots=True)
class Started:
    """A step is due from now on, or due at another time; the same time again changes nothing (trap 1)."""

    step: str
    due_at: datetime
    warn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A step is due at another time, if it is due at all; the same time again changes nothing (trap 1)."""

    step: str
    due_at: datetime
    warn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Its person was warned: what comes next is the deadline itself."""

    step: str


@dataclass(frozen=True, slots=True)
class Missed:
    """It passed; nothing more comes of it unless it is started with another time."""

    step: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A step has its outcome, and so has what is named below it with a slash: no clock runs on (trap 6)."""

    step: str


Change = Started | Moved | Warned | Missed | Ended
Changes = Callable[[Any], Iterable[Change]]  # of one event of the service's own streams


Place = tuple[datetime, UUID, str]


@dataclass(frozen=True, slots=True)
class Deadline:
    """What falls due in the stream of `key`, and when: the warning, where there is one, then the rest."""

    log: str
    key: UUID
    step: str
    at: datetime

    @property
    def place(self) -> Place:
        """Its place among the others of its log: the oldest first."""
        return self.at, self.key, self.step


# A policy pack comes into force (SLA-2): passed as a deadline is, and then settled. Once more a little later,
# for what was still being decided by the pack before it.
POLICY: Final = "policy/"
RECOMPUTE: Final = "recompute"
AGAIN_AFTER: Final = timedelta(minutes=1)


class Deadlines(Protocol):
    """What will fall due; fed with the service's own events, and with the policies that are published."""

    async def due(
        self, log: str, now: datetime, after: Deadline | None = None, limit: int = PAGE_DEADLINES
    ) -> Sequence[Deadline]:
        """A page of what has fallen due by `now`, oldest first, after `after`; empty at the end."""
        ...

    async def open(self, log: str, after: UUID | None = None, limit: int = PAGE_DEADLINES) -> Sequence[UUID]:
        """A page of the keys of the streams that owe something, in their order, after `after`."""
        ...

    async def settle(self, policy: Deadline) -> None:
        """This policy's coming into force was passed: it falls due no more."""
        ...


def follow(moved: MovedDue, step: str, *, warns: bool = True) -> Iterator[Moved]:
    """For the deadline named `step`, which a policy that came into force moved: it falls due there.

    One that was missed, and is late there too, falls due no more; one that was not missed yet, at once.
    """
    if moved.running and moved.breach is not Breach.STANDS:
        yield Moved(step, moved.due.due_at, moved.due.warn_at if warns else None)


def coming(event: PolicyPublished) -> Iterator[Started]:
    """For a service whose deadlines follow it: when what was published comes into force, and once more."""
    at = policies.in_force_from(event)
    yield Started(f"{POLICY}{event.version}", at)
    yield Started(f"{POLICY}{event.version}/again", at + AGAIN_AFTER)


async def all_open(deadlines: Deadlines, log: str, now: datetime) -> AsyncIterator[Sequence[Deadline]]:
    """What a policy that comes into force may move (`Clock.recomputed`): every stream that owes something."""
    after: UUID | None = None
    while page := await deadlines.open(log, after):
        yield [Deadline(log, key, RECOMPUTE, now) for key in page]
        after = page[-1]


def _key(envelope: Envelope, prefix: str) -> UUID | None:
    """Whose deadlines an event may change: its stream's where that is the service's own, or the policies'."""
    if envelope.type == _PUBLISHED:
        return policies.key_of(envelope.log)
    return UUID(envelope.stream.removeprefix(prefix)) if envelope.stream.startswith(prefix) else None


# Texts, made once: nearly every event of a busy service comes by here.
_MINE: Final = "log = :log AND key = :key"
_TIMES: Final = "due_at = :due_at, warn_at = :warn_at, next_at = :next_at"
STATEMENTS: Final[Mapping[type, str]] = {
    Started: (
        "INSERT INTO {table} AS mine (log, key, step, due_at, warn_at, next_at)"
        " VALUES (:log, :key, :step, :due_at, :warn_at, :next_at)"
        f" ON CONFLICT (log, key, step) DO UPDATE SET {_TIMES} WHERE mine.due_at <> excluded.due_at"
    ),
    Moved: f"UPDATE {{table}} SET {_TIMES} WHERE {_MINE} AND step = :step AND due_at <> :due_at",
    Warned: f"UPDATE {{table}} SET next_at = due_at WHERE {_MINE} AND step = :step AND next_at IS NOT NULL",
    Missed: f"UPDATE {{table}} SET next_at = NULL WHERE {_MINE} AND step = :step",
    Ended: f"DELETE FROM {{table}} WHERE {_MINE} AND (step = :step OR starts_with(step, :step || '/'))",
}


class SqlDeadlines:
    """Deadlines in the table `<schema>.deadlines`: a view of the service (see `Projection`) that clocks read.

    `category` is that of the service's own streams.
    """

    def __init__(self, schema: str, category: str, changes: Changes, engine: AsyncEngine) -> None:
        self.name = f"{schema}.deadlines"
        self._prefix = f"{category}-"
        self._changes = changes
        self._engine = engine
        self._table = tables.deadlines(sql.MetaData(schema=schema))
        self._statements = {
            kind: sql.text(each.format(table=f"{schema}.deadlines")) for kind, each in STATEMENTS.items()
        }

    def concerns(self, stream: str, event_type: str) -> bool:
        """See `Projection.concerns`."""
        return stream.startswith(self._prefix) or event_type == _PUBLISHED

    async def project(self, connection: AsyncConnection, recorded: Recorded[Any]) -> None:
        """See `Projection.project`."""
        envelope = recorded.envelope
        if (key := _key(envelope, self._prefix)) is not None:
            for change in self._changes(recorded.event):
                await self._apply(connection, envelope.log, key, change)

    async def open(self, log: str, after: UUID | None = None, limit: int = PAGE_DEADLINES) -> Sequence[UUID]:
        """See `Deadlines.open`."""
        columns = self._table.c
        keys = (
            sql.select(columns.key)
            .where(columns.log == log, columns.key != policies.key_of(log))
            .distinct()
            .order_by(columns.key)
            .limit(limit)
        )
        if after is not None:
            keys = keys.where(columns.key > after)
        async with self._engine.connect() as connection:
            return (await connection.execute(keys)).scalars().all()

    async def settle(self, policy: Deadline) -> None:
        """See `Deadlines.settle`."""
        async with self._engine.begin() as connection:
            await self._apply(connection, policy.log, policy.key, Missed(policy.step))

    async def due(
        self, log: str, now: datetime, after: Deadline | None = None, limit: int = PAGE_DEADLINES
    ) -> Sequence[Deadline]:
        """See `Deadlines.due`."""
        columns = self._table.c
        place = sql.tuple_(columns.next_at, columns.key, columns.step)
        rows = (
            sql.select(columns.key, columns.step, columns.next_at)
            .where(columns.log == log, columns.next_at <= now)
            .order_by(columns.next_at, columns.key, columns.step)
            .limit(limit)
        )
        if after is not None:
            rows = rows.where(place > after.place)
        async with self._engine.connect() as connection:
            found = (await connection.execute(rows)).all()
        return [Deadline(log, row.key, row.step, row.next_at) for row in found]

    async def _apply(self, connection: AsyncConnection, log: str, key: UUID, change: Change) -> None:
        values: dict[str, Any] = {"log": log, "key": key, "step": change.step}
        if isinstance(change, Started | Moved):
            next_at = change.warn_at or change.due_at
            values |= {"due_at": change.due_at, "warn_at": change.warn_at, "next_at": next_at}
        await connection.execute(self._statements[type(change)], values)


@dataclass(frozen=True, slots=True)
class _Row:
    due_at: datetime
    next_at: datetime | None


class MemoryDeadlines:
    """Deadlines in memory, for a simulation and for tests; it behaves as `SqlDeadlines` does."""

    def __init__(self, category: str, changes: Changes) -> None:
        self._prefix = f"{category}-"
        self._changes = changes
        self._streams: defaultdict[tuple[str, UUID], dict[str, _Row]] = defaultdict(dict)
        self._running: defaultdict[str, list[Place]] = defaultdict(list)  # in order

    def note(self, recorded: Recorded[Any]) -> None:
        """Take in one event; those of other services' streams change nothing."""
        envelope = recorded.envelope
        if (key := _key(envelope, self._prefix)) is not None:
            for change in self._changes(recorded.event):
                self._apply(envelope.log, key, change)

    async def open(self, log: str, after: UUID | None = None, limit: int = PAGE_DEADLINES) -> Sequence[UUID]:
        """See `Deadlines.open`."""
        mine = (key for (of, key), steps in self._streams.items() if of == log and steps)
        keys = sorted(key for key in mine if key != policies.key_of(log))
        first = 0 if after is None else bisect.bisect_right(keys, after)
        return keys[first : first + limit]

    async def settle(self, policy: Deadline) -> None:
        """See `Deadlines.settle`."""
        self._apply(policy.log, policy.key, Missed(policy.step))

    def next_at(self, log: str, after: datetime | None = None) -> datetime | None:
        """When something falls due next (behind a time): how far a simulated clock may leap."""
        running = self._running[log]
        first = 0 if after is None else bisect.bisect_right(running, after, key=lambda place: place[0])
        return running[first][0] if first < len(running) else None

    async def due(
        self, log: str, now: datetime, after: Deadline | None = None, limit: int = PAGE_DEADLINES
    ) -> Sequence[Deadline]:
        """See `Deadlines.due`."""
        running = self._running[log]
        first = 0 if after is None else bisect.bisect_right(running, after.place)
        last = bisect.bisect_right(running, now, key=lambda place: place[0])
        return [Deadline(log, key, step, at) for at, key, step in running[first : min(last, first + limit)]]

    def _apply(self, log: str, key: UUID, change: Change) -> None:
        steps = self._streams[log, key]
        row = steps.get(change.step)
        match change:
            case Started(step, due_at, warn_at):
                if row is None or row.due_at != due_at:
                    self._put(log, key, step, _Row(due_at, warn_at or due_at))
            case Moved(step, due_at, warn_at):
                if row is not None and row.due_at != due_at:
                    self._put(log, key, step, _Row(due_at, warn_at or due_at))
            case Warned(step):
                if row is not None and row.next_at is not None:
                    self._put(log, key, step, _Row(row.due_at, row.due_at))
            case Missed(step):
                if row is not None:
                    self._put(log, key, step, _Row(row.due_at, None))
            case Ended(step):
                for ended in [each for each in steps if each == step or each.startswith(f"{step}/")]:
                    self._put(log, key, ended, None)
            case _:
                assert_never(change)

    def _put(self, log: str, key: UUID, step: str, row: _Row | None) -> None:
        """Put a row in the place of the one before, if there was one."""
        steps, running = self._streams[log, key], self._running[log]
        before = steps.pop(step, None)
        if before is not None and before.next_at is not None:
            del running[bisect.bisect_left(running, (before.next_at, key, step))]
        if row is not None:
            steps[step] = row
            if row.next_at is not None:
                bisect.insort(running, (row.next_at, key, step))
