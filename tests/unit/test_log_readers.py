"""Trap 22: whoever reads the log meets every event, or says aloud which one it could not read."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import uuid4

from libs.events import codec, errors
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.envelope import NewEvent
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from libs.events.store import PAGE_EVENTS, Context, EventStore, pages
from tests import appends

Reader = Callable[[EventStore], Awaitable[list[int]]]
ERASED = PersonalDataErased(
    data_subject="s", erased_at=datetime(2026, 1, 1, tzinfo=UTC), author="a", reason="r"
)


def store(log: MemoryLog) -> EventStore:
    return EventStore(log, KeyRing(log, KeyEncryptionKey(bytes(32))))


async def with_a_stranger() -> EventStore:
    """Three events; the second is of a type from a later release."""
    log = MemoryLog("main")
    kept = store(log)
    stranger = NewEvent(uuid4(), "complaints.later.thing_done.v9", b"{}")
    await record(kept)
    await log.append(appends.append(None, 0, stranger))
    await record(kept)
    return kept


async def record(kept: EventStore) -> None:
    await kept.append("main", appends.stream("oversight"), 0, [ERASED], [uuid4()], Context(actor="me"))


async def ours(kept: EventStore) -> list[int]:
    return [recorded.envelope.seq for recorded in await kept.read("main")]


async def naive(kept: EventStore) -> list[int]:
    """What many libraries do unless told otherwise: leave it out and go on."""
    applied: list[int] = []
    for envelope in await kept.log.read("main"):
        try:
            codec.decode(envelope, {})
        except errors.ContractError:
            continue
        applied.append(envelope.seq)
    return applied


async def silently_missed(read: Reader) -> set[int]:
    kept = await with_a_stranger()
    try:
        return {1, 2, 3} - set(await read(kept))
    except errors.ContractError as said:
        return set() if said.facts["seq"] == 2 else {2}


async def test_no_event_is_missed_in_silence() -> None:
    assert await silently_missed(ours) == set()
    assert await silently_missed(naive) == {2}


async def test_pages_cover_the_log_exactly_once() -> None:
    log = MemoryLog("main")
    for _ in range(2 * PAGE_EVENTS + 1):
        await log.append(appends.append())

    async def read(**where: Any) -> list[list[int]]:
        return [[envelope.seq for envelope in page] async for page in pages(log, "main", **where)]

    last = 2 * PAGE_EVENTS + 1
    assert [len(page) for page in await read()] == [PAGE_EVENTS, PAGE_EVENTS, 1]
    assert list(chain(*await read())) == list(range(1, last + 1))
    assert list(chain(*await read(after=5, upto=PAGE_EVENTS + 7))) == list(range(6, PAGE_EVENTS + 8))
    assert await read(after=last) == []
    assert await read(upto=0) == []
    async for page in pages(log, "main"):
        assert page[0].seq == 1
        break
