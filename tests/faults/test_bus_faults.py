"""The bus under fire: whatever dies under load, clients, log, stream and consumers agree in the end."""

import asyncio
import contextlib
import functools
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from libs.events import bus, consumer, errors, lease, parked, stream
from libs.events.connection import Connection
from libs.events.log.postgres import PostgresLog
from libs.events.relay import Relay
from libs.events.store import Context, EventStore
from tests import backends, carriage
from tests.faults.bus_process import DEADLY
from tests.faults.checker import Acknowledged, Checker

LOG = "main"
WRITERS = 8
COMPLAINTS = 40
PAUSE_SECONDS = 0.1  # between the rounds of a writer: load enough, and little to compare in the end


class Load:
    """Writers that append until told to stop, repeating what was not answered, and keep their own book."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self.checker = Checker()
        self.stopping = asyncio.Event()
        self.stopped = asyncio.Event()
        self.complaints = [uuid.uuid4() for _ in range(COMPLAINTS)]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as writers:
            for number in range(WRITERS):
                writers.create_task(self._write(self.complaints[number::WRITERS]))
        self.stopped.set()

    async def _write(self, complaints: list[uuid.UUID]) -> None:
        version = 0
        while not self.stopping.is_set():
            for complaint in complaints:
                await self._append(complaint, version)
            version += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _append(self, complaint: uuid.UUID, version: int) -> None:
        event_id, name = uuid.uuid4(), f"intake-{complaint}"
        event = carriage.an_event(complaint)
        self.checker.tried.add(event_id)
        while True:
            with contextlib.suppress(errors.Unavailable):
                appended = await self.store.append(
                    LOG,
                    name,
                    version,
                    [event],
                    [event_id],
                    Context("client", complaint),
                )
                answer = Acknowledged(name, appended.version, event_id, appended.seq)
                self.checker.acknowledged.append(answer)
                return


class Scene:
    """PostgreSQL, NATS, a relay and a consumer at work, under load."""

    def __init__(self, database: backends.Database, connection: Connection, log: PostgresLog) -> None:
        self.dsn = database.dsn("redress_intake")
        self.connection = connection
        self.log = log
        self.ear = carriage.Ear()
        self.load = Load(carriage.store_on(log, connection))

    async def until_written(self, more: int) -> None:
        """Let the clients have `more` answers before the next blow."""
        goal = len(self.load.checker.acknowledged) + more

        async def written() -> bool:
            return len(self.load.checker.acknowledged) >= goal

        await carriage.until(written, f"{more} more answers")

    async def agree(self) -> None:
        """Stop the load, wait until everything has arrived, and compare."""
        await self._settle()

        async def heard() -> bool:
            return self.ear.effects() == await carriage.in_order(self.log, LOG)

        await carriage.until(heard, "the consumer has heard everything in order")

    async def agree_with(self, notebook: Path) -> None:
        """The same, for what consumer processes wrote down."""
        await self._settle()
        expected = {str(key): seqs for key, seqs in (await carriage.in_order(self.log, LOG)).items()}

        async def noted() -> bool:
            return effects_in(notebook) == expected

        await carriage.until(noted, "the consumers have noted everything in order")

    async def _settle(self) -> None:
        self.load.stopping.set()
        await self.load.stopped.wait()
        await carriage.until_carried(self.connection, self.log, LOG)
        events = await carriage.everything_in(self.log, LOG)
        carried = await carriage.stream_content(self.connection, LOG)
        assert len(events) >= len(self.load.checker.acknowledged) > 0
        assert self.load.checker.faults(events, carried) == []


def effects_in(notebook: Path) -> dict[str, list[int]]:
    """As `Ear.effects`."""
    result: dict[str, list[int]] = {}
    for line in notebook.read_text().splitlines() if notebook.exists() else ():
        complaint, seq = line.split()
        seqs = result.setdefault(complaint, [])
        if not seqs or int(seq) > seqs[-1]:
            seqs.append(int(seq))
    return result


@pytest.fixture
async def scene_without_workers(
    database: backends.Database, nats_server: backends.NatsServer
) -> AsyncIterator[Scene]:
    dsn = database.dsn("redress_intake")
    async with carriage.connected(nats_server.url) as connection, PostgresLog(dsn) as log:
        await stream.delete(connection, LOG)  # an earlier test's
        scene = Scene(database, connection, log)
        async with carriage.running(scene.load.run(), which_may_end=True):
            yield scene


@pytest.fixture
async def scene(scene_without_workers: Scene) -> AsyncIterator[Scene]:
    scene = scene_without_workers
    async with asyncpg.create_pool(scene.dsn, min_size=0, max_size=3) as pool:
        hearing = carriage.consumer_of(scene.load.store, scene.connection, pool, scene.ear)
        relay = Relay(scene.log, scene.connection, lease.leases(pool))
        async with carriage.running(relay.run(), hearing.run()):
            yield scene


async def test_kill_9_of_nats_under_load(scene: Scene, nats_server: backends.NatsServer) -> None:
    for _ in range(2):
        await scene.until_written(150)
        nats_server.kill()
        await scene.until_written(150)
        nats_server.start()
    await scene.agree()


async def test_the_stream_is_deleted_under_load(scene: Scene) -> None:
    for _ in range(2):
        await scene.until_written(200)
        await carriage.until_carried(scene.connection, scene.log, LOG)
        await scene.connection.jetstream.delete_stream(bus.stream_of(LOG))
    await scene.until_written(100)
    await scene.agree()


async def test_the_store_of_nats_is_wiped_under_load(scene: Scene, nats_server: backends.NatsServer) -> None:
    await scene.until_written(200)
    nats_server.wipe()
    await scene.until_written(200)
    await scene.agree()


async def test_an_old_copy_of_the_store_comes_back(
    scene: Scene, nats_server: backends.NatsServer, tmp_path: Path
) -> None:
    store: Path = nats_server.hands.store  # type: ignore[attr-defined]  # the embedded server's
    await scene.until_written(150)
    nats_server.stop()
    shutil.copytree(store, tmp_path / "old")
    nats_server.start()
    await scene.until_written(200)
    nats_server.stop()
    shutil.rmtree(store)
    shutil.copytree(tmp_path / "old", store)
    nats_server.start()
    await scene.until_written(100)
    await scene.agree()


async def test_kill_9_of_postgresql_under_load(scene: Scene, postgres: backends.PostgresServer) -> None:
    await scene.until_written(150)
    postgres.kill()
    postgres.start()
    await scene.until_written(150)
    await scene.agree()


@contextlib.contextmanager
def process(part: str, dsn: str, nats_url: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.faults.bus_process", part, dsn, nats_url, *more]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.kill()


async def backlog(log: PostgresLog, count: int) -> Checker:
    """`count` events that wait to be carried."""
    checker, store = Checker(), carriage.store_on(log)

    async def one(complaint: uuid.UUID) -> None:
        event_id, name = uuid.uuid4(), f"intake-{complaint}"
        context = Context("client", complaint)
        done = await store.append(LOG, name, 0, [carriage.an_event(complaint)], [event_id], context)
        checker.acknowledged.append(Acknowledged(name, done.version, event_id, done.seq))

    await asyncio.gather(*(one(uuid.uuid4()) for _ in range(count)))
    return checker


async def test_kill_9_of_the_relay_in_the_middle_of_a_batch(
    database: backends.Database, nats_server: backends.NatsServer
) -> None:
    dsn = database.dsn("redress_intake")
    async with PostgresLog(dsn) as log, carriage.connected(nats_server.url) as connection:
        checker = await backlog(log, 4000)
        await stream.delete(connection, LOG)  # an earlier test's

        async def last() -> int:
            return (await connection.jetstream.stream_info(bus.stream_of(LOG))).state.last_seq

        async def begun() -> bool:
            return await last() > 0

        with process("relay", dsn, nats_server.url) as first:
            await carriage.until(begun, "the first relay carries")
            first.kill()
            carried = await last()
            with process("relay", dsn, nats_server.url):
                await carriage.until_carried(connection, log, LOG)
        assert 0 < carried < 4000, "the first one was killed in the middle"
        events = await carriage.everything_in(log, LOG)
        assert checker.faults(events, await carriage.stream_content(connection, LOG)) == []


@pytest.mark.parametrize("part", ["relay", "consumer"])
async def test_when_the_holder_is_killed_the_one_in_waiting_takes_over(
    scene_without_workers: Scene, nats_server: backends.NatsServer, tmp_path: Path, part: str
) -> None:
    scene, notebook = scene_without_workers, tmp_path / "notebook"
    async with asyncpg.create_pool(scene.dsn, min_size=0, max_size=3) as pool:
        turns = lease.leases(pool)
        other = (
            carriage.consumer_of(scene.load.store, scene.connection, pool, scene.ear)
            if part == "relay"
            else Relay(scene.log, scene.connection, turns)
        )

        async def holder() -> str | None:
            query = "SELECT holder::text FROM bus.leases WHERE name LIKE $1 || '/%'"
            found: str | None = await pool.fetchval(query, part)
            return found

        async def held_by_somebody_else() -> bool:
            return await holder() not in (None, first_holder)

        process_of = functools.partial(process, part, scene.dsn, nats_server.url, str(notebook))
        first_holder: str | None = None
        async with carriage.running(other.run()):
            with process_of() as first:
                await carriage.until(held_by_somebody_else, "the first process works")
                first_holder = await holder()
                with process_of():
                    await scene.until_written(300)
                    first.kill()
                    await carriage.until(held_by_somebody_else, "the second process has taken over")
                    await scene.until_written(100)
                    if part == "relay":
                        await scene.agree()
                    else:
                        await scene.agree_with(notebook)


async def test_an_event_that_kills_its_process_is_parked_too(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> None:
    dsn, notebook = database.dsn("redress_intake"), tmp_path / "notebook"
    async with (
        PostgresLog(dsn) as log,
        carriage.connected(nats_server.url) as connection,
        asyncpg.create_pool(dsn, min_size=0, max_size=3) as pool,
    ):
        await stream.delete(connection, LOG)  # an earlier test's
        author = carriage.Author(carriage.store_on(log, connection), LOG)
        await author.write(30)
        victim, *_ = author.versions
        deadly = carriage.an_event(victim), uuid.uuid4(), Context(DEADLY, victim)
        done = await author.store.append(LOG, f"intake-{victim}", 6, [deadly[0]], [deadly[1]], deadly[2])
        author.versions[victim] += 1
        await author.write(30)
        others = await carriage.in_order(log, LOG)
        others[victim] = [seq for seq in others[victim] if seq < done.seq]
        expected = {str(complaint): seqs for complaint, seqs in others.items()}

        async def dead_or_done() -> bool:
            return running.poll() is not None or effects_in(notebook) == expected

        async with carriage.running(Relay(log, connection, lease.leases(pool)).run()):
            for _ in range(8):
                with process("consumer", dsn, nats_server.url, str(notebook)) as running:
                    await carriage.until(dead_or_done, "the process has died, or done its work")
                    if running.poll() is None:
                        break
                await pool.execute("DELETE FROM bus.leases WHERE name LIKE 'consumer/%'")  # need not wait
        assert effects_in(notebook) == expected
        assert (await parked.everything(pool))[0].reason == consumer.DIED


async def test_a_service_without_nats_prints_no_traceback(
    database: backends.Database, nats_server: backends.NatsServer
) -> None:
    dsn = database.dsn("redress_intake")
    nats_server.stop()
    with process("relay", dsn, nats_server.url) as running:
        await asyncio.sleep(1)
        nats_server.start()
        async with carriage.connected(nats_server.url) as connection, PostgresLog(dsn) as log:
            await carriage.Author(carriage.store_on(log), LOG).write(3)
            await carriage.until_carried(connection, log, LOG)
            nats_server.kill()
            await asyncio.sleep(1)
        running.terminate()
        assert running.stderr is not None
        assert running.stderr.read() == b""
