"""`redress demo` shows what it promises, and ends with status 0 only if all of it agrees."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import jwt
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from deploy import cli
from deploy.local import demo, folder, ports, services, up, vehicles
from libs.events import ledger
from libs.events.envelope import Head
from services.intake import models
from tests import backends
from tests.planted import finds, under

REPORTS = 130
NOBODY_S = Path("/no/such/file")
HASH, NOW = bytes(32), datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def home() -> Iterator[folder.Folder]:
    with backends.temporary_folder() as made:
        yield folder.Folder.at(made / "system")


@pytest.fixture
def intake_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but who records: what is shown is the same, and the machine is left to other tests."""
    monkeypatch.setattr(services, "OFFSETS", {"intake": services.OFFSETS["intake"]})


def shown(home: folder.Folder) -> Result:
    chosen = ",".join(f"{name}={ports.free()}" for name in ports.OFFSETS)
    words = ["--count", str(REPORTS), "--record-only", "--exit", "--ports", chosen]
    return CliRunner().invoke(cli.main, ["demo", "--data-dir", str(home.path), *words])


def rows(result: Result) -> dict[str, tuple[str, str]]:
    """Figure and verdict of each line of the table."""
    lines = [[cell.strip() for cell in line.split("│")] for line in result.output.splitlines()]
    return {cells[1]: (cells[2], cells[3]) for cells in lines if len(cells) == 6}


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("intake_alone", "vehicle_complaints")
def test_real_complaints_are_recorded_carried_and_proved(home: folder.Folder) -> None:
    result = shown(home)
    assert result.exit_code == 0, result.output
    everything_agrees(home, result)
    nobody_is_named_in_any_file(home)


def everything_agrees(home: folder.Folder, result: Result) -> None:
    found = rows(result)
    again = demo.SENT_AGAIN
    assert found["recorded"] == (str(REPORTS), "yes")
    assert found["sent again, answered as before"] == (str(again), "yes")
    assert found["events in the log"] == found["events in a consumer"]
    assert int(found["events in the log"][0]) >= REPORTS
    assert found["audit verify"] == ("unaltered", "yes")
    assert {"suspected duplicates", "events/s", "bus lag"} <= found.keys()
    assert f"complaints     {REPORTS + again} of {REPORTS + again}" in result.output
    assert "made up" not in result.output
    assert "bus connected" not in result.output, "what libraries log is none of a person's business"
    assert "All of it agrees." in result.output
    token = result.output.partition("export TOKEN=")[2].split()[0]
    [key] = jwt.PyJWKSet.from_json(home.jwks_file.read_text()).keys
    assert jwt.decode(token, key, ["EdDSA"], audience="redress")["org"] == "main"
    [curl] = [line for line in result.output.splitlines() if line.startswith("curl ")]
    assert "$TOKEN" in curl
    assert curl.split('"')[1].partition("/v1")[0] in result.output.partition("export")[0]


def nobody_is_named_in_any_file(home: folder.Folder) -> None:
    """Of the database, the stream and the services' logs; what is no secret shows that they were searched."""
    reports, _ = vehicles.reports(vehicles.FILE, 3)
    bodies = [vehicles.request(report) for report in reports]
    people = [body["complainant"][part] for body in bodies for part in ("name", "email")]
    assert finds(under(home.path), people + [body["narrative"] for body in bodies]) == set()
    where = " ".join(path for _, path in finds(under(home.path), [bodies[0]["source"]["system"]]))
    assert str(home.postgres) in where
    assert str(home.nats) in where


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("intake_alone")
def test_what_was_altered_is_told_and_ends_it_badly(
    home: folder.Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where there are no real complaints, it says that these are made up."""
    settle = demo.settle

    async def altered(system: up.System, heard: demo.Heard) -> demo.Settled:
        await settle(system, heard)
        superuser = await asyncpg.connect(system.database_urls["postgres"], timeout=5)
        await superuser.execute("SET session_replication_role = replica")
        await superuser.execute("UPDATE log.events SET actor = 'somebody else' WHERE seq = 3")
        await superuser.close()
        return await settle(system, heard)

    monkeypatch.setattr(demo, "settle", altered)
    monkeypatch.setattr(vehicles, "FILE", NOBODY_S)
    result = shown(home)
    assert result.exit_code == 1
    assert f"No file of real complaints at {NOBODY_S}: these are made up by a seed." in result.output
    found = rows(result)
    assert found["recorded"] == (str(REPORTS), "yes")
    assert found["audit verify"] == ("ALTERED", "NO")
    assert "It does not all agree." in result.output


ON_RECORD = {reference: {"status": 201, "complaint_id": reference.upper()} for reference in "abc"}
SENT = demo.Sent(ON_RECORD, as_before=1, seconds=1.0)
HEARD = demo.Heard({uuid.UUID(int=n) for n in range(5)}, last_seq=5)
SETTLED = demo.Settled(Head(5, HASH, NOW), ledger.Verdict("main", 5, HASH, None))


def disagreeing(sent: demo.Sent = SENT, heard: demo.Heard = HEARD, settled: demo.Settled = SETTLED) -> str:
    """The names of the lines that do not agree, where three reports were sent, and one of them again."""
    return ", ".join(row.name for row in demo.findings(3, 1, sent, heard, settled) if not row.agrees)


def test_what_agrees_agrees() -> None:
    assert disagreeing() == ""


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        (replace(SENT, by_reference={reference: ON_RECORD[reference] for reference in "ab"}), "recorded"),
        (replace(SENT, by_reference=ON_RECORD | {"c": ON_RECORD["b"]}), "recorded"),
        (replace(SENT, as_before=0), "sent again, answered as before"),
        (replace(SENT, refusals=["{}"]), "refused"),
    ],
)
def test_a_report_that_is_not_on_record_does_not_agree(sent: demo.Sent, named: str) -> None:
    assert disagreeing(sent) == named


@pytest.mark.parametrize(
    ("answers", "on_record", "as_before", "refused"),
    [
        ([(201, "A"), (200, "A")], ["A"], 1, 0),
        ([(503, None), (201, "A"), (200, "A")], ["A"], 1, 0),
        ([(503, None), (200, "A"), (200, "A")], ["A"], 1, 0),  # the first one was recorded, and nobody knew
        ([(503, None)], [], 0, 0),
        ([(200, "A")], [], 0, 1),  # of which nothing was sent before
        ([(201, "A"), (201, "B")], ["A"], 0, 1),  # recorded twice
        ([(201, "A"), (200, "B")], ["A"], 0, 1),
        ([(422, None)], [], 0, 1),
    ],
)
def test_a_repeat_is_held_against_the_answer_before(
    answers: list[tuple[int, str | None]], on_record: list[str], as_before: int, refused: int
) -> None:
    sent = demo.Sent()
    for status, complaint in answers:
        sent.take("a", {"status": status, "complaint_id": complaint})
    told = [each["complaint_id"] for each in sent.by_reference.values()]
    assert (told, sent.as_before, len(sent.refusals)) == (on_record, as_before, refused)


@pytest.mark.parametrize(
    "heard",
    [
        replace(HEARD, ids=set(list(HEARD.ids)[1:])),
        replace(HEARD, last_seq=4),
        replace(HEARD, out_of_order=1),
    ],
    ids=["lost", "still on its way", "reordered"],
)
def test_an_event_that_did_not_arrive_in_order_does_not_agree(heard: demo.Heard) -> None:
    assert disagreeing(heard=heard) == "events in a consumer"


def test_a_log_that_is_not_sound_does_not_agree() -> None:
    fault = replace(SETTLED.verdict, fault=ledger.Fault(3, "its hash does not follow"))
    assert disagreeing(settled=replace(SETTLED, verdict=fault)) == "audit verify"
    fewer = replace(SETTLED.verdict, events=4)
    assert disagreeing(settled=replace(SETTLED, verdict=fewer)) == "events in the log"


def test_made_up_complaints_are_as_many_each_time_the_same_and_fit_to_be_recorded() -> None:
    (first, real), (second, _) = (vehicles.reports(NOBODY_S) for _ in range(2))
    assert (len(first), real) == (vehicles.MADE_UP_REPORTS, False)
    assert first == second
    bodies = [vehicles.request(report) for report in first]
    assert len({body["source"]["reference"] for body in bodies}) == len(bodies)
    for body in bodies:
        models.ComplaintBody.model_validate(body)


def test_a_terminal_is_shown_a_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    reports, _ = vehicles.reports(NOBODY_S, 250)
    sent = [len(batch) for batch in demo.progressing(console, demo.batches(reports), len(reports))]
    assert sent == [200, 50]
    assert isinstance(console.file, io.StringIO)
    assert "━" in console.file.getvalue()
    assert "250/250" in console.file.getvalue()


@pytest.mark.parametrize("count", ["many", "0", "-3", "1.5", ""])
def test_a_count_that_is_none_is_refused_before_anything_is_deleted(home: folder.Folder, count: str) -> None:
    home.prepare()
    result = CliRunner().invoke(cli.main, ["demo", "--data-dir", str(home.path), "--count", count])
    assert result.exit_code == 1
    assert f'--count: {count!r} is neither a number from 1 on nor "all"' in result.output
    assert home.key_file.exists()
