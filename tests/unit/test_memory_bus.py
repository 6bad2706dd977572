"""The bus in memory keeps what consumers promise, however badly it treats its messages."""

import itertools
import random
from collections import Counter, defaultdict
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.events import errors, memory_bus
from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.intake import ComplaintWithdrawn
from libs.events.envelope import Recorded
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from libs.events.memory_bus import Faults, MemoryBus
from libs.events.store import EventStore
from tests import complaint_history

COMPLAINTS = [uuid4() for _ in range(6)]
ROUGH = Faults(drop=0.3, double=0.3, reorder=True)


@pytest.fixture
def store() -> EventStore:
    log = MemoryLog("main")
    return EventStore(log, KeyRing(log, KeyEncryptionKey(bytes(32))))


async def write(store: EventStore, rounds: int = 8) -> None:
    """Every complaint is recorded and then assigned again and again, in turns."""
    writer = complaint_history.Writer(store)
    for complaint_id in COMPLAINTS:
        await writer.says(complaint_history.recorded(complaint_id))
    for number in range(1, rounds):
        for complaint_id in COMPLAINTS:
            await writer.says(complaint_history.assigned(complaint_id, round=number))


class Listener:
    """Remembers what it heard, and of each complaint the furthest it has come."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.of: defaultdict[UUID | None, list[int]] = defaultdict(list)

    async def __call__(self, recorded: Recorded[Any]) -> None:
        self.heard.append(recorded.envelope.seq)
        self.of[recorded.envelope.complaint_id].append(recorded.envelope.version)

    def first_times(self) -> dict[UUID | None, list[int]]:
        return {complaint: list(dict.fromkeys(versions)) for complaint, versions in self.of.items()}


async def test_without_faults_every_event_comes_once_in_the_log_s_order(store: EventStore) -> None:
    await write(store)
    bus, listener = MemoryBus(store, "main", random.Random(1)), Listener()
    bus.subscribe("listener", listener)
    assert await bus.settle() == 48
    assert Counter(listener.heard) == Counter(range(1, 49))
    assert listener.first_times() == {complaint: list(range(1, 9)) for complaint in COMPLAINTS}


@pytest.mark.parametrize("seed", range(20))
async def test_dropped_doubled_and_reordered_each_complaint_still_comes_in_order(
    store: EventStore, seed: int
) -> None:
    await write(store)
    bus, listener = MemoryBus(store, "main", random.Random(seed), ROUGH), Listener()
    bus.subscribe("listener", listener)
    await bus.settle()
    assert listener.first_times() == {complaint: list(range(1, 9)) for complaint in COMPLAINTS}
    # What comes again begins further back and goes on from there, as after a fall back to a checkpoint.
    for versions in listener.of.values():
        assert all(after <= before + 1 for before, after in itertools.pairwise(versions))
    assert bus.counts["dropped"]
    assert bus.counts["doubled"]
    assert listener.heard != sorted(listener.heard), "complaints overtake each other"


async def test_the_same_seed_gives_the_same_deliveries(store: EventStore) -> None:
    await write(store)
    heard = []
    for _ in range(2):
        bus, listener = MemoryBus(store, "main", random.Random(7), ROUGH), Listener()
        bus.subscribe("listener", listener)
        await bus.settle()
        heard.append(listener.heard)
    assert heard[0] == heard[1]


async def test_only_the_events_that_were_asked_for_come(store: EventStore) -> None:
    await write(store)
    bus, listener = MemoryBus(store, "main", random.Random(1)), Listener()
    bus.subscribe("listener", listener, (ComplaintAssigned,))
    await bus.settle()
    assert len(listener.heard) == 42


async def test_what_a_handler_appends_is_carried_too(store: EventStore) -> None:
    await write(store, rounds=1)
    writer = complaint_history.Writer(store)
    bus, listener = MemoryBus(store, "main", random.Random(1), ROUGH), Listener()
    answered: set[UUID] = set()

    async def withdraw(recorded: Recorded[Any]) -> None:
        if (complaint_id := recorded.event.complaint_id) not in answered:
            answered.add(complaint_id)
            await writer.says(complaint_history.withdrawn(complaint_id), category="answer")

    bus.subscribe("answering", withdraw)
    bus.subscribe("listener", listener, (ComplaintWithdrawn,))
    await bus.settle()
    assert set(listener.of) == set(COMPLAINTS)


async def test_a_failure_is_tried_again_while_other_complaints_go_on(store: EventStore) -> None:
    await write(store)
    bus, listener = MemoryBus(store, "main", random.Random(1)), Listener()
    failures = Counter({COMPLAINTS[0]: 3})

    async def handle(recorded: Recorded[Any]) -> None:
        if failures[recorded.event.complaint_id] > 0:
            failures[recorded.event.complaint_id] -= 1
            raise errors.NotFound
        await listener(recorded)

    bus.subscribe("failing", handle)
    await bus.settle()
    assert bus.parked == []
    assert listener.heard[0] == 2
    assert listener.first_times()[COMPLAINTS[0]] == list(range(1, 9))


async def test_the_impossible_is_parked_and_holds_its_complaint_alone(store: EventStore) -> None:
    await write(store)
    bus, listener = MemoryBus(store, "main", random.Random(1), ROUGH), Listener()

    async def handle(recorded: Recorded[Any]) -> None:
        if recorded.envelope.complaint_id == COMPLAINTS[0] and recorded.envelope.version == 3:
            raise RuntimeError("a bug")
        await listener(recorded)

    bus.subscribe("failing", handle)
    await bus.settle()
    (parked,) = bus.parked
    assert parked.reason == "RuntimeError: a bug"
    assert set(listener.of[COMPLAINTS[0]]) == {1, 2}
    assert set(listener.of[COMPLAINTS[1]]) == set(range(1, 9))


async def test_a_refusal_is_an_answer(store: EventStore) -> None:
    await write(store)
    bus = MemoryBus(store, "main", random.Random(1))

    async def refuse(_: Recorded[Any]) -> None:
        raise errors.Refused

    bus.subscribe("refusing", refuse)
    assert await bus.settle() == 48
    assert bus.counts["refused"] == 48
    assert memory_bus.NONE.drop == 0
