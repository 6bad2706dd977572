"""Nobody finds a person in any file: the database's, the stream's, the logs, an export; before or after."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from deploy import cli
from deploy.local import database, nats, ports, postgres
from libs.events import erasure
from libs.events.connection import Connection
from libs.events.contracts import personal
from libs.events.contracts.intake import ComplaintRecorded
from libs.events.contracts.registry import contract_of
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.log.postgres import PostgresLog
from libs.events.memory import MemoryLog
from libs.events.relay import Carrier
from libs.events.store import Context, EventStore
from tests import backends
from tests.contract import samples
from tests.planted import finds, spellings, under

NAMES = ("Xiaoming Featherstonehaugh", "欧阳诗涵", "陈晓")
NUMBERS = ("+86 138 1357 2468", "一三八一三五七二四六八", "13813572468")
MAIL, STREET = "oyang.shihan@example.org", "平江路一百二十号"
STORY = f"{NAMES[1]} 的电话是 {NUMBERS[2]}, and {NAMES[0]} called twice 🚗"
PLANTED = (*NAMES, *NUMBERS, MAIL, STREET, "called twice")
NOT_PERSONAL = (
    "CANARY-88231"  # of a field that is no secret: shows that the search would have found the others
)
KEY = KeyEncryptionKey(bytes(range(32)))
SUBJECT = f"complainant:{uuid4()}"
RECORDED = contract_of(ComplaintRecorded)


@dataclass(frozen=True)
class Place:
    """Servers of our own, whose every file we may read, set to write down as much as they can."""

    folder: Path
    postgres: postgres.Running
    nats: nats.Running

    def dsn(self, role: str) -> str:
        return self.postgres.dsn(role, "pw", "redress")

    def files(self) -> Iterator[tuple[Path, bytes]]:
        return under(self.folder)

    async def flush(self) -> None:
        superuser = database.within(self.postgres.dsn_superuser, "redress")
        connection = await asyncpg.connect(superuser, timeout=5)
        try:
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    with backends.temporary_folder() as folder:
        chatty = {"log_statement": "all", "log_min_duration_statement": "0", "log_min_messages": "debug1"}
        chatty |= {"log_parameter_max_length": "-1", "wal_compression": "off"}
        server = postgres.start(folder / "postgres", ports.free(), chatty)
        bus = nats.start(folder / "nats", ports.free())
        try:
            passwords = dict.fromkeys(database.ROLES, "pw")
            await database.create(server.dsn_superuser, "redress", passwords)
            yield Place(folder, server, bus)
        finally:
            bus.stop()
            server.stop()


def planted() -> ComplaintRecorded:
    event: ComplaintRecorded = samples.event(RECORDED)
    complainant = replace(
        event.complainant, name=NAMES[0], phone=NUMBERS[0], email=MAIL, address=f"{STREET} {NAMES[2]}"
    )
    source = replace(event.source, reference=NOT_PERSONAL) if event.source else None
    demand = replace(event.demand, text=f"{NUMBERS[1]} {NAMES[2]}")
    return replace(
        event, data_subject=SUBJECT, complainant=complainant, narrative=STORY, demand=demand, source=source
    )


async def carry(place: Place, log: PostgresLog) -> None:
    async with Connection(place.nats.url, "personal data") as connection:
        await connection.until_connected()
        await Carrier(log, connection, "main").catch_up()


@pytest.mark.rule("SEC-1", "SEC-2")
@pytest.mark.timeout(120)
async def test_no_personal_text_stands_in_any_file(
    place: Place, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    complaint, event = uuid4(), planted()
    async with PostgresLog(place.dsn("redress_intake")) as log:
        store = EventStore(log, KeyRing(log, KEY))
        context = Context(actor="person:1", complaint_id=complaint)
        appended = await store.append("main", f"intake-{complaint}", 0, [event], [uuid4()], context)
        await carry(place, log)
        await export(place, "before.ndjson")
        await place.flush()
        assert (await store.read("main"))[0].event == event
        nothing_but_the_canary(place, ("postgres", "wal", "nats", "before.ndjson"))

        async with PostgresLog(place.dsn("redress_oversight")) as oversight:
            await erasure.erase(oversight, "main", SUBJECT, "dpo", "request 17", event.recorded_at)
        await carry(place, log)
        await export(place, "after.ndjson")
        await place.flush()
        nothing_but_the_canary(place, ("postgres", "wal", "nats", "before.ndjson", "after.ndjson"))

        fresh = EventStore(log, KeyRing(log, KEY))
        recorded = (await fresh.read("main"))[0]
        assert recorded.envelope.seq == appended.seq
        read: ComplaintRecorded = recorded.event
        assert {read.narrative, read.complainant.name, read.complainant.phone, read.demand.text} == {
            personal.ERASED
        }
        assert (read.source, read.channel, read.received_at) == (
            event.source,
            event.channel,
            event.received_at,
        )
    said = caplog.text + "".join(capfd.readouterr())
    assert not [text for text in PLANTED if text in said]


def nothing_but_the_canary(place: Place, parts: Iterable[str]) -> None:
    assert finds(place.files(), PLANTED) == set()
    where = " ".join(path for _, path in finds(place.files(), [NOT_PERSONAL]))
    assert not [part for part in parts if part not in where]


async def export(place: Place, name: str) -> None:
    command = ["audit", "export", str(place.folder / name), "--database", place.dsn("redress_auditor")]
    result = await asyncio.to_thread(CliRunner().invoke, cli.main, command)
    assert result.exit_code == 0, result.output


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    for number, spelling in enumerate(spellings(NAMES[1])):
        file = tmp_path / str(number)
        file.write_bytes(b"x" * number + spelling + b"y")
        assert finds([(file, file.read_bytes())], PLANTED) == {(NAMES[1], str(file))}


async def test_a_log_without_sealing_would_be_caught() -> None:
    """The naive way: personal texts in the clear in the body."""
    log = MemoryLog("main")
    naive = RECORDED.adapter.dump_json(planted())
    caught = {text for text, _ in finds([(Path("body"), naive)], PLANTED)}
    assert {NAMES[0], NAMES[1], NAMES[2], NUMBERS[2], MAIL} <= caught
    store, complaint = EventStore(log, KeyRing(log, KEY)), uuid4()
    await store.append("main", f"intake-{complaint}", 0, [planted()], [uuid4()], Context(actor="me"))
    [stored] = await log.read("main")
    assert finds([(Path("body"), stored.body)], PLANTED) == set()
