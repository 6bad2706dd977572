"""A row on clocks: ten thousand deadlines that fall due within one minute, handled oldest first."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import uuid_utils.compat as uuids
import uvloop

from bench import complaints
from bench.measure import Contestant, Group, Row, Sample, Scale
from bench.servers import Place
from bench.workers import alone
from deploy.local.folder import Folder
from libs.events import store
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Answerable, Ground, Kind, Severity
from libs.events.contracts.registry import contract_of
from libs.events.lease import Undisputed
from libs.events.store import Context
from libs.service import settings, wiring
from libs.service.clock import Ticker
from libs.service.deadlines import PAGE_DEADLINES
from libs.service.projection import Follower
from services.investigation import clock, investigate
from services.investigation.term import Term

SECONDS = "s"
CLOCK = "clock"
MINUTE = timedelta(minutes=1)
OPENING_MAX = 128  # at once
ROLE = "redress_investigation"
MISSED = contract_of(DeadlineMissed).name

ROWS = (Row("due", "10,000 deadlines of one minute, oldest first", SECONDS, CLOCK, 30.0, at_most=True),)


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """Each time a database of its own, with as many investigations under way."""
    folder = Folder.at(place.folder / "clocks")
    folder.prepare()
    yield {CLOCK: partial(measured, place, folder, scale.due_at_once)}


def measured(place: Place, folder: Folder, count: int) -> Sample:
    """From the look at which all have fallen due, to the last one on record."""
    name = place.migrated_database()
    try:
        return alone(place.programs, handle, place.dsn(name, ROLE), place.nats.url, folder, count)
    finally:
        place.drop(name)


def handle(dsn: str, nats_url: str, folder: Folder, count: int) -> Sample:
    """In a process that does nothing else."""
    return uvloop.run(_handle(dsn, nats_url, folder, count))


async def _handle(dsn: str, nats_url: str, folder: Folder, count: int) -> Sample:
    given = {"key_file": folder.key_file, "jwks_file": folder.jwks_file}
    given |= {"attachments_dir": folder.attachments, "outbox_dir": folder.outbox}
    chosen = settings.Settings.model_validate({"database_url": dsn, "nats_url": nats_url, **given})
    async with wiring.opened(chosen, "investigation", wiring.read(chosen)) as resources:
        began_at = datetime.now(UTC) - 2 * MINUTE
        await under_way(resources, count, began_at)
        view = clock.deadlines(resources)
        await Follower(view, "investigation", resources.store, resources.engine, resources.bus).catch_up(
            complaints.LOG
        )
        ticker = Ticker(clock.of(resources)[0], resources.log, resources.now, Undisputed)
        began = time.perf_counter()
        passed = await ticker.sweep(complaints.LOG)
        elapsed = time.perf_counter() - began
        late = await out_of_order(resources)
    if passed != count or late:
        raise RuntimeError(f"{passed} of {count} passed, {late} pages not oldest first")
    return Sample({SECONDS: elapsed}, remark=f"{count / elapsed:,.0f} deadlines/s")


async def under_way(resources: wiring.Resources, count: int, began_at: datetime) -> None:
    """So many investigations, whose findings fall due one after the other within a minute that is past."""
    room = asyncio.Semaphore(OPENING_MAX)

    async def one(number: int) -> None:
        key, due_at = uuids.uuid7(), began_at + number * MINUTE / count
        happened = investigate.decide(opening(key, due_at), clock.STREAM.initial)
        async with room:
            context, stream = Context(complaints.ACTOR, key), clock.STREAM.name(key)
            await resources.store.append(complaints.LOG, stream, 0, happened, [uuids.uuid7()], context)

    await asyncio.gather(*(one(number) for number in range(count)))


def opening(key: uuids.UUID, due_at: datetime) -> investigate.OpenInvestigation:
    """An investigation whose warning is long past."""
    term = Term(due_at=due_at, warn_at=due_at - 60 * MINUTE)
    return investigate.OpenInvestigation(
        investigation_id=key,
        complaint_id=key,
        incident_id=None,
        round=1,
        answerable=Answerable(unit="quality", person="quality-officer"),
        level=0,
        about=None,
        kind=Kind.PRODUCT_QUALITY,
        severity=Severity.SERIOUS,
        part_number="LATCH-20",
        serial_number=None,
        customer_id=None,
        duties=(),
        due=term,
        extended=term,
        ground=Ground(policy="standard@1", clause="ASG-R1"),
        as_of=1,
        now=due_at - 120 * MINUTE,
    )


async def out_of_order(resources: wiring.Resources) -> int:
    """How many pages of the clock were recorded with an older one behind them; within a page many at once."""
    due: list[datetime] = []
    async for page in store.pages(resources.log, complaints.LOG):
        past = [envelope for envelope in page if envelope.type == MISSED]
        due += [each.event.due_at for each in await resources.store.decode(complaints.LOG, past)]
    pages = [due[at : at + PAGE_DEADLINES] for at in range(0, len(due), PAGE_DEADLINES)]
    return sum(max(page) > min(later) for page, later in itertools.pairwise(pages))


GROUP = Group(ROWS, contestants)
