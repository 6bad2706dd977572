"""Parked events: what a consumer could not handle, with the reason, until a person sends it round again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from libs.events.envelope import Envelope

QUERY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Parked:
    """One event that waits. `lane`: what it must stay in order with, see `lane_of`."""

    consumer: str
    log: str
    seq: int
    lane: str
    event_id: UUID
    type: str
    reason: str
    attempts: int
    parked_at: datetime
    redrive: bool


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a consumer has come (0: not begun); see `bus.checkpoints` for the rest."""

    seq: int
    begun: int
    trying: int | None


def lane_of(envelope: Envelope) -> str:
    """What an event must stay in order with: its complaint, or its stream where it belongs to none."""
    return str(envelope.complaint_id) if envelope.complaint_id else envelope.stream


class Shelf:
    """The parked events and the checkpoint of one consumer on one log."""

    def __init__(self, database: asyncpg.Pool, consumer: str, log: str) -> None:
        self._database = database
        self._key = (log, consumer)

    async def begin(self) -> Checkpoint:
        """The consumer's place, counting that somebody goes on from there."""
        row = await self._database.fetchrow(
            """
            INSERT INTO bus.checkpoints AS stored (log, consumer, seq, begun) VALUES ($1, $2, 0, 1)
            ON CONFLICT (log, consumer) DO UPDATE SET begun = stored.begun + 1
            RETURNING seq, begun, trying
            """,
            *self._key,
            timeout=QUERY_SECONDS,
        )
        assert row is not None, "an upsert returns its row"
        return Checkpoint(**dict(row))

    async def attempt(self, seq: int) -> None:
        """Note which event is about to be handled, in case this process does not survive it."""
        await self._execute("UPDATE bus.checkpoints SET trying = $3 WHERE (log, consumer) = ($1, $2)", seq)

    async def advance(self, seq: int) -> None:
        """Move the checkpoint forward, never back."""
        await self._execute(
            """
            UPDATE bus.checkpoints SET seq = $3, begun = 1, trying = NULL
            WHERE (log, consumer) = ($1, $2) AND seq < $3
            """,
            seq,
        )

    async def end(self) -> None:
        """Nobody died."""
        await self._execute(
            "UPDATE bus.checkpoints SET begun = 0, trying = NULL WHERE (log, consumer) = ($1, $2)"
        )

    async def park(self, envelope: Envelope, reason: str, attempts: int) -> None:
        """Keep an event; parked before, it gets the newer reason and loses its redrive mark."""
        await self._execute(
            """
            INSERT INTO bus.parked (log, consumer, seq, lane, event_id, type, reason, attempts)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (log, consumer, seq)
            DO UPDATE SET reason = excluded.reason, attempts = excluded.attempts, redrive = false
            """,
            envelope.seq,
            lane_of(envelope),
            envelope.event_id,
            envelope.type,
            reason,
            attempts,
        )

    async def release(self, seq: int) -> None:
        """Forget an event that was handled after all."""
        await self._execute("DELETE FROM bus.parked WHERE (log, consumer, seq) = ($1, $2, $3)", seq)

    async def rest(self, lane: str) -> None:
        """Take the redrive mark off a whole lane."""
        await self._execute(
            "UPDATE bus.parked SET redrive = false WHERE (log, consumer, lane) = ($1, $2, $3)", lane
        )

    async def held_lanes(self) -> set[str]:
        """The lanes in which something is parked."""
        return await self._lanes("SELECT DISTINCT lane FROM bus.parked WHERE (log, consumer) = ($1, $2)")

    async def lanes_to_redrive(self) -> set[str]:
        """The lanes somebody asked to send round again."""
        return await self._lanes(
            "SELECT DISTINCT lane FROM bus.parked WHERE (log, consumer) = ($1, $2) AND redrive"
        )

    async def first_of(self, lane: str) -> int | None:
        """The seq of the first event parked in a lane."""
        seq: int | None = await self._database.fetchval(
            "SELECT min(seq) FROM bus.parked WHERE (log, consumer, lane) = ($1, $2, $3)",
            *self._key,
            lane,
            timeout=QUERY_SECONDS,
        )
        return seq

    async def count(self) -> int:
        """How many events wait."""
        return int(
            await self._database.fetchval(
                "SELECT count(*) FROM bus.parked WHERE (log, consumer) = ($1, $2)",
                *self._key,
                timeout=QUERY_SECONDS,
            )
        )

    async def _lanes(self, query: str) -> set[str]:
        return {row["lane"] for row in await self._database.fetch(query, *self._key, timeout=QUERY_SECONDS)}

    async def _execute(self, query: str, *arguments: object) -> None:
        await self._database.execute(query, *self._key, *arguments, timeout=QUERY_SECONDS)


async def checkpoints(database: asyncpg.Pool, log: str) -> dict[str, int]:
    """How far each consumer of a log has come."""
    rows = await database.fetch(
        "SELECT consumer, seq FROM bus.checkpoints WHERE log = $1", log, timeout=QUERY_SECONDS
    )
    return {row["consumer"]: row["seq"] for row in rows}


async def everything(database: asyncpg.Pool) -> list[Parked]:
    """All parked events, in the order they would be redriven."""
    rows = await database.fetch(
        """
        SELECT consumer, log, seq, lane, event_id, type, reason, attempts, parked_at, redrive
        FROM bus.parked ORDER BY log, consumer, seq
        """,
        timeout=QUERY_SECONDS,
    )
    return [Parked(**dict(row)) for row in rows]


async def mark_for_redrive(
    database: asyncpg.Pool, log: str | None, consumer: str | None, seqs: Sequence[int]
) -> int:
    """Have the active consumers take events again: those of `log`, `consumer` and `seqs`, where given.

    A lane goes round in order, so one event brings the others of its lane along. Gives how many were marked.
    """
    return len(
        await database.fetch(
            """
            UPDATE bus.parked AS waiting SET redrive = true
            FROM (SELECT DISTINCT log, consumer, lane FROM bus.parked
                  WHERE ($1::text IS NULL OR log = $1) AND ($2::text IS NULL OR consumer = $2)
                    AND (cardinality($3::bigint[]) = 0 OR seq = ANY ($3))) AS chosen
            WHERE (waiting.log, waiting.consumer, waiting.lane) = (chosen.log, chosen.consumer, chosen.lane)
            RETURNING seq
            """,
            log,
            consumer,
            list(seqs),
            timeout=QUERY_SECONDS,
        )
    )
