"""What a newcomer reads is true: links lead somewhere, commands exist, examples are taken."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from deploy.cli import main
from deploy.local import demo
from services.intake import models
from tests.architecture.source import ROOT
from tests.architecture.test_tooling import tracked

GUIDES = sorted(name for name in tracked() if name.endswith(".md") and (ROOT / name).is_file())
ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
COMMAND = re.compile(r"(?:^|[`/])redress ([^\n`]+)", re.M)
TARGET = re.compile(r"(?:^|`)make ([a-z][a-z-]*)", re.M)
FILE = re.compile(r"`((?:services|libs|deploy|tests|bench|docs)/[\w./-]+\.\w+)`")
HASHED = "log v1"  # what a chain begins with is `redress log v1`
HAN = re.compile(r"[\u4e00-\u9fff]")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def code(guide: str) -> str:
    """What stands in blocks and spans of code: there a word is a command."""
    block = re.compile(r"^```\w*\n(.*?)^```", re.M | re.S)
    return "\n".join(block.findall(guide) + re.findall(r"`[^`\n]+`", block.sub("", guide)))


def broken_links(guide: str, folder: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", guide):
        if "://" not in target and not (folder / target.partition("#")[0]).exists():
            yield target


def unknown_commands(guide: str) -> Iterator[str]:
    """What stands behind `redress` and names no command, or an option that it does not have."""
    for written in set(COMMAND.findall(code(guide))) - {HASHED}:
        command: Any = typer.main.get_command(main)
        for word in written.split():
            if not hasattr(command, "commands"):
                break
            command = command.commands.get(word)
        else:
            continue  # a group is spoken of
        known = {option for parameter in getattr(command, "params", ()) for option in parameter.opts}
        if command is None or set(re.findall(r"--[a-z-]+", written)) - known:
            yield f"redress {written}"


def unknown_targets(guide: str) -> Iterator[str]:
    known = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.M))
    yield from set(TARGET.findall(code(guide))) - known


def missing_files(guide: str) -> Iterator[str]:
    yield from (name for name in FILE.findall(guide) if not (ROOT / name).exists())


@pytest.mark.parametrize("name", GUIDES)
def test_what_a_guide_names_is_there(name: str) -> None:
    guide = text(name)
    assert list(broken_links(guide, (ROOT / name).parent)) == []
    assert list(unknown_commands(guide)) == []
    assert list(unknown_targets(guide)) == []
    assert list(missing_files(guide)) == []


def test_what_a_guide_names_wrongly_is_found() -> None:
    assert list(broken_links("[x](docs/no.md) [y](docs/audit.md#z)", ROOT)) == ["docs/no.md"]
    said = "```\n.venv/bin/redress audit prove it\n```\n`redress up --cleen`, `redress bus status --json`"
    assert sorted(unknown_commands(said)) == ["redress audit prove it", "redress up --cleen"]
    assert list(unknown_targets("`make tea`, `make demo`, which make sense")) == ["tea"]
    assert list(missing_files("`services/intake/api.py` `services/intake/nothing.py`")) == [
        "services/intake/nothing.py"
    ]


def commands_in(name: str) -> list[str]:
    """What there is to paste, without what is said beside it and without the language that is asked for."""
    found = [block for block in re.findall(r"^```\n(.*?)^```", text(name), re.M | re.S) if "│" not in block]
    return [re.sub(r" +# .*|(?<=language=)[\w-]+", "", line) for line in "".join(found).splitlines()]


def test_both_languages_give_the_same_commands() -> None:
    assert commands_in(CHINESE) == commands_in(ENGLISH)
    assert len(commands_in(ENGLISH)) > 15


@pytest.mark.parametrize("name", [ENGLISH, CHINESE])
def test_the_example_of_a_complaint_is_taken(name: str) -> None:
    [body] = re.findall(r"-d '(\{.*?\})'", text(name), re.S)
    assert models.ComplaintBody.model_validate(json.loads(body)).narrative
    assert f"--data-dir {demo.FOLDER}" in text(name)


def test_every_term_has_its_chinese() -> None:
    rows = [row.split("|") for row in text("docs/glossary.md").splitlines() if row.startswith("| ")]
    terms = {row[1].strip(): row[2] for row in rows if row[1].strip() not in ("term", "---")}
    assert len(terms) > 50
    assert {term for term, chinese in terms.items() if not HAN.search(chinese)} == set()
