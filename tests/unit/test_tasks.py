"""Work ends when it is told to, though what it calls swallows a cancellation, as `asyncio.wait_for` may."""

import asyncio
from collections.abc import Coroutine

import pytest

from libs.events import every_log
from libs.events.memory import MemoryLog
from libs.events.tasks import Tasks
from tests.deaf import Deaf

DEADLINE_SECONDS = 10.0


async def test_a_group_of_tasks_ends_though_one_does_not_hear_at_first() -> None:
    deaf, quick = Deaf(), Deaf()

    async def together() -> None:
        async with Tasks() as tasks:
            tasks.create_task(deaf.work())
            tasks.create_task(quick.work())
            await asyncio.Event().wait()

    await told_to_stop(together(), deaf)
    assert quick.ended


async def test_a_fault_of_one_ends_the_others() -> None:
    deaf = Deaf()

    async def fail() -> None:
        await deaf.at_work.wait()
        raise ZeroDivisionError

    async def together() -> None:
        async with Tasks() as tasks:
            tasks.create_task(deaf.work())
            tasks.create_task(fail())
            await asyncio.Event().wait()

    async with asyncio.timeout(DEADLINE_SECONDS):
        with pytest.raises(ExceptionGroup) as raised:
            await together()
    assert raised.group_contains(ZeroDivisionError)
    assert deaf.ended


async def test_what_is_done_for_every_log_ends_too() -> None:
    deaf = Deaf()
    await told_to_stop(every_log.run(MemoryLog("main"), deaf.work), deaf)


async def test_who_gives_up_waiting_is_heard_again_and_again() -> None:
    """Whoever ends the service says so to the outermost task only, more than once."""
    deaf = Deaf()
    task = asyncio.create_task(every_log.run(MemoryLog("main"), deaf.work))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await deaf.at_work.wait()
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.01)
    assert task.cancelled()
    assert deaf.ended


async def told_to_stop(work: Coroutine[None, None, None], deaf: Deaf) -> None:
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await deaf.at_work.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert deaf.ended
