"""The clock passes what has fallen due: oldest first, all of it, whatever one of them does."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.events import errors
from libs.events.envelope import Recorded
from libs.events.lease import Undisputed
from libs.events.memory import MemoryLog
from libs.service.clock import Clock, Ticker
from libs.service.deadlines import (
    PAGE_DEADLINES,
    Change,
    Deadline,
    Ended,
    MemoryDeadlines,
    Missed,
    Started,
    Warned,
)
from tests.recorded import recorded as as_recorded

NOW = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP = "investigate"


class Desk:
    """A service of one kind of event: a change itself. What is passed is noted, and can be refused."""

    def __init__(self) -> None:
        self.now = NOW
        self.passed: list[Deadline] = []
        self.trouble: dict[UUID, Exception] = {}
        self.deadlines = MemoryDeadlines("investigation", lambda event: [event])
        clock = Clock("test", self.deadlines, self.pass_deadline)
        self.ticker = Ticker(clock, MemoryLog("main"), lambda: self.now, Undisputed)

    async def pass_deadline(self, deadline: Deadline) -> None:
        if trouble := self.trouble.get(deadline.key):
            raise trouble
        self.passed.append(deadline)
        await asyncio.sleep(0)

    def says(self, number: int, *changes: Change, category: str = "investigation") -> None:
        for change in changes:
            self.deadlines.note(recorded(number, change, category))

    async def sweep(self) -> list[int]:
        """The numbers of the streams whose deadlines this look passes, in order."""
        before = len(self.passed)
        await self.ticker.sweep("main")
        return [deadline.key.int for deadline in self.passed[before:]]


def recorded(number: int, event: Any, category: str) -> Recorded[Any]:
    return as_recorded(event, f"{category}-{UUID(int=number)}", NOW)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.rule("SLA-3")
async def test_whatever_the_number_all_is_passed_and_the_oldest_first(desk: Desk) -> None:
    """Trap 2: the overdue scan that read the newest hundred rows."""
    count = 2 * PAGE_DEADLINES + 7
    for number in range(1, count + 1):
        desk.says(number, Started(STEP, NOW - number * MINUTE))
    passed = await desk.sweep()
    assert sorted(passed) == list(range(1, count + 1))
    pages = [passed[at : at + PAGE_DEADLINES] for at in range(0, count, PAGE_DEADLINES)]
    assert [min(page) > max(later) for page, later in itertools.pairwise(pages)] == [True, True]


@pytest.mark.rule("SLA-4")
async def test_a_warning_comes_before_its_deadline_each_at_its_time(desk: Desk) -> None:
    desk.says(1, Started(STEP, NOW + 10 * MINUTE, NOW + 5 * MINUTE))
    assert await desk.sweep() == []
    desk.now = NOW + 5 * MINUTE
    assert await desk.sweep() == [1]
    assert desk.passed[-1].at == NOW + 5 * MINUTE
    desk.says(1, Warned(STEP))
    assert await desk.sweep() == []
    desk.now = NOW + 60 * MINUTE
    assert await desk.sweep() == [1]
    assert desk.passed[-1].at == NOW + 10 * MINUTE


async def test_what_was_passed_is_not_passed_again_while_the_view_comes_to_it(desk: Desk) -> None:
    desk.says(1, Started(STEP, NOW))
    assert await desk.sweep() == [1]
    assert await desk.sweep() == []
    desk.says(1, Missed(STEP))
    assert await desk.sweep() == []
    desk.says(1, Started(STEP, NOW - MINUTE))
    assert await desk.sweep() == [1]


async def test_the_same_time_said_again_starts_nothing_anew(desk: Desk) -> None:
    desk.says(1, Started(STEP, NOW), Missed(STEP), Started(STEP, NOW))
    assert await desk.sweep() == []


async def test_what_has_ended_falls_due_no_more(desk: Desk) -> None:
    desk.says(1, Started(STEP, NOW), Started("supplier/1", NOW), Ended(STEP))
    desk.says(2, Started("supplier/1", NOW), Started("supplier/2", NOW), Ended("supplier"))
    await desk.sweep()
    assert [(each.key.int, each.step) for each in desk.passed] == [(1, "supplier/1")]


async def test_other_services_deadlines_are_theirs(desk: Desk) -> None:
    desk.says(1, Started(STEP, NOW), category="intake")
    assert await desk.sweep() == []


async def test_one_that_cannot_be_passed_holds_up_no_other_and_is_tried_again(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.says(number, Started(STEP, NOW - MINUTE / number))
    desk.trouble[UUID(int=1)] = KeyError("a bug")
    desk.trouble[UUID(int=2)] = errors.VersionConflict()
    assert await desk.sweep() == [3]
    desk.trouble.clear()
    assert await desk.sweep() == [1, 2]


async def test_an_outage_ends_the_look_and_the_next_one_finds_everything(desk: Desk) -> None:
    for number in range(1, 100):
        desk.says(number, Started(STEP, NOW - number * MINUTE))
    desk.trouble[UUID(int=99)] = errors.Unavailable()
    with pytest.raises(errors.Unavailable):
        await desk.sweep()
    desk.trouble.clear()
    await desk.sweep()
    assert {each.key.int for each in desk.passed} == set(range(1, 100))


async def test_the_deadlines_of_one_stream_are_passed_one_after_the_other(desk: Desk) -> None:
    running: set[UUID] = set()

    async def alone(deadline: Deadline) -> None:
        assert deadline.key not in running
        running.add(deadline.key)
        await asyncio.sleep(0)
        running.remove(deadline.key)
        desk.passed.append(deadline)

    for number in (1, 2):
        desk.says(number, *(Started(f"supplier/{n}", NOW) for n in range(5)))
    await Ticker(Clock("test", desk.deadlines, alone), MemoryLog("main"), lambda: NOW, Undisputed).sweep(
        "main"
    )
    assert len(desk.passed) == 10


async def test_a_simulation_can_leap_to_what_falls_due_next(desk: Desk) -> None:
    assert desk.deadlines.next_at("main") is None
    desk.says(1, Started(STEP, NOW + 10 * MINUTE, NOW + 5 * MINUTE))
    desk.says(2, Started(STEP, NOW + 7 * MINUTE))
    assert desk.deadlines.next_at("main") == NOW + 5 * MINUTE


async def test_it_ticks_until_it_is_stopped(desk: Desk) -> None:
    desk.says(1, Started(STEP, NOW))
    running = asyncio.create_task(desk.ticker.run())
    async with asyncio.timeout(5):
        while not desk.passed:  # noqa: ASYNC110 there is nothing to wait on but the thing itself
            await asyncio.sleep(0.01)
    running.cancel()
