"""`redress audit`: whatever a superuser alters is found, and the first bad seq named."""

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from deploy import cli
from deploy.commands import source
from deploy.local.folder import Folder
from libs.events import export, ledger
from libs.events.contracts.intake import ComplaintRecorded
from libs.events.contracts.registry import contract_of
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.log.postgres import PostgresLog
from libs.events.store import Context, EventStore
from tests import backends
from tests.contract import samples

EVENTS = 6
RECORDED = contract_of(ComplaintRecorded)
KEY = KeyEncryptionKey(bytes(range(32)))

# Each as a superuser would, with the triggers off and, where said, the head row made to fit.
SHIFT = (
    "UPDATE log.events SET seq = seq + 1000 WHERE seq >= 3;"
    "UPDATE log.events SET seq = seq - 999 WHERE seq > 3;"
)
HEAD_FITS = (
    "UPDATE log.heads h SET (seq, hash, at) ="
    " (SELECT e.seq, e.hash, e.at FROM log.events e ORDER BY e.seq DESC LIMIT 1);"
)
COPY = (
    "INSERT INTO log.events SELECT log, {0}, gen_random_uuid(), 'intake-forged', 1, type, complaint_id,"
    " actor, caused_by, traceparent, at, body, hash FROM log.events WHERE seq = 2;"
)
TAMPERINGS = {
    "edited": ("UPDATE log.events SET body = replace(body::text, '7b', '7c')::bytea WHERE seq = 3", 3),
    "deleted": ("DELETE FROM log.events WHERE seq = 3", 3),
    "inserted": (SHIFT + COPY.format(3) + HEAD_FITS, 3),
    "inserted behind the end": (COPY.format(EVENTS + 1), EVENTS + 1),
    "inserted before the beginning": (
        "ALTER TABLE log.events DROP CONSTRAINT events_seq_check;" + COPY.format(0),
        0,
    ),
    "reordered": (
        "UPDATE log.events SET seq = 1000 WHERE seq = 3; UPDATE log.events SET seq = 3 WHERE seq = 4;"
        "UPDATE log.events SET seq = 4 WHERE seq = 1000",
        3,
    ),
    "actor forged": ("UPDATE log.events SET actor = 'somebody else' WHERE seq = 2", 2),
    "time changed": ("UPDATE log.events SET at = at - interval '1 day' WHERE seq = 4", 4),
    "moved to another complaint": ("UPDATE log.events SET complaint_id = gen_random_uuid() WHERE seq = 5", 5),
    "hash made to fit": (
        "UPDATE log.events SET actor = 'x', hash = sha256('x') WHERE seq = 2",
        2,
    ),
    "tail cut off": ("DELETE FROM log.events WHERE seq > 4", 5),
    "head moved": ("UPDATE log.heads SET hash = sha256('x')", EVENTS),
}


@dataclass
class Desk:
    """A log of six complaints, and an auditor's desk before it."""

    database: backends.Database
    folder: Path
    complaints: list[UUID] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)

    def run(self, *words: str, role: str = "redress_auditor", on: str = "database") -> Result:
        source = {
            "database": ("--database", self.database.dsn(role)),
            "system": ("--data-dir", str(self.folder)),
            "nothing": (),
        }[on]
        # Without the terminal's width: lines are not to be folded.
        return CliRunner().invoke(cli.main, ["audit", *words, *source], env={"REDRESS_KEY_FILE": None})

    def tamper(self, statements: str, database: backends.Database | None = None) -> None:
        async def carry_out() -> None:
            connection = await asyncpg.connect((database or self.database).superuser_dsn, timeout=5)
            try:
                await connection.execute("SET session_replication_role = replica")
                await connection.execute(statements)
            finally:
                await connection.close()

        backends.run(carry_out())

    def record(self, number: int) -> None:
        async def carry_out() -> None:
            async with PostgresLog(self.database.dsn("redress_intake")) as log:
                store = EventStore(log, KeyRing(log, KEY))
                for _ in range(number):
                    complaint = uuid4()
                    appended = await store.append(
                        *("main", f"intake-{complaint}", 0, [samples.event(RECORDED)], [uuid4()]),
                        Context(actor="person:王芳", complaint_id=complaint),
                    )
                    self.complaints.append(complaint)
                    self.times.append(appended.at)

        backends.run(carry_out())

    @property
    def key_file(self) -> Path:
        return Folder.at(self.folder).key_file


@pytest.fixture
def desk(database: backends.Database, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(database, tmp_path)
    made.record(EVENTS)
    folder = Folder.at(tmp_path)
    with folder.locked():
        folder.prepare()
        folder.key_file.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        urls = {role: database.dsn(role) for role in database.passwords}
        folder.write_state({"databases": urls, "key_file": str(folder.key_file)})
        yield made


def found(result: Result) -> int | None:
    """The first bad seq that the command named, with the right status; None where all was sound."""
    assert result.exit_code in (0, 1), result.output
    told = json.loads(result.stdout)
    assert told["sound"] == (result.exit_code == 0)
    seq: int | None = told["first_bad_seq"]
    return seq


def test_a_log_that_nobody_touched_is_sound(desk: Desk) -> None:
    for on in ("database", "system"):
        result = desk.run("verify", on=on)
        assert (result.exit_code, result.stdout.partition(";")[0]) == (0, "main: 6 events, unaltered")
    told = json.loads(desk.run("verify", "--json").stdout)
    assert (told["log"], told["sound"], told["events"], told["first_bad_seq"]) == ("main", True, EVENTS, None)


@pytest.mark.rule("AUD-3")
def test_whatever_a_superuser_alters_is_found(desk: Desk, postgres: backends.PostgresServer) -> None:
    for name, (statements, seq) in TAMPERINGS.items():
        altered = postgres.create_database(template=desk.database.name)
        try:
            desk.tamper(statements, altered)
            url = altered.dsn("redress_auditor")
            told = CliRunner().invoke(cli.main, ["audit", "verify", "--database", url])
            assert (name, told.exit_code) == (name, 1)
            assert (name, f"First bad seq: {seq}:" in told.stdout) == (name, True), told.stdout
            as_json = CliRunner().invoke(cli.main, ["audit", "verify", "--json", "--database", url])
            assert (name, found(as_json)) == (name, seq)
        finally:
            postgres.drop_database(altered)


@pytest.mark.rule("AUD-4")
def test_what_only_a_checkpoint_shows_is_found_with_one(
    desk: Desk, postgres: backends.PostgresServer
) -> None:
    backup = postgres.create_database(template=desk.database.name)
    try:
        desk.record(2)
        kept = str(desk.folder / "checkpoint.json")
        assert desk.run("checkpoint", kept).exit_code == 0
        with_it = ("verify", "--json", "--checkpoint", kept)
        assert found(desk.run(*with_it)) is None
        desk.record(1)
        assert found(desk.run(*with_it)) is None

        restored = Desk(backup, desk.folder)
        assert found(restored.run("verify", "--json")) is None
        assert found(restored.run(*with_it)) == EVENTS + 1
        restored.record(4)  # and on it goes, as if nothing had been
        assert found(restored.run("verify", "--json")) is None
        assert found(restored.run(*with_it)) == EVENTS + 2

        desk.tamper("DELETE FROM log.events WHERE seq > 5;" + HEAD_FITS)
        assert found(desk.run("verify", "--json")) is None
        assert found(desk.run(*with_it)) == 6
    finally:
        postgres.drop_database(backup)


@pytest.mark.parametrize("name", ["log.ndjson", "log.ndjson.gz"])
def test_an_exported_log_is_checked_without_the_database(desk: Desk, name: str) -> None:
    file, kept = desk.folder / name, desk.folder / "checkpoint.json"
    assert desk.run("export", str(file), "--checkpoint", str(kept)).exit_code == 0
    check = ("verify", "--json", "--file", str(file), "--checkpoint", str(kept))
    assert found(desk.run(*check, on="nothing")) is None
    told = desk.run("replay", "--json", "--file", str(file), on="nothing")
    assert [int(json.loads(line)["sequence"]) for line in told.stdout.splitlines()] == [1, 2, 3, 4, 5, 6]

    lines = read_lines(file)
    forged = [
        line.replace("person:", "PERSON:") if number == 3 else line for number, line in enumerate(lines)
    ]
    for altered, seq in ((forged, 4), (lines[:2] + lines[3:], 3), (lines[:-2], 5)):
        write_lines(file, altered)
        assert found(desk.run(*check, on="nothing")) == seq
    write_lines(file, lines)
    assert [export.to_line(event) for page in export.pages(file) for event in page] == lines


def read_lines(file: Path) -> list[str]:
    text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return text.decode().splitlines()


def write_lines(file: Path, lines: list[str]) -> None:
    text = "".join(line + "\n" for line in lines).encode()
    file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)


@pytest.mark.rule("AUD-1")
def test_every_event_is_told_again_in_order_sealed_or_opened(desk: Desk) -> None:
    narrative = samples.event(RECORDED).narrative
    sealed = desk.run("replay", "--sealed", on="system").stdout
    opened = desk.run("replay", on="system").stdout
    assert narrative not in sealed
    assert opened.count(narrative) == EVENTS
    assert re.findall(r"^(\d+)  ", opened, re.MULTILINE) == ["1", "2", "3", "4", "5", "6"]
    assert "by person:王芳" in opened
    given = desk.run("replay", "--json", "--after", "4", "--key-file", str(desk.key_file)).stdout
    told = [json.loads(line) for line in given.splitlines()]
    assert [(event["sequence"], event["data"]["narrative"]) for event in told] == [
        ("00000000000000000005", narrative),
        ("00000000000000000006", narrative),
    ]
    assert told[0]["actor"] == "person:王芳"
    assert desk.run("replay", "--type", "no.such.v1", on="system").stdout == ""


def test_what_fits_no_contract_is_told_as_it_is_stored(desk: Desk) -> None:
    """A reader that stops at it, or leaves it out, would hide what came of it."""
    desk.tamper("UPDATE log.events SET type = 'no.such.v1' WHERE seq = 2")
    desk.tamper("UPDATE log.events SET body = 'no json' WHERE seq = 3")
    told = [json.loads(line) for line in desk.run("replay", "--json", on="system").stdout.splitlines()]
    assert [int(event["sequence"]) for event in told] == [1, 2, 3, 4, 5, 6]
    assert told[1]["data"]["narrative"].keys() == {"sealed"}
    assert told[2]["data"] == "no json"
    assert told[3]["data"]["narrative"] == samples.event(RECORDED).narrative


@pytest.mark.rule("AUD-2")
def test_one_complaint_is_told_as_it_stood_at_a_time(desk: Desk) -> None:
    complaint, at = str(desk.complaints[2]), desk.times[2]
    told = desk.run("history", complaint, "--json", on="system").stdout.splitlines()
    assert [json.loads(line)["subject"] for line in told] == [complaint]
    before = (at - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    assert desk.run("history", complaint, "--as-of", before, on="system").stdout == ""
    after = (at + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    assert desk.run("history", complaint, "--as-of", after, on="system").stdout.startswith("3  ")


@pytest.mark.rule("SEC-2")
def test_an_erasure_is_on_record_and_leaves_the_rest_readable(desk: Desk) -> None:
    subject = samples.event(RECORDED).data_subject
    erase = ("erase", subject, "--reason", "request 17 of 2026", "--author", "dpo")
    assert desk.run(*erase, role="redress_intake").exit_code == 2
    result = desk.run(*erase, on="system")
    assert (result.exit_code, "on record as seq 7" in result.stdout) == (0, True), result.output
    told = [json.loads(line) for line in desk.run("replay", "--json", on="system").stdout.splitlines()]
    assert [event["data"]["narrative"] for event in told[:-1]] == ["[erased]"] * EVENTS
    assert told[0]["data"]["channel"] == "phone"
    assert told[-1]["type"] == "complaints.oversight.personal_data_erased.v1"
    assert (told[-1]["data"]["data_subject"], told[-1]["data"]["reason"]) == (subject, "request 17 of 2026")
    assert (told[-1]["actor"], told[-1]["data"]["author"]) == ("dpo", "dpo")
    assert found(desk.run("verify", "--json")) is None
    again = desk.run(*erase, on="system")
    assert (again.exit_code, "nothing to erase" in again.stderr) == (2, True)


def test_what_a_person_can_mend_is_told_in_a_line(desk: Desk, postgres: backends.PostgresServer) -> None:
    no_file = desk.folder / "absent"
    (desk.folder / "broken").write_text("x")
    other = desk.folder / "other.json"
    other.write_text('{"log": "acme", "seq": 1, "hash": "00", "at": ""}')
    cases: list[tuple[tuple[str, ...], str]] = [
        (("verify", "--log", "acme"), "no log for this organisation"),
        (("verify", "--checkpoint", str(desk.folder / "broken")), "no checkpoint"),
        (("verify", "--checkpoint", str(other)), "of the log acme"),
        (("verify", "--file", str(desk.folder / "broken")), "Not a line of an exported log"),
        (("replay", "--key-file", str(desk.folder / "broken")), "not a key-encryption key"),
        (("replay", "--key-file", str(no_file)), "absent"),
    ]
    for words, told in cases:
        result = desk.run(*words)
        assert result.exit_code == 2
        assert told in result.stderr
        assert len(result.stderr.splitlines()) == 1
    nowhere = CliRunner().invoke(cli.main, ["audit", "verify", "--data-dir", str(no_file)])
    assert (nowhere.exit_code, "no redress is up" in nowhere.stderr) == (2, True)
    postgres.stop()
    away = desk.run("verify")
    assert (away.exit_code, "does not answer" in away.stderr) == (2, True)


def test_a_reader_who_has_had_enough_is_no_error(desk: Desk) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as `| head` does, only sooner
    command = [sys.executable, "-m", "deploy.cli", "audit", "replay", "--data-dir", str(desk.folder)]
    with os.fdopen(writing, "w") as pipe:
        told = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=30)
    assert told.stderr == ""
    assert told.returncode == source.REFUSED, "1 would say that something was altered"


def test_verifying_goes_on_while_others_append(desk: Desk) -> None:
    """The log grows under the check: what comes after its beginning is no fault."""

    async def both() -> list[Any]:
        async with PostgresLog(desk.database.dsn("redress_intake")) as log:
            store, stop = EventStore(log, KeyRing(log, KEY)), asyncio.Event()

            async def append() -> None:
                while not stop.is_set():
                    event, place = [samples.event(RECORDED)], f"intake-{uuid4()}"
                    await store.append("main", place, 0, event, [uuid4()], Context(actor="me"))

            async with asyncio.TaskGroup() as group:
                group.create_task(append())
                verdicts = [await ledger.verify(log, "main") for _ in range(30)]
                stop.set()
            return [verdict.fault for verdict in verdicts]

    assert asyncio.run(both()) == [None] * 30
