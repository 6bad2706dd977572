"""The comparison: `eventsourcing` with its recorder for PostgreSQL in default mode (it locks the table).

Its extra `postgres` installs psycopg in pure Python: that is measured, unless there is no libpq to run it on.
`PSYCOPG_IMPL=binary make bench` compares with psycopg at its fastest.
"""

import ctypes.util
import dataclasses
import importlib.metadata
import os
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

# Read by psycopg when it is imported.
os.environ.setdefault("PSYCOPG_IMPL", "python" if ctypes.util.find_library("pq") else "binary")

import uuid_utils.compat as uuids
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import (
    DatetimeAsISO,
    DecimalAsStr,
    JSONTranscoder,
    Mapper,
    StoredEvent,
    UUIDAsHex,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.utils import get_topic
from psycopg import conninfo, pq

from bench import complaints
from bench.workers import Counted, Ready

PAGE_EVENTS = 1000  # as many at a time as we read


class ComplaintRecorded(DomainEvent):
    """The same event as an event of theirs; its fields are the state."""


TOPIC = get_topic(ComplaintRecorded)


def described() -> str:
    """The versions, and in which implementation psycopg runs."""
    ours, driver = (importlib.metadata.version(name) for name in ("eventsourcing", "psycopg"))
    return f"eventsourcing {ours} on psycopg {driver} ({pq.__impl__})"


def recorder(dsn: str, connections: int) -> PostgresApplicationRecorder:
    """A recorder whose threads never wait for a connection."""
    parts = {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items()}
    datastore = PostgresDatastore(
        parts["dbname"],
        parts["host"],
        parts["port"],
        parts["user"],
        parts["password"],
        pool_size=connections,
    )
    return PostgresApplicationRecorder(datastore)


def prepare(dsn: str) -> None:
    """Make its table."""
    made = recorder(dsn, 1)
    made.create_table()
    made.datastore.close()


def append(ready: Ready, dsn: str, threads: int, seconds: float, content: bytes) -> Counted:
    """Each thread appends one event each to new aggregates, one after the other."""
    events = recorder(dsn, threads)
    events.datastore.register_type_adapters()
    warm = threading.Barrier(threads + 1)
    times: list[list[float]] = [[] for _ in range(threads)]

    def work(mine: list[float]) -> None:
        insert(events, content)
        warm.wait()
        warm.wait()
        deadline = time.perf_counter() + seconds
        while (began := time.perf_counter()) < deadline:
            insert(events, content)
            mine.append(time.perf_counter() - began)

    crew = [threading.Thread(target=work, args=(mine,)) for mine in times]
    for thread in crew:
        thread.start()
    warm.wait()
    ready()
    began = time.perf_counter()
    warm.wait()
    for thread in crew:
        thread.join()
    elapsed = time.perf_counter() - began
    events.datastore.close()
    each = [one for mine in times for one in mine]
    return Counted(len(each), elapsed, each)


def insert(events: PostgresApplicationRecorder, content: bytes) -> None:
    """One event, the first of a new aggregate."""
    aggregate_id: UUID = uuids.uuid7()
    events.insert_events([StoredEvent(aggregate_id, 1, TOPIC, content)])


def mapper() -> Mapper[UUID]:
    """Events to bytes and back as an application of theirs does it."""
    transcoder = JSONTranscoder()
    for transcoding in (UUIDAsHex(), DecimalAsStr(), DatetimeAsISO()):
        transcoder.register(transcoding)
    return Mapper(transcoder)


def fill(dsn: str, count: int) -> None:
    """So many complaints, each an aggregate with one event."""
    events, to_stored = recorder(dsn, 1), mapper().to_stored_event
    for start in range(0, count, PAGE_EVENTS):
        events.insert_events([to_stored(recorded()) for _ in range(min(PAGE_EVENTS, count - start))])
    events.datastore.close()


def recorded() -> ComplaintRecorded:
    """A complaint with the fields of ours."""
    complaint_id: UUID = uuids.uuid7()
    event = object.__new__(ComplaintRecorded)
    event.__dict__.update(
        dataclasses.asdict(complaints.recorded(complaint_id)),
        originator_id=complaint_id,
        originator_version=1,
        timestamp=datetime.now(UTC),
    )
    return event


def replay(ready: Ready, dsn: str) -> Counted:
    """Every event, decoded."""
    events, to_domain = recorder(dsn, 1), mapper().to_domain_event
    count, start = 0, 1
    events.max_notification_id()  # opens the connection
    ready()
    began = time.perf_counter()
    while page := events.select_notifications(start, PAGE_EVENTS):
        count += len([to_domain(notification) for notification in page])
        start = page[-1].id + 1
    elapsed = time.perf_counter() - began
    events.datastore.close()
    return Counted(count, elapsed)
