"""`redress policy` tells a person at a terminal what is wrong with a pack, and what changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import main
from tests.packs import STANDARD_TEXT, line_of, text_with

RUN = CliRunner()


@pytest.mark.rule("GOV-2")
def test_check_names_every_fault_of_every_file_and_fails(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(STANDARD_TEXT, "utf-8")
    text = text_with(("to: quality\n", "to: qualty\n"), ("led_by: incident-leader", "led_by: nobody"))
    wrong.write_text(text, "utf-8")
    result = RUN.invoke(main, ["policy", "check", str(wrong), str(right), str(tmp_path / "absent.yaml")])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{wrong}:{line_of(text, 'to: qualty')}: routing.3.to: there is no unit qualty",
        f"{wrong}:{line_of(text, 'led_by: nobody')}: "
        "thresholds.batch_incidents.led_by: there is no office nobody",
        f"{right}: standard@1 is in order, in effect from 2026-01-01",
        f"{tmp_path}/absent.yaml: No such file or directory",
    ]


def test_check_passes_shipped_packs_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(main, ["policy", "check", "standard"])
    assert (result.exit_code, result.stdout) == (
        0,
        "standard: standard@1 is in order, in effect from 2026-01-01\n",
    )


def test_check_reads_text_only(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\x00")
    result = RUN.invoke(main, ["policy", "check", str(tmp_path / "odd.yaml")])
    assert (result.exit_code, result.stdout) == (1, f"{tmp_path}/odd.yaml:1: this is no text in UTF-8\n")


def test_diff_says_what_changes(tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(text_with(("version: 1", "version: 2"), ("times_max: 1", "times_max: 2")), "utf-8")
    result = RUN.invoke(main, ["policy", "diff", "standard", str(new)])
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["version: 1 becomes 2", "thresholds › contests › times max: 1 becomes 2"],
    )
    assert RUN.invoke(main, ["policy", "diff", "standard", "standard"]).stdout == (
        "standard@1 and standard@1 say the same\n"
    )


def test_diff_refuses_a_wrong_pack(tmp_path: Path) -> None:
    result = RUN.invoke(main, ["policy", "diff", "standard", str(tmp_path / "absent.yaml")])
    assert result.exit_code == 1
    assert "absent.yaml: No such file" in result.stderr
