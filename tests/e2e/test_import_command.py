"""`redress import` puts a file on record, says what it could not, and may be said again (REC-4, REC-9)."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import main
from deploy.commands import sending
from deploy.local import services
from deploy.local.folder import Folder
from libs.service.run import Server
from tests import backends, service_kit
from tests.e2e import desk

LINES = 150  # more than are sent at once


@contextlib.asynccontextmanager
async def serving(intake: desk.Intake) -> AsyncIterator[str]:
    """Intake behind its real server; gives its address."""
    server = Server(intake.app, intake.app.state.resources.settings.model_copy(update={"port": 0}))
    server.config.lifespan = "off"
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(desk.WAIT_SECONDS):
        while not server.started:  # noqa: ASYNC110 the server has no event to wait for
            await asyncio.sleep(0.01)
    yield services.url(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await running


@pytest.fixture
async def address(intake: desk.Intake) -> AsyncIterator[str]:
    async with serving(intake) as url:
        yield url


async def run(address: str, file: Path | str, *options: str, **given: Any) -> Result:
    """As a person at a terminal, with a token."""
    token = service_kit.token(scope="complaints:write")
    words = ["import", str(file), "--url", address, "--token", token, *options]
    return await asyncio.to_thread(CliRunner().invoke, main, words, **given)


def lines(*bodies: Any) -> bytes:
    return b"".join(json.dumps(body, ensure_ascii=False).encode() + b"\n" for body in bodies)


def refusals(result: Result) -> list[str]:
    """What the command says of lines, without what intake, which runs in this process, says for itself."""
    return [line for line in result.stderr.splitlines() if line.startswith("line ")]


def written(folder: Path, content: bytes) -> Path:
    file = folder / "complaints.ndjson"
    file.write_bytes(content)
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Complaints, two bad lines among them, an empty one, and no end of the last."""
    good = [desk.body() for _ in range(LINES)]
    content = lines(*good[:70]) + b"\n{nonsense\n" + lines(desk.body(narrative=" "), *good[70:])
    return written(tmp_path, content.rstrip())


@pytest.mark.rule("REC-4", "REC-9")
async def test_a_file_is_recorded_once_and_bad_lines_are_named(address: str, file: Path) -> None:
    first = await run(address, file)
    assert first.exit_code == 1, first.output
    assert f"{file}: {LINES} recorded, 0 recorded before, 2 refused" in first.stdout
    told = refusals(first)
    assert [line.split(":")[0] for line in told] == ["line 72", "line 73"]
    assert "/narrative" in told[1]
    again = await run(address, file)
    assert again.exit_code == 1
    assert f"{file}: 0 recorded, {LINES} recorded before, 2 refused" in again.stdout


async def test_a_file_without_faults_is_no_fault(address: str, tmp_path: Path) -> None:
    good = await run(address, written(tmp_path, lines(desk.body(), desk.body())))
    assert good.exit_code == 0, good.output
    assert "2 recorded, 0 recorded before, 0 refused" in good.stdout


async def test_for_programs_there_is_an_object_a_line(address: str, file: Path) -> None:
    result = await run(address, file, "--json")
    *refused, counts = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert [(each["line"], each["status"]) for each in refused] == [(72, 422), (73, 422)]
    assert refused[1]["problem"]["errors"][0]["pointer"] == "/narrative"
    assert (counts["recorded"], counts["recorded_before"], counts["refused"]) == (LINES, 0, 2)


async def test_standard_input_is_read_too_and_long_files_tell_how_far_they_are(address: str) -> None:
    body = desk.body()
    result = await run(address, "-", input=lines(*[body] * 1100))
    assert result.exit_code == 0, result.output
    assert "-: 1 recorded, 1,099 recorded before, 0 refused" in result.stdout
    assert "1,024 lines" in result.stderr.splitlines()


async def test_a_line_longer_than_any_complaint_is_not_held(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LINE_BYTES_MAX", 2000)
    content = b"x" * 9001 + b"\n" + lines(desk.body()) + b"y" * 2001
    result = await run(address, written(tmp_path, content))
    assert result.exit_code == 1
    assert [line[:22] for line in refusals(result)] == [
        "line 1: line_too_long:",
        "line 3: line_too_long:",
    ]
    assert "1 recorded" in result.stdout


async def test_every_byte_of_a_file_is_in_one_line_or_between_two() -> None:
    content = b"a\r\n\n \nbb\n" + b"c" * 50
    [batch] = sending.batches(io.BytesIO(content))
    assert [(line.number, line.content, line.ends_at) for line in batch] == [
        (1, b"a", 3),
        (4, b"bb", 9),
        (5, b"c" * 50, 59),
    ]


async def test_the_local_system_is_found_by_its_folder(
    database: backends.Database, tmp_path: Path, file: Path
) -> None:
    folder = Folder.at(tmp_path / "system")
    words = ["import", str(file), "--data-dir", str(folder.path)]
    nowhere = CliRunner().invoke(main, words)
    assert (nowhere.exit_code, "no redress is up" in nowhere.stderr) == (2, True)
    folder.prepare()
    async with (
        desk.running(database, tmp_path, jwks_file=folder.jwks_file) as intake,
        serving(intake) as url,
    ):
        with folder.locked():
            folder.write_state({"log": "main", "services": {"intake": url}})
            result = await asyncio.to_thread(CliRunner().invoke, main, words)
    assert f"{LINES} recorded" in result.stdout, result.output


async def test_who_cannot_be_asked_is_told_in_a_line(address: str, file: Path, tmp_path: Path) -> None:
    cases = [
        (await run("http://127.0.0.1:9", file), "broke off at line 1"),
        (await run(address, file, "--token", "nonsense"), "takes no import: 401"),
        (await run(address, tmp_path / "absent"), "No such file"),
    ]
    for result, told in cases:
        assert result.exit_code == 2
        assert told in result.stderr.splitlines()[-1]
