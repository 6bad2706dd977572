"""Lanes: order within one, none between them."""

import asyncio

import pytest

from libs.events.lanes import Lanes, Work


async def test_a_lane_keeps_its_order_while_others_pass() -> None:
    done: list[str] = []
    gate, passed, emptied = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def work(name: str, before: asyncio.Event | None = None, after: asyncio.Event | None = None) -> Work:
        async def run() -> None:
            if before:
                await before.wait()
            done.append(name)
            if after:
                after.set()

        return run

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks)
        lanes.add("a", work("a1", before=gate))
        lanes.add("a", work("a2"))
        lanes.add("b", work("b1", after=passed))
        await passed.wait()
        lanes.add("a", work("a3", after=emptied))
        assert done == ["b1"]
        gate.set()
        await emptied.wait()
        lanes.add("a", work("a4"))
    assert done == ["b1", "a1", "a2", "a3", "a4"]


async def test_an_error_ends_the_group() -> None:
    async def fail() -> None:
        raise KeyError

    with pytest.raises(ExceptionGroup):
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            Lanes(tasks).add("a", fail)
