"""Leases: one holder at a time, followed soon after its death, at once after its leave."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from libs.events import lease
from tests import backends, carriage
from tests.deaf import Deaf


class Worker:
    """Holds a lease and says so."""

    def __init__(self, pool: asyncpg.Pool, name: str = "work") -> None:
        self.turn = lease.leases(pool)(name)
        self.working = asyncio.Event()
        self.turns = 0

    async def run(self) -> None:
        await self.turn.hold(self._work)

    async def _work(self) -> None:
        self.turns += 1
        self.working.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.working.clear()

    async def until_working(self) -> None:
        async with asyncio.timeout(carriage.DEADLINE_SECONDS):
            await self.working.wait()


@pytest.fixture
async def pool(database: backends.Database) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database.dsn("redress_notifier"), min_size=0, max_size=4) as pool:
        yield pool


async def test_one_works_and_the_other_follows_at_once_when_it_leaves(pool: asyncpg.Pool) -> None:
    one, two = Worker(pool), Worker(pool)
    async with carriage.running(two.run(), which_may_end=True):
        async with carriage.running(one.run()):
            await asyncio.wait(
                [asyncio.ensure_future(each.until_working()) for each in (one, two)],
                return_when=asyncio.FIRST_COMPLETED,
            )
            first = one if one.working.is_set() else two
            await asyncio.sleep(2 * lease.RENEW_SECONDS)
            assert one.working.is_set() != two.working.is_set()
            assert first.working.is_set(), "a lease that is renewed stays"
        await two.until_working()


async def test_a_holder_that_died_is_followed_within_two_seconds(pool: asyncpg.Pool) -> None:
    times = [await takeover(pool, f"work {number}") for number in range(3)]
    assert min(times) < 2.0, "the best of three: a busy machine is no fault of ours"


async def test_work_ends_with_its_lease_though_it_does_not_hear_at_first(pool: asyncpg.Pool) -> None:
    deaf, other = Deaf(), uuid.uuid4()
    async with carriage.running(lease.leases(pool)("work").hold(deaf.work)):
        async with asyncio.timeout(carriage.DEADLINE_SECONDS):
            await deaf.at_work.wait()
            await pool.execute("DELETE FROM bus.leases WHERE name = 'work'")
            assert await pool.fetchval(lease.TAKE, "work", other, carriage.DEADLINE_SECONDS)
            while not deaf.ended:  # noqa: ASYNC110 - nobody says so
                await asyncio.sleep(0.01)


async def takeover(pool: asyncpg.Pool, name: str) -> float:
    """Seconds from the death of a holder that had just renewed until somebody else works."""
    assert await pool.fetchval(lease.TAKE, name, uuid.uuid4(), lease.TTL_SECONDS), "taken, and never renewed"
    loop, worker = asyncio.get_running_loop(), Worker(pool, name)
    died_at = loop.time()
    async with carriage.running(worker.run()):
        await asyncio.sleep(lease.TTL_SECONDS / 2)
        assert not worker.working.is_set()
        await worker.until_working()
    return loop.time() - died_at


async def test_a_holder_that_was_overtaken_stops(pool: asyncpg.Pool) -> None:
    worker = Worker(pool)
    async with carriage.running(worker.run()):
        await worker.until_working()
        await pool.execute("UPDATE bus.leases SET holder = gen_random_uuid(), until = now() + interval '1 s'")

        async def stopped() -> bool:
            return not worker.working.is_set()

        await carriage.until(stopped, "the one without the lease stops")
        await worker.until_working()
        assert worker.turns == 2


async def test_without_its_database_nobody_works_and_then_somebody_does_again(
    pool: asyncpg.Pool, postgres: backends.PostgresServer
) -> None:
    worker = Worker(pool)
    async with carriage.running(worker.run()):
        await worker.until_working()
        postgres.kill()

        async def stopped() -> bool:
            return not worker.working.is_set()

        await carriage.until(stopped, "the one that cannot renew stops")
        postgres.start()
        await worker.until_working()


async def test_leases_of_other_names_are_other_leases(pool: asyncpg.Pool) -> None:
    one, two = Worker(pool, "one"), Worker(pool, "two")
    async with carriage.running(one.run(), two.run()):
        await one.until_working()
        await two.until_working()
