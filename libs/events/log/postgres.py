"""The log in PostgreSQL: appends in batches through log.append, reads over a few connections of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self
from uuid import UUID

import asyncpg

from libs.events import errors
from libs.events.envelope import Append, Appended, Claimed, Envelope, Head, WrappedKey, check
from libs.events.log.appender import Appender
from libs.events.log.connections import Connections
from libs.events.store import PAGE_EVENTS

WRITERS_MAX: Final = 2  # logs appended to at the same moment; each log's batches go one after the other
READERS_MAX: Final = 4
WRITER_SETTINGS: Final = {
    "application_name": "redress append",
    "statement_timeout": "5s",
    "lock_timeout": "3s",
}
# Few questions, all answered by an index: planned once, and never by the statistics of a young table.
READER_SETTINGS: Final = {
    "application_name": "redress read",
    "statement_timeout": "5s",
    "default_transaction_read_only": "on",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}

PAGE_BYTES: Final = 16 * 1024 * 1024
COLUMNS: Final = (
    "log, seq, event_id, stream, version, type, complaint_id, actor, caused_by, traceparent, at, body, hash"
)
READ_STREAM: Final = (
    f"SELECT {COLUMNS} FROM log.events WHERE log = $1 AND stream = $2 AND version > $3 ORDER BY version"
)
# The events of a page, as long as those before them fit PAGE_BYTES: so at least one, however large.
PAGE: Final = f"""
SELECT {COLUMNS}
  FROM (SELECT *, sum(octet_length(body)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS bytes
          FROM (SELECT {COLUMNS} FROM log.events
                 WHERE log = $1 AND seq > $2 {{0}} ORDER BY seq LIMIT $3) AS chosen) AS measured
 WHERE bytes - octet_length(body) < {PAGE_BYTES} ORDER BY seq
"""
READ: Final = PAGE.format("")
READ_COMPLAINT: Final = PAGE.format("AND complaint_id = $4")
HEAD: Final = "SELECT seq, hash, at FROM log.heads WHERE log = $1"
LOGS: Final = "SELECT log FROM log.heads ORDER BY log"
CLAIM: Final = "SELECT name, fingerprint, stream, version, seq FROM log.claims WHERE log = $1 AND name = $2"
KEY_OF_SUBJECT: Final = "SELECT key_id, subject, wrapped FROM log.keys WHERE log = $1 AND subject = $2"
KEYS_BY_ID: Final = "SELECT key_id, subject, wrapped FROM log.keys WHERE log = $1 AND key_id = ANY ($2)"


class PostgresLog:
    """A `store.Log` in the schema `log` of the database at `dsn`, with the rights of its role.

    Connects when first asked and again after every outage; while the database is away calls raise Unavailable
    within 2 s. An append whose commit was uncertain is settled by repeating it with the same event ids.
    """

    def __init__(self, dsn: str, *, readers_max: int = READERS_MAX) -> None:
        self._readers = Connections(dsn, readers_max, READER_SETTINGS)
        self._writers = Connections(dsn, WRITERS_MAX, WRITER_SETTINGS)
        self._appender = Appender(self._writers)
        self._known: set[str] = set()  # logs are never closed

    async def start(self) -> None:
        """Make ready; nothing is connected yet."""
        await self._readers.start()
        await self._writers.start()

    async def close(self) -> None:
        """Stop appending and disconnect."""
        await self._appender.close()
        await self._writers.close()
        await self._readers.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def append(self, append: Append) -> Appended:
        """See `Log.append`."""
        check(append)
        return await self._appender.append(append)

    async def read_stream(self, log: str, stream: str, after_version: int = 0) -> list[Envelope]:
        """See `Log.read_stream`."""
        rows = await self._ask(log, READ_STREAM, stream, after_version)
        return list(map(Envelope._make, rows))

    async def read(
        self, log: str, after: int = 0, limit: int = PAGE_EVENTS, complaint_id: UUID | None = None
    ) -> list[Envelope]:
        """See `Log.read`."""
        if complaint_id is None:
            rows = await self._ask(log, READ, after, limit)
        else:
            rows = await self._ask(log, READ_COMPLAINT, after, limit, complaint_id)
        return list(map(Envelope._make, rows))

    async def head(self, log: str) -> Head:
        """See `Log.head`."""
        rows = await self._readers.fetch(HEAD, log)
        if not rows:
            raise errors.UnknownLog(log=log)
        self._known.add(log)
        return Head(*rows[0])

    async def logs(self) -> list[str]:
        """See `Log.logs`."""
        return [row["log"] for row in await self._readers.fetch(LOGS)]

    async def find_claim(self, log: str, name: UUID) -> Claimed | None:
        """See `Log.find_claim`."""
        rows = await self._ask(log, CLAIM, name)
        return Claimed(*rows[0]) if rows else None

    async def key_of_subject(self, log: str, subject: str) -> WrappedKey | None:
        """See `KeyShelf`."""
        rows = await self._ask(log, KEY_OF_SUBJECT, subject)
        return WrappedKey(*rows[0]) if rows else None

    async def keys_by_id(self, log: str, key_ids: Iterable[UUID]) -> list[WrappedKey]:
        """See `KeyShelf`."""
        return [WrappedKey(*row) for row in await self._ask(log, KEYS_BY_ID, list(key_ids))]

    async def _ask(self, log: str, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """The rows; where there are none, make sure that it is not the log that does not exist."""
        rows = await self._readers.fetch(query, log, *arguments)
        if not rows and log not in self._known:
            await self.head(log)
        return rows
