"""Which policy pack decides: read once for all who ask at a time, and anew when it was changed (GOV-1)."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from libs.events.contracts.policy import PolicyPublished
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from libs.events.store import Context, EventStore
from libs.policy import pack
from libs.service import policies
from libs.service.policies import Policies
from tests.packs import standard, text_with

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
STREAM = f"policy-{policies.key_of('main')}"


@pytest.fixture
def store() -> EventStore:
    log = MemoryLog("main")
    return EventStore(log, KeyRing(log, KeyEncryptionKey(bytes(32))))


async def publish(store: EventStore, version: int) -> None:
    text = text_with(
        ("version: 1", f"version: {version}"), ("effective_from: 2026-01-01", "effective_from: 2026-11-21")
    )
    event = PolicyPublished(
        name="standard",
        version=version,
        effective_from=date(2026, 11, 21),
        text=text,
        author="general-manager",
        published_at=NOW,
    )
    before = len(await store.log.read_stream("main", STREAM))
    await store.append("main", STREAM, before, [event], [uuid4()], Context("general-manager"))


@pytest.mark.rule("GOV-1")
async def test_a_pack_is_read_once_for_all_who_ask_meanwhile(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(store, 2)
    kept, read = Policies(store, standard(), lambda: 0.0), list[str]()
    parse = pack.parse

    def noting(text: str, name: str) -> Any:
        read.append(name)
        return parse(text, name)

    monkeypatch.setattr(pack, "parse", noting)
    found = await asyncio.gather(*(kept.in_force("main", NOW) for _ in range(12)))
    assert {each.version for each in found} == {2}
    assert read == ["standard@2"]


@pytest.mark.rule("GOV-1")
async def test_what_is_published_while_the_stream_is_read_is_not_missed(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(store, 2)
    kept = Policies(store, standard(), lambda: 0.0)
    read_stream = store.read_stream

    async def overtaken(log: str, stream: str, after_version: int = 0) -> Any:
        found = await read_stream(log, stream, after_version)
        if after_version == 0:
            await publish(store, 3)
            kept.changed("main")
        return found

    monkeypatch.setattr(store, "read_stream", overtaken)
    assert (await kept.in_force("main", NOW)).version == 2
    assert (await kept.in_force("main", NOW)).version == 3
