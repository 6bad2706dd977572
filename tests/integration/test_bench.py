"""The benchmark runs and says what it measured in the form it promises; no time decides anything here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import measure
from bench.__main__ import GROUPS

ROOT = Path(__file__).resolve().parents[2]
ROWS = ("append-64", "append-64-plain", "verify", "deadline", "due")
KEYS = {"row", "what", "figure", "unit", "against", "against_what", "ratio", "floor", "holds", "reason"}
# Not less than promised to whoever chose this system for its speed.
FLOORS = {
    "append-64": 10.0,
    "append-64-plain": 1.0,
    "append-256": 1.2,
    "append-256-p99": 25.0,
    "append-1": 2.0,
    "append-4x16": 0.8,
    "append-grown": 0.75,
    "post": 0.75,
    "post-beside": 0.75,
    "post-alone": 0.75,
    "relay": 8.0,
    "lag-p50": 10.0,
    "lag-p99": 60.0,
    "replay": 1.0,
    "verify": 100_000.0,
    "decide": 50.0,
    "deadline": 100.0,
    "due": 30.0,
    "reaction-p50": 20.0,
    "reaction-p99": 150.0,
    "eight-steps": 1000.0,
    "simulate": 10.0,
    "memory": 120.0,
    "demo": 60.0,
}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_quick_run_gives_a_line_for_each_row(tmp_path: Path) -> None:
    written = tmp_path / "bench.json"
    command = [sys.executable, "-m", "bench", "--quick", "--rows", ",".join(ROWS), "--json", str(written)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert ran.returncode == 0, ran.stderr
    lines = json.loads(written.read_text())
    assert [line["row"] for line in lines] == list(ROWS)
    for line in lines:
        assert line.keys() >= KEYS
        assert line["figure"] > 0, line["reason"]
        assert line["holds"] == (line["ratio"] >= line["floor"])
        assert line["holds"] or line["reason"]
        assert line["row"] in ran.stdout
    assert "PostgreSQL 18" in ran.stdout


def test_no_row_asks_for_less_than_was_promised() -> None:
    rows = {row.name: row for group in GROUPS for row in group.rows}
    asked = {
        name: row.against * row.floor if isinstance(row.against, float) else row.floor
        for name, row in rows.items()
    }
    assert asked == FLOORS


def test_less_is_better_where_a_row_says_at_most() -> None:
    row = measure.Row("lag", "lag", "ms", "ours", 10.0, at_most=True)
    slow, fast = (measure.result(row, {"ours": [measure.Sample({"ms": ms})]}) for ms in (20.0, 5.0))
    assert (slow["ratio"], slow["holds"]) == (0.5, False)
    assert (fast["ratio"], fast["holds"]) == (2.0, True)


def test_a_row_that_misses_says_what_kept_the_cores_busy() -> None:
    row = measure.Row("rate", "rate", "events/s", "ours", "theirs", 2.0)
    samples = {
        "ours": [measure.Sample({"events/s": 100.0}, {"postgres": 0.9, "others": 0.1}, "half of it reading")],
        "theirs": [measure.Sample({"events/s": 90.0}, {"postgres": 0.5, "others": 0.1})],
    }
    line = measure.result(row, samples)
    assert not line["holds"]
    assert "postgres 0.90" in str(line["reason"])
    assert "half of it reading" in str(line["reason"])


def test_what_cannot_be_measured_is_a_line_too() -> None:
    line = measure.unmeasured(measure.Row("rate", "rate", "events/s", "ours", 1.0), RuntimeError("no disk"))
    assert not line["holds"]
    assert "no disk" in str(line["reason"])
