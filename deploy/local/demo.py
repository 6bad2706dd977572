"""`redress demo`: a fresh system, real complaints through all of it, and proof that nothing was altered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import httpx
import typer
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy import quiet
from deploy.local import database, ports, tokens, up, vehicles, working
from deploy.local.figures import Figures
from deploy.local.folder import Folder
from deploy.local.supervisor import until_signal
from deploy.local.table import Row, outcomes, print_table
from deploy.people import calls, policies
from deploy.people.drive import Drive, at_work
from deploy.people.staff import Stuck
from libs.events import bus, ledger
from libs.events.connection import Connection
from libs.events.envelope import Envelope, Head
from libs.events.log.postgres import PostgresLog

FOLDER: Final = Path(".redress/demo")
BATCH_REPORTS: Final = 200
SENT_AGAIN: Final = 100  # reports that are sent a second time, to see them answered as before
REPORTS: Final = 500
SEED: Final = 7
ATTEMPTS_MAX: Final = 20
AGAIN_SECONDS: Final = 0.5
SETTLE_SECONDS: Final = 60.0
STILL_SECONDS: Final = 1.5
QUALITY_DETAILS: Final = (
    "order_number",
    "part_number",
    "delivered_on",
    "quantity",
    "defective_quantity",
    "requirement",
)
PAUSE_SECONDS: Final = 0.1
PLAIN_LINE_EVERY: Final = 1000


@dataclass
class Heard:
    """What a consumer of the bus has received, in the order it came."""

    ids: set[UUID] = field(default_factory=set)
    types: Counter[str] = field(default_factory=Counter)
    last_seq: int = 0
    out_of_order: int = 0
    lags_seconds: list[float] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    tell: Callable[[Envelope], None] = lambda _: None

    async def take(self, message: Msg) -> None:
        """One message, as JetStream delivers it."""
        envelope = bus.from_message(message.headers, message.data)
        self.out_of_order += envelope.seq != self.last_seq + 1
        self.last_seq = envelope.seq
        self.ids.add(envelope.event_id)
        self.types[envelope.type.split(".")[2]] += 1
        self.lags_seconds.append((datetime.now(UTC) - envelope.at).total_seconds())
        self.figures.take(envelope)
        self.tell(envelope)


@dataclass
class Sent:
    """How the service answered: by reference what is on record, and how many repeats got the same answer."""

    by_reference: dict[str, dict[str, Any]] = field(default_factory=dict)
    as_before: int = 0
    seconds: float = 0.0
    refusals: list[str] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)  # once answered that nobody knows whether it is on record

    def take(self, reference: str, result: dict[str, Any]) -> None:
        """The answer to one line of an import."""
        status, before = result["status"], self.by_reference.get(reference)
        if status == httpx.codes.SERVICE_UNAVAILABLE:
            self.unsure.add(reference)
        elif before is None and (status == httpx.codes.CREATED or self._was_on_record(reference, status)):
            self.by_reference[reference] = result
        elif before and status == httpx.codes.OK and result["complaint_id"] == before["complaint_id"]:
            self.as_before += 1
        else:
            self.refusals.append(json.dumps(result, ensure_ascii=False))

    def _was_on_record(self, reference: str, status: int) -> bool:
        return status == httpx.codes.OK and reference in self.unsure


@dataclass(frozen=True)
class Plan:
    """What to show: how many reports (None: all), how far, and with which people."""

    count: int | None
    record_only: bool
    seed: int


def demo(
    count: Annotated[str, typer.Option(help='How many reports, or "all".')] = str(REPORTS),
    record_only: Annotated[bool, typer.Option("--record-only", help="Step 1 alone.")] = False,
    seed: Annotated[int, typer.Option(help="What the people are like.")] = SEED,
    leave: Annotated[
        bool, typer.Option("--exit", help="Do not stay up; status 0 only if all agrees.")
    ] = False,
    wanted: up.Ports = str(ports.FIRST),
    data_dir: up.DataDir = FOLDER,
) -> None:
    """Start a fresh system, see real complaints through, prove them unaltered, and say how to try it.

    The folder is emptied first: it is for demonstrations alone.
    """
    quiet.quietly()
    folder = Folder.at(data_dir)
    try:
        chosen = ports.choose(wanted)
        plan = Plan(reports_wanted(count), record_only, seed)
        agreed = asyncio.run(show(folder, chosen, plan, leave))
    except (*up.REFUSALS, ExceptionGroup) as why:
        cause = calls.first_cause(why)
        if not isinstance(cause, (*up.REFUSALS, calls.Unexpected, Stuck)):
            raise
        typer.echo(str(cause), err=True)
        raise typer.Exit(1) from None
    if not agreed:
        raise typer.Exit(1)


def reports_wanted(count: str) -> int | None:
    """How many reports, None for all of them; ValueError where it is neither."""
    if count == "all":
        return None
    if not count.isdecimal() or int(count) < 1:
        raise ValueError(f'--count: {count!r} is neither a number from 1 on nor "all"')
    return int(count)


async def show(folder: Folder, chosen: dict[str, int], plan: Plan, leave: bool) -> bool:
    """The whole demonstration; answers whether everything agreed."""
    console = Console()
    found, real = vehicles.reports(vehicles.FILE, plan.count)
    if not real:
        console.print(
            f"[bold]No file of real complaints at {vehicles.FILE.resolve()}: these are made up by a seed.",
            soft_wrap=True,
        )
    agreed = False
    async with until_signal(), up.running(folder, chosen, typer.echo, clean=True) as system:
        keys = folder.signing_keys()
        token = tokens.mint(keys, database.LOG, tokens.SCOPES, "demo", tokens.TTL_SECONDS)
        heard, again = Heard(), found[:SENT_AGAIN]
        async with listening(system.nats_url, heard):
            if plan.record_only:
                sent = await send(system.service_urls["intake"], token, found + again, console)
                rows = []
            else:
                async with at_work(system.service_urls, keys, plan.seed) as drive:
                    heard.tell = drive.heard
                    await policies.publish(drive.staff.callers, datetime.now(UTC))
                    sent = await send(system.service_urls["intake"], token, found + again, console)
                    rows = await handle(system, drive, heard, found, sent, console)
            settled = await settle(system, heard)
        rows = findings(len(found), len(again), sent, heard, settled) + rows
        agreed = all(row.agrees for row in rows)
        print_table(console, rows, agreed)
        print_how_to_try(console, system, folder, token)
        if not leave:
            console.print("Stays up until Ctrl-C.")
            await asyncio.Event().wait()
    return agreed


async def handle(
    system: up.System,
    drive: Drive,
    heard: Heard,
    found: Sequence[vehicles.Report],
    sent: Sent,
    console: Console,
) -> list[Row]:
    """Have everybody see to every complaint, and say what came of it."""
    for report in found:
        body = vehicles.request(report)
        if known := sent.by_reference.get(body["source"]["reference"]):
            lacks = [name for name in QUALITY_DETAILS if body["product"].get(name) is None]
            drive.staff.meet({**known, "missing_details": lacks}, body)
    started = time.monotonic()
    for case in drive.staff.cases.values():
        drive.look_at(case)
    async with PostgresLog(system.database_urls["redress_auditor"]) as log:
        finished = await working.through(drive, heard.figures, console, lambda: is_still(log, heard))
    heard.tell = lambda _: None
    return [*outcomes(heard.figures, drive, time.monotonic() - started), Row("came to an end", "", finished)]


async def is_still(log: PostgresLog, heard: Heard) -> bool:
    """Whether the log has not grown for a moment, and all of it was heard."""
    before = (await log.head(database.LOG)).seq
    await asyncio.sleep(STILL_SECONDS)
    return heard.last_seq == before == (await log.head(database.LOG)).seq


@contextlib.asynccontextmanager
async def listening(nats_url: str, heard: Heard) -> AsyncIterator[None]:
    """Follow the stream from its first message, as any consumer outside may, while the block lasts."""
    async with Connection(nats_url, "redress demo") as connection:
        await asyncio.wait_for(connection.until_connected(), SETTLE_SECONDS)
        stream = bus.stream_of(database.LOG)
        while not await has_stream(connection, stream):  # noqa: ASYNC110 - only the server knows
            await asyncio.sleep(PAUSE_SECONDS)
        await connection.client.jetstream().subscribe(
            bus.subjects_of(database.LOG), stream=stream, ordered_consumer=True, cb=heard.take
        )
        yield


async def has_stream(connection: Connection, stream: str) -> bool:
    """Whether the relay has made the stream yet."""
    with contextlib.suppress(NotFoundError):
        await connection.jetstream.stream_info(stream)
        return True
    return False


async def send(url: str, token: str, reports: Sequence[vehicles.Report], console: Console) -> Sent:
    """Import all reports, a batch a request."""
    sent = Sent()
    started = time.monotonic()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=SETTLE_SECONDS) as client:
        for batch in progressing(console, batches(reports), len(reports)):
            left = [vehicles.request(report) for report in batch]
            for _ in range(ATTEMPTS_MAX):
                left = await send_lines(client, left, sent)
                if not left:
                    break
                await asyncio.sleep(AGAIN_SECONDS)
            for body in left:
                sent.refusals.append(f"unavailable: {body['source']['reference']}")
    sent.seconds = time.monotonic() - started
    return sent


async def send_lines(
    client: httpx.AsyncClient, bodies: Sequence[dict[str, Any]], sent: Sent
) -> list[dict[str, Any]]:
    """Import these; gives those to send again, because the service could not take them just then."""
    lines = "".join(json.dumps(body, ensure_ascii=False) + "\n" for body in bodies)
    answer = await client.post("/v1/complaints/import", content=lines.encode())
    answer.raise_for_status()
    again = []
    for body, line in zip(bodies, answer.text.splitlines(), strict=True):
        result = json.loads(line)
        sent.take(body["source"]["reference"], result)
        if result["status"] == httpx.codes.SERVICE_UNAVAILABLE:
            again.append(body)
    return again


def batches(reports: Sequence[vehicles.Report]) -> Iterator[Sequence[vehicles.Report]]:
    """The reports, `BATCH_REPORTS` at a time."""
    for start in range(0, len(reports), BATCH_REPORTS):
        yield reports[start : start + BATCH_REPORTS]


def progressing(
    console: Console, parts: Iterator[Sequence[vehicles.Report]], total: int
) -> Iterator[Sequence[vehicles.Report]]:
    """Pass the batches on, and show how far they are: by a bar on a terminal, elsewhere by plain lines."""
    done = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("complaints", total=total)
        for batch in parts:
            yield batch
            progress.advance(task, len(batch))
            done += len(batch)
            if not console.is_terminal and (done % PLAIN_LINE_EVERY < len(batch) or done == total):
                console.print(f"complaints     {done} of {total}")


@dataclass(frozen=True)
class Settled:
    """Where everything stood once nothing moved any more."""

    head: Head
    verdict: ledger.Verdict


async def settle(system: up.System, heard: Heard) -> Settled:
    """Wait until every event has reached us and every reaction has been made; then verify the log."""
    async with PostgresLog(system.database_urls["redress_auditor"]) as log:
        await still(system, log, heard)
        return Settled(await log.head(database.LOG), await ledger.verify(log, database.LOG))


async def still(system: up.System, log: PostgresLog, heard: Heard) -> None:
    """Return when head and bus agree, no consumer has work left, and no reaction has written since.

    Gives up only where nothing moves: what is slow is waited for.
    """
    seen, deadline = 0, time.monotonic() + SETTLE_SECONDS
    async with Connection(system.nats_url, "redress demo") as connection:
        await asyncio.wait_for(connection.until_connected(), SETTLE_SECONDS)
        while time.monotonic() < deadline:
            seq = (await log.head(database.LOG)).seq
            consumers = await connection.jetstream.consumers_info(bus.stream_of(database.LOG))
            idle = all(c.num_pending == 0 and not c.num_ack_pending for c in consumers)
            if idle and heard.last_seq == seq == (await log.head(database.LOG)).seq:
                return
            if seq + heard.last_seq > seen:
                seen, deadline = seq + heard.last_seq, time.monotonic() + SETTLE_SECONDS
            await asyncio.sleep(PAUSE_SECONDS)


def findings(reported: int, again: int, sent: Sent, heard: Heard, settled: Settled) -> list[Row]:
    """What was found, and whether it agrees with what was sent."""
    recorded, repeated = len(sent.by_reference), sent.as_before
    complaints = {known["complaint_id"] for known in sent.by_reference.values()}
    seq = settled.head.seq
    lags = sorted(heard.lags_seconds)
    reached = seq == heard.last_seq == len(heard.ids) and not heard.out_of_order
    return [
        Row(
            "recorded",
            f"{recorded:,}",
            recorded == reported == len(complaints),
            f"of {reported:,} reports",
        ),
        Row("sent again, answered as before", f"{repeated:,}", repeated == again, f"of {again:,}"),
        Row("refused", f"{len(sent.refusals):,}", not sent.refusals, "; ".join(sent.refusals[:1])),
        Row("suspected duplicates", f"{heard.types['duplicate_suspected']:,}", note="linked, none dropped"),
        Row("events in the log", f"{settled.verdict.events:,}", settled.verdict.events == seq),
        Row("events in a consumer", f"{len(heard.ids):,}", reached, "each once, in order"),
        Row("complaints/s", f"{(recorded + repeated) / sent.seconds:,.0f}", note="over HTTP"),
        Row("events/s", f"{seq / sent.seconds:,.0f}", note="committed, chained"),
        Row("bus lag", f"{percentile(lags, 0.5):.1f} ms", note=f"p99 {percentile(lags, 0.99):.1f} ms"),
        Row("audit verify", "unaltered" if settled.verdict.sound else "ALTERED", settled.verdict.sound),
    ]


def percentile(ordered: Sequence[float], share: float) -> float:
    """In milliseconds, of seconds in ascending order; 0 of none."""
    return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def print_how_to_try(console: Console, system: up.System, folder: Folder, token: str) -> None:
    """Addresses, a token, and commands to paste."""
    intake = system.service_urls["intake"]
    for name, url in system.service_urls.items():
        console.print(f"{name:<14} {url}", highlight=False)
    console.print(f"\nexport TOKEN={token}", soft_wrap=True, highlight=False)
    console.print(
        f'curl -s "{intake}/v1/complaints?q=door+latch&limit=3" -H "Authorization: Bearer $TOKEN"',
        soft_wrap=True,
        highlight=False,
    )
    console.print(folder.command("audit", "verify"), soft_wrap=True, highlight=False)
