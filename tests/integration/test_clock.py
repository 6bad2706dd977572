"""Deadlines in PostgreSQL: the same as in memory, passed once by several processes, and thousands in time."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.envelope import Recorded
from libs.events.lease import Undisputed
from libs.events.store import Context
from libs.service import wiring
from libs.service.clock import Ticker
from libs.service.deadlines import (
    PAGE_DEADLINES,
    Change,
    Deadline,
    Ended,
    MemoryDeadlines,
    Missed,
    Moved,
    SqlDeadlines,
    Started,
    Warned,
    all_open,
)
from libs.service.projection import Follower
from services.investigation import clock
from services.investigation.investigate import decide as open_
from tests import backends, service_kit
from tests.complaint_history import NOW
from tests.recorded import recorded as as_recorded
from tests.unit.investigation_situations import open_it

MINUTE = timedelta(minutes=1)
STEPS = ("investigate", "supplier/1", "supplier/12", "supplier")
TIMES = st.integers(-3, 3).map(lambda minutes: NOW + minutes * MINUTE)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Started, st.sampled_from(STEPS), TIMES, st.none() | TIMES),
    st.builds(Moved, st.sampled_from(STEPS), TIMES, st.none() | TIMES),
    st.builds(Warned, st.sampled_from(STEPS)),
    st.builds(Missed, st.sampled_from(STEPS)),
    st.builds(Ended, st.sampled_from(STEPS)),
)


@pytest.fixture
async def resources(database: backends.Database, tmp_path: Path) -> AsyncIterator[wiring.Resources]:
    chosen = service_kit.write_settings(tmp_path, database_url=database.dsn("redress_investigation"))
    async with wiring.opened(chosen, "investigation", wiring.read(chosen)) as found:
        yield found


def recorded(key: int, change: Change) -> Recorded[Any]:
    return as_recorded(change, f"investigation-{UUID(int=key)}", NOW)


def owes(said: list[tuple[int, Change]], key: int) -> bool:
    """Whether anything was started in that stream that has not ended, missed or not."""
    open_: set[str] = set()
    for change in (change for of, change in said if of == key):
        if isinstance(change, Started):
            open_.add(change.step)
        elif isinstance(change, Ended):
            open_ = {step for step in open_ if step != change.step and not step.startswith(f"{change.step}/")}
    return bool(open_)


async def test_the_table_and_the_memory_say_the_same(resources: wiring.Resources) -> None:
    kept = SqlDeadlines("investigation", "investigation", lambda event: [event], resources.engine)

    async def compare(said: list[tuple[int, Change]]) -> None:
        memory = MemoryDeadlines("investigation", lambda event: [event])
        async with resources.engine.begin() as connection:
            for key in (1, 2):
                for step in STEPS:
                    await kept.project(connection, recorded(key, Ended(step)))
            for key, change in said:
                memory.note(recorded(key, change))
                await kept.project(connection, recorded(key, change))
        for deadlines in (kept, memory):
            assert await paged(deadlines) == await memory.due("main", NOW)
            owing = [each.key async for page in all_open(deadlines, "main", NOW) for each in page]
            assert owing == [UUID(int=key) for key in (1, 2) if owes(said, key)]

    async def paged(deadlines: SqlDeadlines | MemoryDeadlines) -> list[Deadline]:
        found: list[Deadline] = []
        while page := await deadlines.due("main", NOW, found[-1] if found else None, 2):
            found += page
        return found

    examples: list[list[tuple[int, Change]]] = []

    @settings(max_examples=60, deadline=None, database=None)
    @given(said=st.lists(st.tuples(st.integers(1, 2), CHANGES), max_size=12))
    def draw(said: list[tuple[int, Change]]) -> None:
        examples.append(said)

    await asyncio.to_thread(draw)
    for said in examples:
        await compare(said)


async def opened(resources: wiring.Resources, count: int) -> list[UUID]:
    """So many investigations, all due within one minute, the first of them first."""
    keys = [uuid4() for _ in range(count)]
    room = asyncio.Semaphore(64)

    async def open_one(at: int, key: UUID) -> None:
        due_at = NOW + at * MINUTE / count
        due = replace(open_it.due, due_at=due_at, warn_at=due_at - 60 * MINUTE)
        command = replace(open_it, investigation_id=key, complaint_id=key, duties=(), due=due, now=NOW)
        happened = open_(command, clock.STREAM.initial)
        async with room:
            context = Context("test", key)
            await resources.store.append("main", clock.STREAM.name(key), 0, happened, [uuid4()], context)

    await asyncio.gather(*(open_one(at, key) for at, key in enumerate(keys)))
    return keys


def follower(resources: wiring.Resources) -> Follower:
    view = clock.deadlines(resources)
    return Follower(view, "investigation", resources.store, resources.engine, resources.bus)


async def said(resources: wiring.Resources) -> dict[type, list[Recorded[Any]]]:
    found: dict[type, list[Recorded[Any]]] = {}
    after = 0
    while page := await resources.store.read("main", after):
        for each in page:
            found.setdefault(type(each.event), []).append(each)
        after = page[-1].envelope.seq
    return found


@pytest.mark.rule("SLA-3", "SLA-4")
async def test_several_processes_pass_a_deadline_exactly_once(resources: wiring.Resources) -> None:
    """Also without a lease, while the view has not come to what was passed: versions decide."""
    keys = await opened(resources, 40)
    await follower(resources).catch_up("main")
    resources.now = lambda: NOW + 60 * MINUTE
    tickers = [
        Ticker(clock.of(resources)[0], resources.log, lambda: NOW + 60 * MINUTE, Undisputed) for _ in range(4)
    ]
    await asyncio.gather(*(ticker.sweep("main") for ticker in tickers))
    await asyncio.gather(*(ticker.sweep("main") for ticker in tickers))
    happened = await said(resources)
    for kind in (DeadlineWarned, DeadlineMissed):
        assert sorted(each.event.complaint_id for each in happened[kind]) == sorted(keys)
    await follower(resources).catch_up("main")
    assert await clock.deadlines(resources).due("main", NOW + 60 * MINUTE) == []


@pytest.mark.rule("SLA-3")
async def test_after_an_outage_all_is_passed_the_oldest_first_each_with_its_own_time(
    resources: wiring.Resources,
) -> None:
    """Trap 2, on a view of several pages; the whole figure is measured, not tested."""
    count = 2 * PAGE_DEADLINES + 10
    keys = await opened(resources, count)
    await follower(resources).catch_up("main")
    resources.now = lambda: NOW + 60 * MINUTE
    ticker = Ticker(clock.of(resources)[0], resources.log, resources.now, Undisputed)
    assert await ticker.sweep("main") == count
    assert await ticker.sweep("main") == 0
    missed = [each.event for each in (await said(resources))[DeadlineMissed]]
    assert sorted(event.complaint_id for event in missed) == sorted(keys)
    assert all(event.missed_at == event.due_at < event.noticed_at for event in missed)
    pages = [missed[at : at + PAGE_DEADLINES] for at in range(0, count, PAGE_DEADLINES)]
    for page, later in itertools.pairwise(pages):
        assert max(event.due_at for event in page) <= min(event.due_at for event in later)
