"""A policy pack is checked when it is read; what is wrong is named by file, line and reason."""

from datetime import timedelta
from pathlib import Path

import pytest

from libs.events.contracts.values import Detail
from libs.policy import pack

STANDARD = (pack.FOLDER / "standard.yaml").read_text("utf-8")


@pytest.mark.rule("SLA-1")
def test_the_standard_pack_answers_within_a_day_on_the_clock() -> None:
    assert pack.load("standard").first_reply.within == timedelta(hours=24)


@pytest.mark.rule("REC-2")
def test_the_standard_pack_needs_every_detail_of_a_quality_complaint() -> None:
    assert set(pack.load("standard").quality_complaint.required_details) == set(Detail)


def test_the_standard_pack_numbers_by_year() -> None:
    standard = pack.load("standard")
    assert standard.numbers.number(2026, 123) == "2026-000123"
    assert standard.reference == "standard@1"
    assert standard.duplicates.window == timedelta(days=3650)


@pytest.mark.parametrize(
    ("old", "new", "at", "reason"),
    [
        ("within_hours: 24", "within_hours: x", "within_hours", "first_reply.within_hours: Input should be"),
        ("within_hours: 24", "within_hours: 0", "within_hours", "first_reply.within_hours: Input should be"),
        ("clock: elapsed", "clok: elapsed", "first_reply:", "first_reply.clock: Field required"),
        ("version: 1", "version: 1\nversion: 2", "version: 2", "version is given twice"),
        ("version: 1", "version: {1: 2 3: 4", "version", "expected"),
        ("- quantity\n", "- colour\n", "colour", "quality_complaint.required_details.3: Input should be"),
        ("{count:06d}", "{count}", "format:", "numbers.format: String should match"),
        ("name: standard", "name: other", "name: other", "the pack calls itself other"),
    ],
)
def test_a_wrong_pack_says_file_line_and_reason(
    tmp_path: Path, old: str, new: str, at: str, reason: str
) -> None:
    assert old in STANDARD
    wrong = STANDARD.replace(old, new)
    (tmp_path / "standard.yaml").write_text(wrong, "utf-8")
    with pytest.raises(pack.WrongPack) as caught:
        pack.load("standard", tmp_path)
    line = next(number for number, text in enumerate(wrong.splitlines(), 1) if at in text)
    assert str(caught.value).startswith(f"{tmp_path}/standard.yaml:{line}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "a: b"])
def test_what_is_no_pack_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(pack.WrongPack, match=r"odd.yaml:1: "):
        pack.load("odd", tmp_path)


def test_a_pack_that_does_not_exist_is_named() -> None:
    with pytest.raises(pack.WrongPack, match=r"absent.yaml: there is no such policy pack"):
        pack.load("absent")
