"""Fills a log: fast and meaningless where only its size matters, event by event where it is read."""

import asyncio
from collections.abc import Sequence

import asyncpg
import uuid_utils.compat as uuids

from bench import complaints
from libs.events import codec
from libs.events.envelope import Append, NewEvent
from libs.events.log.postgres import PostgresLog

ROWS_AT_ONCE = 100_000
CALLERS = 256
# As if appended, ids in order of time; only the chain is missing, which appending never looks back at.
INSERT = """
INSERT INTO log.events
       (log, seq, event_id, stream, version, type, complaint_id, actor, traceparent, at, body, hash)
SELECT 'main', seq, uuidv7(), 'intake-' || uuidv7(), 1, $3, uuidv7(), $4, $5, clock_timestamp(), $6, $7
  FROM generate_series($1::bigint, $2::bigint) AS seq
"""


async def rows(dsn_superuser: str, count: int, content: bytes) -> None:
    """So many rows by the superuser, past the triggers; then at rest, as after a while of growing slowly."""
    connection = await asyncpg.connect(dsn_superuser, command_timeout=600)
    try:
        await connection.execute("SET session_replication_role = replica")
        for first in range(1, count + 1, ROWS_AT_ONCE):
            last = min(count, first + ROWS_AT_ONCE - 1)
            await connection.execute(
                INSERT,
                *(first, last, complaints.TYPE, complaints.ACTOR, complaints.TRACEPARENT, content, bytes(32)),
            )
        await connection.execute("UPDATE log.heads SET seq = $1 WHERE log = 'main'", count)
        await connection.execute("VACUUM (ANALYZE) log.events")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def complaints_recorded(dsn: str, count: int) -> None:
    """So many complaints, each with a data key of its own, appended as a service would."""
    waiting = [sealed() for _ in range(count)]

    async def caller() -> None:
        while waiting:
            await log.append(waiting.pop())

    async with PostgresLog(dsn) as log:
        await asyncio.gather(*(caller() for _ in range(CALLERS)))


def sealed(log: str = complaints.LOG) -> Append:
    """The append of one complaint whose data subject is new."""
    complaint_id = uuids.uuid7()
    event, event_id, stream = complaints.recorded(complaint_id), uuids.uuid7(), f"intake-{complaint_id}"
    key, wrapped = complaints.KEY.new_key(log, event.data_subject)
    new: Sequence[NewEvent] = (codec.encode(event, codec.Place(log, stream, event_id), key),)
    return Append(
        log=log,
        stream=stream,
        expected_version=0,
        events=tuple(new),
        actor=complaints.ACTOR,
        complaint_id=complaint_id,
        traceparent=complaints.TRACEPARENT,
        new_keys=(wrapped,),
    )
