"""The log while PostgreSQL is away, comes back, stands still, or takes an answer with it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from libs.events import errors, ledger
from libs.events.envelope import Append, Appended
from libs.events.log.postgres import PostgresLog
from tests import appends, backends

PROMPT_SECONDS = 2.0
DEADLINE_SECONDS = 30.0
CALLERS = 8
END_EVERY_SESSION = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'redress_intake'"
SOMEBODY_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"


class Wire:
    """A TCP relay between a log and its server, to cut, and to swallow answers on."""

    def __init__(self, dsn: str) -> None:
        self._upstream = urlsplit(dsn)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.swallow: Callable[[bytes], bool] = lambda _: False  # an answer that makes the wire break instead
        self.silent = False

    async def start(self) -> str:
        """Listen; answers the DSN that goes through here."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        login = self._upstream.netloc.rpartition("@")[0]
        return urlunsplit(self._upstream._replace(netloc=f"{login}@127.0.0.1:{port}"))

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        server, to_server = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        self._writers |= {to_client, to_server}
        await asyncio.gather(self._pump(client, to_server, False), self._pump(server, to_client, True))

    async def _pump(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, answers: bool) -> None:
        try:
            while chunk := await source.read(65536):
                if answers and self.swallow(chunk):
                    self.cut()
                if not self.silent:
                    to.write(chunk)
        except ConnectionError:
            pass
        finally:
            to.transport.abort()


@asynccontextmanager
async def wired(dsn: str) -> AsyncIterator[tuple[Wire, PostgresLog]]:
    wire = Wire(dsn)
    try:
        async with PostgresLog(await wire.start()) as log:
            yield wire, log
    finally:
        await wire.stop()


async def promptly_unavailable(call: Any) -> None:
    began = time.monotonic()
    with pytest.raises(errors.Unavailable) as raised:
        await call
    assert time.monotonic() - began < PROMPT_SECONDS
    assert raised.value.retry_after_seconds >= 1


async def test_a_log_may_start_before_its_database_and_outlive_it(
    database: backends.Database, postgres: backends.PostgresServer
) -> None:
    postgres.stop()
    async with PostgresLog(database.dsn("redress_intake")) as log:
        await promptly_unavailable(log.append(appends.append()))
        await promptly_unavailable(log.head("main"))
        postgres.start()
        first = await log.append(appends.append())
        assert (await log.head("main")).seq == first.seq
        postgres.kill()
        await asyncio.gather(*(promptly_unavailable(log.append(appends.append())) for _ in range(CALLERS)))
        await promptly_unavailable(log.read_stream("main", "intake-1"))
        postgres.start()
        assert (await log.append(appends.append())).seq == first.seq + 1


async def test_a_dsn_that_makes_no_sense_is_said_at_once() -> None:
    async with PostgresLog("postgresql://localhost:no-port/redress") as log:
        for call in (log.append(appends.append()), log.head("main")):
            with pytest.raises(ValueError, match="port"):
                await call


async def test_a_short_absence_is_not_even_noticed(
    database: backends.Database, postgres: backends.PostgresServer
) -> None:
    async with PostgresLog(database.dsn("redress_intake")) as log:
        await log.append(appends.append())
        for _ in range(3):
            superuser = await asyncpg.connect(database.superuser_dsn, timeout=5)
            await superuser.fetch(END_EVERY_SESSION)
            await superuser.close()
            assert (await log.append(appends.append())).version == 1
            assert len(await log.read("main", 0, 10)) >= 1


async def test_a_silent_server_is_unavailable_too(database: backends.Database) -> None:
    async with wired(database.dsn("redress_intake")) as (wire, log):
        await log.append(appends.append())
        await log.head("main")
        wire.silent = True
        await asyncio.gather(
            promptly_unavailable(log.append(appends.append())), promptly_unavailable(log.head("main"))
        )
        wire.silent = False
        await log.append(appends.append())
        await log.head("main")


async def test_a_question_that_is_called_off_frees_its_place(database: backends.Database) -> None:
    async with PostgresLog(database.dsn("redress_intake"), readers_max=1) as log:
        await log.append(appends.append())
        superuser = await asyncpg.connect(database.superuser_dsn, timeout=5)
        for _ in range(2):
            async with superuser.transaction():
                await superuser.execute("LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE")
                question = asyncio.create_task(log.read("main"))
                deadline = time.monotonic() + DEADLINE_SECONDS
                while not await superuser.fetchval(SOMEBODY_WAITS):
                    assert time.monotonic() < deadline, "nobody asks"
                    await asyncio.sleep(0.01)
                question.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await question
            assert len(await log.read("main")) == 1
        await superuser.close()


async def test_an_answer_lost_after_the_commit_is_settled_by_asking_again(
    database: backends.Database,
) -> None:
    async with wired(database.dsn("redress_intake")) as (wire, log):
        await log.append(appends.append())
        lost: list[bytes] = []

        def first_answer(chunk: bytes) -> bool:
            if b"appended" not in chunk or lost:
                return False
            lost.append(chunk)
            return True

        wire.swallow = first_answer
        claim, key = appends.claim(), appends.key()
        append = appends.append(claims=(claim,), new_keys=(key,))
        appended = await log.append(append)
        assert lost
        assert (appended.version, appended.seq, appended.repeated) == (1, 2, True)
        assert len(await log.read_stream("main", append.stream)) == 1


@pytest.mark.timeout(120)
async def test_nothing_acknowledged_is_lost_doubled_or_reordered_by_kill_9(
    database: backends.Database, postgres: backends.PostgresServer
) -> None:
    acknowledged: list[tuple[Append, Appended]] = []
    stop = asyncio.Event()

    async def caller(log: PostgresLog) -> None:
        while not stop.is_set():
            append = appends.append()
            while True:  # a client repeats until it is answered
                try:
                    acknowledged.append((append, await log.append(append)))
                    break
                except errors.Unavailable:
                    await asyncio.sleep(0.05)

    async def reaches(number: int) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(acknowledged) < number:
            assert time.monotonic() < deadline, "appending never went on"
            await asyncio.sleep(0.01)

    async with PostgresLog(database.dsn("redress_intake")) as log:
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller(log))
            for _ in range(2):
                await reaches(len(acknowledged) + 50)
                postgres.kill()
                postgres.start()
            await reaches(len(acknowledged) + 50)
            stop.set()
        stored = {e.event_id: e for e in await log.read("main", 0, 1_000_000)}
        head = await log.head("main")
        assert (await ledger.verify(log, "main")).sound
    assert len(stored) == head.seq == len(acknowledged)
    for append, appended in acknowledged:
        envelope = stored[append.events[0].event_id]
        assert (envelope.seq, envelope.version, envelope.body) == (appended.seq, 1, append.events[0].body)
