"""Rows on reactions: how soon after an event a service has put on record what it makes of it."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
import uuid_utils.compat as uuids
import uvloop

from bench import client, complaints, posting
from bench.demo import REPOSITORY, first_port, stop
from bench.measure import Contestant, Group, Row, Sample, Scale
from bench.servers import BUILD, Place
from bench.workers import Counted, Ready, together
from deploy.local import tokens
from deploy.local.folder import Folder

COMPLAINTS_A_SECOND = 50
SYSTEM = "redress up"
RATE = "complaints/s"
ALIKE = (client.NAME.decode(), "LATCH-20", "B2209")  # by which complaints belong together
DETAILS = {"delivered_on": "2026-11-10", "defective_quantity": 1, "requirement": "closes at -20 degrees"}
WARM_SECONDS = 2.0
UP_SECONDS_MAX = 90.0
STILL_SECONDS = 1.5
STILL_SECONDS_MAX = 60.0
# Both times stand in the log. What a service makes of its own event on the way to a channel is no reaction.
PAIRS = """
SELECT split_part(e.type, '.', 2) || '.' || split_part(e.type, '.', 3) AS what,
       extract(epoch FROM e.at - cause.at) * 1000 AS ms
  FROM log.events e
  JOIN log.events cause ON cause.log = e.log AND cause.event_id = e.caused_by
 WHERE e.log = $1 AND cause.seq > $2 AND NOT (e.stream = cause.stream AND e.stream LIKE 'notifier-%')
"""

ROWS = (
    Row("reaction-p50", "event to reaction's event, 50 complaints/s", "p50 ms", SYSTEM, 20.0, at_most=True),
    Row("reaction-p99", "event to reaction's event, 50 complaints/s", "p99 ms", SYSTEM, 150.0, at_most=True),
)


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """A whole system of its own, of which intake alone is called."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="up-", dir=BUILD) as folder:
        Path(folder).chmod(0o711)  # whoever PostgreSQL runs as has to pass through
        with up(Folder.at(Path(folder))) as system:
            yield {SYSTEM: partial(measured, system, scale.paced_seconds)}


@contextmanager
def up(folder: Folder) -> Iterator[Folder]:
    """The system of this folder, while the block lasts."""
    command = [sys.executable, "-m", "deploy.cli", "up", "--data-dir", str(folder.path)]
    with subprocess.Popen(
        [*command, "--ports", str(first_port())],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    ) as system:
        try:
            deadline = time.monotonic() + UP_SECONDS_MAX
            while not (folder.state.exists() and all_up(folder)):
                if system.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("redress up did not come up")
                time.sleep(0.1)
            yield folder
        finally:
            if system.poll() is None:
                stop(system)


def all_up(folder: Folder) -> bool:
    """Whether every service answers that it is ready."""
    for url in folder.read_state()["services"].values():
        try:
            if httpx.get(f"{url}/readyz", timeout=2.0).status_code != httpx.codes.OK:
                return False
        except httpx.TransportError:
            return False
    return True


def measured(system: Folder, seconds: float) -> Sample:
    """Send at a steady pace, wait until nothing follows any more, then ask the log."""
    reached = system.read_state()
    database, programs = reached["databases"]["postgres"], reached["processes"]
    warmed = asyncio.run(send_and_settle(system, database, WARM_SECONDS, {}))
    before = int(warmed.figures["head"])
    sent = asyncio.run(send_and_settle(system, database, seconds, programs))
    rows = asyncio.run(pairs(database, before))
    times = sorted(float(ms) for _, ms in rows)
    if not times:
        raise RuntimeError("nothing reacted")
    figures = {f"p{rank} ms": times[(len(times) - 1) * rank // 100] for rank in (50, 99)}
    slow = [what for what, ms in rows if float(ms) > figures["p99 ms"]]
    latest = ", ".join(sorted(set(slow)))
    remark = f"{len(times):,} reactions to {sent.remark}; the latest hundredth: {latest}"
    return Sample(figures, sent.cores, remark)


async def send_and_settle(
    system: Folder, database: str, seconds: float, programs: Mapping[str, int]
) -> Sample:
    """Complaints at their pace from a process of its own; `head` is the log's end once it is still."""
    url = system.read_state()["services"]["intake"]
    token = tokens.mint(
        system.signing_keys(), complaints.LOG, tokens.SCOPES, complaints.ACTOR, tokens.TTL_SECONDS
    )
    sample = await asyncio.to_thread(together, RATE, programs, send, url, token, seconds)
    head, still_since, deadline = 0, time.monotonic(), time.monotonic() + STILL_SECONDS_MAX
    while time.monotonic() < deadline and time.monotonic() - still_since < STILL_SECONDS:
        await asyncio.sleep(0.2)
        now = await fetch(database, "SELECT seq FROM log.heads WHERE log = $1", complaints.LOG)
        if now[0][0] != head:
            head, still_since = now[0][0], time.monotonic()
    return Sample({"head": float(head)}, sample.cores, f"{sample.figures[RATE]:.0f} complaints/s")


def send(ready: Ready, url: str, token: str, seconds: float) -> Counted:
    """Each complaint at its time, whether or not those before it were answered."""
    return uvloop.run(_send(ready, url, token, seconds))


async def _send(ready: Ready, url: str, token: str, seconds: float) -> Counted:
    headers = {"Authorization": f"Bearer {token}"}
    count = round(COMPLAINTS_A_SECOND * seconds)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30.0) as caller:

        async def one(number: int) -> None:
            await asyncio.sleep(began + number / COMPLAINTS_A_SECOND - time.perf_counter())
            answer = await caller.post("/v1/complaints", json=body())
            answer.raise_for_status()

        (await caller.get("/livez")).raise_for_status()
        ready()
        began = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(count)))
        return Counted(count, time.perf_counter() - began)


def body() -> dict[str, object]:
    """A whole complaint of a customer and a part of its own: nothing is asked for, no two belong together."""
    told = posting.body()
    product = {**DETAILS, **cast(dict[str, object], told["product"])}
    made: dict[str, object] = renamed({**told, "product": product}, str(uuids.uuid7()))
    return made


def renamed(value: Any, name: str) -> Any:
    """The same with another name in every place."""
    if isinstance(value, dict):
        return {key: renamed(each, name) for key, each in value.items()}
    return name if value in ALIKE else value


async def pairs(database: str, after: int) -> list[tuple[str, float]]:
    """What was put on record because of an event behind this seq, and how many ms later."""
    return [(row[0], row[1]) for row in await fetch(database, PAIRS, complaints.LOG, after)]


async def fetch(database: str, query: str, *arguments: object) -> list[Any]:
    """The rows of one question."""
    connection = await asyncpg.connect(database, timeout=10, command_timeout=60)
    try:
        found: list[Any] = await connection.fetch(query, *arguments)
        return found
    finally:
        await connection.close()


GROUP = Group(ROWS, contestants)
