"""What is logged while a command of `redress` runs."""

import io
import sys

import pytest
import structlog

from deploy import quiet


def test_errors_go_to_the_standard_error_of_the_moment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as while_the_command_runs:
        passing = io.StringIO()
        while_the_command_runs.setattr(sys, "stderr", passing)
        quiet.quietly()
    passing.close()

    structlog.get_logger().error("afterwards")
    structlog.get_logger().warning("no error")

    shown = capsys.readouterr()
    assert ("afterwards" in shown.err, "no error" in shown.err, shown.out) == (True, False, "")
