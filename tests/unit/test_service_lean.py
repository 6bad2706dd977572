"""A service's process holds what it uses, and little besides."""

import subprocess
import sys

import pytest

from libs.service import lean

LOADED = "import sys, libs.service.run, services.intake.app; print(*sys.modules)"


def test_a_service_loads_nothing_that_it_has_no_use_for() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(ran.stdout.split())
    assert "structlog" in loaded
    assert loaded.isdisjoint({"rich", "rich.console", "pygments", "typer", "aiohttp"})


def test_what_is_hidden_is_there_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with lean.without("colorsys"), pytest.raises(ImportError):
        import colorsys
    import colorsys

    with lean.without("colorsys"):  # loaded already: it stays
        assert sys.modules["colorsys"] is colorsys
