"""`redress policy publish` on a running oversight: published, refused with file and line, not reached."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import typer.testing

from deploy.cli import main
from deploy.local import ports, services, tokens
from deploy.local.folder import Folder
from tests import backends
from tests.packs import line_of, text_with

IN_FORCE = date.today() + timedelta(days=2)  # noqa: DTZ011 - far enough in any time zone
LONG_AGO = "effective_from: 2026-01-01"
NOWHERE = "nats://127.0.0.1:1"
WAIT_SECONDS = 20
rule = pytest.mark.rule


class Running:
    """Oversight as a process, reached as `redress up` leaves it: by the folder of the system."""

    def __init__(self, folder: Folder, url: str) -> None:
        self.folder = folder
        self.url = url
        self.versions = 1  # the shipped one

    def pack(self, *changes: tuple[str, str], day: str = f"effective_from: {IN_FORCE}") -> tuple[str, int]:
        """The next version of the shipped pack, with changes."""
        self.versions += 1
        return text_with(
            ("version: 1", f"version: {self.versions}"), (LONG_AGO, day), *changes
        ), self.versions

    def publishes(self, file: Path, text: str, *options: str) -> typer.testing.Result:
        file.write_text(text, "utf-8")
        return invoke(file, "--data-dir", str(self.folder.path), *options)


def invoke(file: Path, *options: str, env: dict[str, str] | None = None) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(main, ["policy", "publish", str(file), *options], env=env)


def until_ready(port: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not services.is_ready(port):
        assert time.monotonic() < deadline, "oversight is not ready"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def running(module_database: backends.Database) -> Iterator[Running]:
    with backends.temporary_folder() as made:
        folder, port = Folder.at(made / "system"), ports.free()
        folder.prepare()
        dsn = module_database.dsn("redress_oversight")
        program = services.program("oversight", port, folder, dsn, NOWHERE)
        with (
            folder.locked(),
            program.log.open("wb") as said,
            subprocess.Popen(program.command, env=program.environment, stdout=said, stderr=said) as process,
        ):
            try:
                until_ready(port)
                folder.write_state({"log": "main", "services": {"oversight": services.url(port)}})
                yield Running(folder, services.url(port))
            finally:
                process.terminate()
                process.wait(WAIT_SECONDS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ours.yaml"


@rule("GOV-1")
def test_a_pack_is_published_for_its_day_and_again_changes_nothing(running: Running, file: Path) -> None:
    text, version = running.pack()
    first = running.publishes(file, text)
    said = f"{file}: standard@{version} is published; it decides from {IN_FORCE} on\n"
    assert (first.exit_code, first.stdout) == (0, said)
    again = running.publishes(file, text)
    said = f"{file}: standard@{version} was published before, word for word; it decides from {IN_FORCE} on\n"
    assert (again.exit_code, again.stdout) == (0, said)


@rule("GOV-1")
def test_who_published_is_on_record_and_programs_are_told_in_json(running: Running, file: Path) -> None:
    text, version = running.pack()
    result = running.publishes(file, text, "--json", "--author", "general-manager")
    answer = json.loads(result.stdout)
    assert (
        answer.items()
        >= {
            "name": "standard",
            "version": version,
            "effective_from": IN_FORCE.isoformat(),
            "published": True,
            "published_before": False,
        }.items()
    )


@rule("GOV-2")
def test_a_wrong_pack_is_refused_with_file_line_and_reason(running: Running, file: Path) -> None:
    text, _ = running.pack(("to: quality\n", "to: qualty\n"), ("led_by: incident-leader", "led_by: nobody"))
    result = running.publishes(file, text)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"{file}:{line_of(text, 'to: qualty')}: routing.3.to: there is no unit qualty",
        f"{file}:{line_of(text, 'led_by: nobody')}: "
        "thresholds.batch_incidents.led_by: there is no office nobody",
        f"{file} is refused (malformed); what is in force stays",
    ]
    found = json.loads(running.publishes(file, text, "--json").stdout)
    assert (found["published"], found["code"], len(found["errors"])) == (False, "malformed", 2)


@rule("GOV-1")
def test_a_published_version_never_changes(running: Running, file: Path) -> None:
    text, version = running.pack()
    running.publishes(file, text)
    other = text.replace("within_hours: 24", "within_hours: 48")
    result = running.publishes(file, other)
    assert result.exit_code == 1
    assert "This version was published: it can never change. Draft the next version." in result.stderr
    older = text.replace(f"version: {version}", "version: 1", 1)
    result = running.publishes(file, older)
    assert result.exit_code == 1
    assert f"give this one a higher number. last_version: {version}" in result.stderr


@rule("GOV-1")
def test_a_policy_cannot_come_into_force_in_the_past(running: Running, file: Path) -> None:
    text, _ = running.pack(day=LONG_AGO)
    result = running.publishes(file, text)
    assert result.exit_code == 1
    assert "draft it again with a later day. effective_from: 2026-01-01" in result.stderr


def test_elsewhere_it_needs_an_address_and_a_token(running: Running, file: Path) -> None:
    text, version = running.pack()
    file.write_text(text, "utf-8")
    assert "--url needs --token" in invoke(file, "--url", running.url).stderr
    reader = tokens.mint(running.folder.signing_keys(), "main", ("complaints:read",), "li.wei", 60)
    result = invoke(file, "--url", running.url, "--token", reader)
    assert (result.exit_code, "oversight answers 403" in result.stderr) == (2, True)
    writer = tokens.mint(running.folder.signing_keys(), "main", ("policy:write",), "li.wei", 60)
    named = {"REDRESS_OVERSIGHT_URL": running.url, "REDRESS_TOKEN": writer}
    result = invoke(file, env=named)
    assert (result.exit_code, f"standard@{version} is published" in result.stdout) == (0, True)


def test_who_cannot_be_asked_has_not_refused(running: Running, file: Path, tmp_path: Path) -> None:
    assert invoke(file).exit_code == 2  # no such file
    file.write_text("name: ours", "utf-8")
    result = invoke(file, "--data-dir", str(tmp_path / "nothing"))
    assert (result.exit_code, "no redress is up" in result.stderr) == (2, True)
    nobody = services.url(ports.free())
    result = invoke(file, "--url", nobody, "--token", "x")
    assert (result.exit_code, f"oversight does not answer at {nobody}" in result.stderr) == (2, True)
    file.write_bytes(b"\xff\xfe\x00")
    result = invoke(file, "--data-dir", str(running.folder.path))
    assert (result.exit_code, result.stderr) == (1, f"{file}:1: this is no text in UTF-8\n")
