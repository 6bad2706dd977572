"""What tests of the bus share: a log to carry, hands to append, an ear that notes what it was told."""

import asyncio
import contextlib
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from libs.events import bus, lease, stream
from libs.events.connection import Connection
from libs.events.consumer import Consumer
from libs.events.contracts.intake import DuplicateSuspected
from libs.events.contracts.values import Suspicion
from libs.events.envelope import Append, Envelope, NewEvent, Recorded
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from libs.events.store import Context, EventStore, Log

DEADLINE_SECONDS = 20.0
PAGE_MESSAGES = 100
SUSPECTED = "complaints.intake.duplicate_suspected.v1"


def new_log(name: str | None = None) -> tuple[MemoryLog, str]:
    """A log in memory under a name that no other test uses: they share the server."""
    name = name or f"t{secrets.token_hex(6)}"
    return MemoryLog(name), name


def store_on(log: Log, connection: Connection | None = None) -> EventStore:
    keys = KeyRing(log, KeyEncryptionKey(bytes(32)))
    return EventStore(log, keys, connection.wake) if connection else EventStore(log, keys)


def an_event(complaint_id: uuid.UUID) -> DuplicateSuspected:
    """An event without personal data."""
    suspicion = Suspicion(duplicate_of=uuid.uuid4(), matched_on=("order_number",))
    return DuplicateSuspected(complaint_id=complaint_id, suspicion=suspicion, suspected_at=datetime.now(UTC))


class Author:
    """Appends events to complaints, remembering which version each has."""

    def __init__(self, store: EventStore, log: str, complaints: int = 5) -> None:
        self.store = store
        self.log = log
        self.versions = {uuid.uuid4(): 0 for _ in range(complaints)}

    async def write(self, count: int, complaint_id: uuid.UUID | None = None) -> None:
        """`count` events, one an append, over the complaints in turn or to one of them."""
        chosen = (
            [complaint_id] * count if complaint_id else [*self.versions] * (count // len(self.versions) + 1)
        )
        for target in chosen[:count]:
            context = Context("tester", target)
            version = self.versions[target]
            stream_name = f"intake-{target}"
            await self.store.append(
                self.log, stream_name, version, [an_event(target)], [uuid.uuid4()], context
            )
            self.versions[target] = version + 1


async def write_raw(log: Log, name: str, complaint_id: uuid.UUID, event_type: str, body: bytes) -> None:
    """An event that no contract would have let through, in a stream of its own."""
    event = NewEvent(uuid.uuid4(), event_type, body)
    await log.append(Append(name, f"intake-{uuid.uuid4()}", 0, (event,), "tester", complaint_id))


class Ear:
    """A handler that notes the order of what it was told; `trouble` decides what to raise."""

    def __init__(self, trouble: Callable[[Envelope], Awaitable[None]] | None = None) -> None:
        self.heard: list[Envelope] = []
        self._trouble = trouble

    async def __call__(self, recorded: Recorded[Any]) -> None:
        if self._trouble:
            await self._trouble(recorded.envelope)
        self.heard.append(recorded.envelope)

    def effects(self) -> dict[uuid.UUID | None, list[int]]:
        """By complaint, the seqs that would have had an effect: what was acted on before has none."""
        result: dict[uuid.UUID | None, list[int]] = {}
        for envelope in self.heard:
            seqs = result.setdefault(envelope.complaint_id, [])
            if not seqs or envelope.seq > seqs[-1]:
                seqs.append(envelope.seq)
        return result


async def in_order(log: Log, name: str, without: Iterable[int] = ()) -> dict[uuid.UUID | None, list[int]]:
    """What `Ear.effects` must be when everything in the log was heard, except `without`."""
    result: dict[uuid.UUID | None, list[int]] = {}
    for envelope in await everything_in(log, name):
        if envelope.seq not in set(without):
            result.setdefault(envelope.complaint_id, []).append(envelope.seq)
    return result


async def everything_in(log: Log, name: str) -> list[Envelope]:
    events: list[Envelope] = []
    while page := await log.read(name, after=len(events)):
        events += page
    return events


async def stream_content(connection: Connection, name: str) -> list[Envelope]:
    """Every message of the stream as the envelope it carries, in the order of its sequence."""
    jetstream, stream_name = connection.jetstream, bus.stream_of(name)
    state = (await jetstream.stream_info(stream_name)).state
    envelopes: list[Envelope] = []
    for first in range(state.first_seq, state.last_seq + 1, PAGE_MESSAGES):
        page = range(first, min(first + PAGE_MESSAGES, state.last_seq + 1))
        messages = await asyncio.gather(*(jetstream.get_msg(stream_name, seq=seq) for seq in page))
        assert [message.seq for message in messages] == list(page)
        envelopes += [bus.from_message(message.headers, message.data) for message in messages]
    return envelopes


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, seconds: float = DEADLINE_SECONDS
) -> None:
    """Wait until `condition` holds; what goes wrong while a server is away counts as not yet."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(Exception):
                    if await condition():
                        return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None


async def until_carried(connection: Connection, log: Log, name: str) -> None:
    """Wait until the stream ends where the log does, and agrees with it."""

    async def carried() -> bool:
        found = await stream.inspect(connection, log, name)
        return found.fault is None and found.last == (await log.head(name)).seq

    await until(carried, "the stream ends where the log does")


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    async with Connection(url) as connection:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await connection.until_connected()
        yield connection


@contextlib.asynccontextmanager
async def running(*work: Awaitable[None], which_may_end: bool = False) -> AsyncIterator[None]:
    """`work` beside the test; whatever it raises fails the test, and so does its end unless it may."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        yield
        for task in tasks:
            assert which_may_end or not task.done(), task
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


def consumer_of(
    store: EventStore,
    connection: Connection,
    database: asyncpg.Pool,
    handler: Ear,
    name: str = "ear",
    events: Sequence[type] = (),
) -> Consumer:
    return Consumer(
        name,
        handler,
        store=store,
        connection=connection,
        database=database,
        turns=lease.leases(database),
        events=events,
    )
