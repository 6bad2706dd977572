"""Processes are killed while callers record complaints: each is recorded once, and each answer holds."""

import asyncio
import contextlib
import os
import random
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import nats.errors
import pytest

from deploy.local import database, folder, ports, services, tokens, up
from libs.events import bus, errors, ledger
from libs.events.connection import Connection
from libs.events.envelope import Envelope
from libs.events.log.postgres import PostgresLog
from tests import backends, carriage
from tests.faults.checker import Acknowledged, Checker

CALLERS = 8
KILLS = 6
DEADLINE_SECONDS = 120.0
ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 0.05
# What comes of every complaint by itself, in all services, exactly once.
FOLLOW_ONCE = (
    "complaints.intake.complaint_classified.v1",
    "complaints.intake.complaint_assigned.v1",
    "complaints.investigation.investigation_opened.v2",
    "complaints.resolution.case_opened.v1",
    "complaints.notifier.first_reply_owed.v1",
)


@pytest.fixture
def home() -> Iterator[folder.Folder]:
    with backends.temporary_folder() as made:
        yield folder.Folder.at(made / "system")


@dataclass
class Caller:
    """Records complaints one after the other; repeats each with its key until it is answered."""

    client: httpx.AsyncClient
    checker: Checker
    answers: dict[str, str] = field(default_factory=dict)  # idempotency key -> complaint id
    repeats: int = 0

    async def record_until(self, enough: asyncio.Event) -> None:
        while not enough.is_set():
            key = str(uuid.uuid4())
            answer = await self.answered(key)
            self.answers[key] = answer["complaint_id"]
            stream = f"intake-{answer['complaint_id']}"
            self.checker.acknowledged.append(Acknowledged(stream, answer["version"], seq=answer["seq"]))

    async def answered(self, key: str) -> dict[str, Any]:
        """The answer to one complaint, however often it has to be sent."""
        while True:
            try:
                answer = await self.client.post(
                    "/v1/complaints", json=complaint(key), headers={"Idempotency-Key": key}
                )
                if answer.status_code in (200, 201):
                    return dict(answer.json())
                assert answer.status_code in (409, 503), answer.text  # still running, or unavailable
                assert "retry-after" in answer.headers or answer.status_code == 409
            except httpx.TransportError:
                pass  # the answer was lost, and perhaps nothing else
            self.repeats += 1
            await asyncio.sleep(PAUSE_SECONDS)


def complaint(key: str) -> dict[str, object]:
    return {
        "channel": "web",
        "received_at": "2026-11-20T09:12:00+08:00",
        "complainant": {"name": "示例顾客", "email": f"{key}@example.org"},
        "respondent": {"kind": "product", "reference": f"LED-{key}"},  # or they would be one batch incident
        "product": {
            "order_number": f"SO-{key}",
            "part_number": f"LED-{key}",
            "delivered_on": "2026-11-10",
            "quantity": 40,
            "defective_quantity": 3,
            "requirement": "no flicker",
        },
        "narrative": f"灯管不亮 {key}",
        "demand": {"kind": "replacement"},
    }


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def calling(system: up.System, checker: Checker) -> AsyncIterator[list[Caller]]:
    """Callers at work for as long as the block lasts, and until each has had its last answer."""
    token = tokens.mint(system.folder.signing_keys(), database.LOG, tokens.SCOPES, "tester", 600)
    async with httpx.AsyncClient(
        base_url=system.service_urls["intake"],
        headers={"Authorization": f"Bearer {token}"},
        timeout=ANSWER_SECONDS,
    ) as client:
        callers = [Caller(client, checker) for _ in range(CALLERS)]
        enough = asyncio.Event()
        async with asyncio.timeout(DEADLINE_SECONDS), asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(caller.record_until(enough))
            try:
                yield callers
            finally:
                enough.set()


async def kill_one_after_another(home: folder.Folder, callers: list[Caller], names: list[str]) -> None:
    """Kill these processes, each time after the callers have got on a little."""
    chance = random.Random(7)
    for name in names:
        await getting_on(callers)
        await asyncio.sleep(chance.uniform(0, 0.3))
        pid = home.read_state()["processes"][name]
        os.kill(pid, signal.SIGKILL)
        await replaced(home, name, pid)


async def getting_on(callers: list[Caller]) -> None:
    """Return when the callers have had more answers than there are callers."""
    before = sum(len(caller.answers) for caller in callers)
    await until(lambda: sum(len(caller.answers) for caller in callers) > before + CALLERS)


async def replaced(home: folder.Folder, name: str, pid: int) -> None:
    """Return when the supervisor has started another process in place of a killed one."""
    await until(lambda: home.read_state()["processes"][name] != pid)


async def carried(log: PostgresLog, connection: Connection) -> int:
    """Wait until the stream holds what the log does, and say how far; reactions may go on writing."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            head = await log.head(database.LOG)
            with contextlib.suppress(errors.Unavailable, nats.errors.Error):  # it is coming back
                stream = await connection.jetstream.stream_info(bus.stream_of(database.LOG))
                if stream.state.last_seq >= head.seq:
                    return head.seq
            await asyncio.sleep(PAUSE_SECONDS)


@pytest.mark.timeout(3 * DEADLINE_SECONDS)
async def test_nothing_is_lost_doubled_or_reordered_whichever_process_dies(
    home: folder.Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "OFFSETS", {"intake": services.OFFSETS["intake"]})  # who records, alone
    said: list[str] = []
    chosen = {name: ports.free() for name in ports.OFFSETS}
    checker = Checker()
    async with up.running(home, chosen, said.append) as system:
        async with calling(system, checker) as callers:
            await kill_one_after_another(home, callers, ["intake", "postgres", "nats"] * (KILLS // 3))
        async with (
            PostgresLog(system.database_urls["redress_auditor"]) as log,
            Connection(system.nats_url) as connection,
        ):
            last = await carried(log, connection)
            on_record = [e for e in await carriage.everything_in(log, database.LOG) if e.seq <= last]
            content = await carriage.stream_content(connection, database.LOG)
            on_the_bus = [e for e in content if e.seq <= last]
            verdict = await ledger.verify(log, database.LOG)
    assert sum("crashed" in line for line in said) >= KILLS
    assert sum(caller.repeats for caller in callers), "no caller lost an answer: the test shows nothing"
    assert checker.faults(on_record, on_the_bus) == []
    assert verdict.sound
    keys = [key for caller in callers for key in caller.answers]
    recorded = [e for e in on_record if e.type == "complaints.intake.complaint_recorded.v1"]
    assert len(recorded) == len(keys) == len({id_ for caller in callers for id_ in caller.answers.values()})


@pytest.mark.slow
@pytest.mark.timeout(3 * DEADLINE_SECONDS)
async def test_whatever_follows_a_complaint_follows_once_whichever_service_dies(home: folder.Folder) -> None:
    """All services, each killed while it reacts to the others: no event is lost, and none is made twice."""
    chosen = {name: ports.free() for name in ports.OFFSETS}
    checker = Checker()
    async with up.running(home, chosen, lambda _: None) as system:
        async with calling(system, checker) as callers:
            await kill_one_after_another(home, callers, [*services.OFFSETS, "nats", "postgres"])
        complaints = {id_ for caller in callers for id_ in caller.answers.values()}
        async with PostgresLog(system.database_urls["redress_auditor"]) as log:
            on_record = await settled(log, complaints)
            verdict = await ledger.verify(log, database.LOG)
    assert sum(len(caller.answers) for caller in callers) == len(complaints)
    assert checker.faults(on_record) == []
    assert verdict.sound
    for event_type in FOLLOW_ONCE:
        about = [str(each.complaint_id) for each in on_record if each.type == event_type]
        assert sorted(about) == sorted(complaints), event_type


async def settled(log: PostgresLog, complaints: set[str]) -> list[Envelope]:
    """Everything on record, once each complaint has been judged, assigned and taken up by everybody."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            with contextlib.suppress(errors.Unavailable):  # it may still be coming back
                on_record = await carriage.everything_in(log, database.LOG)
                about = {(each.type, str(each.complaint_id)) for each in on_record}
                if about >= {(event_type, id_) for event_type in FOLLOW_ONCE for id_ in complaints}:
                    return on_record
            await asyncio.sleep(1)
