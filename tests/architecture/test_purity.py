"""Importing a decision loads no driver, and no decision reads a clock or draws an id."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import CONTRACTS, PRODUCT, ROOT, Module, modules

DRIVERS = ("alembic", "asyncpg", "fastapi", "httpx", "nats", "sqlalchemy", "starlette", "uvicorn")
# What a decision must be told on its command; `now` of anything is a clock.
UNTOLD = ("now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7")

# One interpreter suffices: as long as no module loads a driver, each finds the same clean interpreter.
FIRST_DRIVER_LOADED = """
import importlib, sys
drivers, *names = sys.argv[1:]
for name in names:
    importlib.import_module(name)
    if loaded := set(drivers.split(",")) & sys.modules.keys():
        sys.exit(f"{name} loads {', '.join(sorted(loaded))}")
"""


def pure(contract: str) -> list[Module]:
    """The modules that a contract keeps pure, with everything below them."""
    sources = CONTRACTS[contract].options["source_modules"]
    return [
        module
        for module in modules(*PRODUCT)
        if any(f"{module.name}.".startswith(f"{source}.") for source in sources)
    ]


def load(folder: Path, *names: str) -> str:
    """What the interpreter says about the first module that loads a driver; empty when none does."""
    command = [sys.executable, "-c", FIRST_DRIVER_LOADED, ",".join(DRIVERS), *names]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30).stderr


def calls(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).split(".")[-1]
            if name in UNTOLD:
                yield f"{module.name}:{node.lineno} calls {name}"


@pytest.mark.parametrize("contract", ["decisions", "interface"])
def test_no_driver_is_loaded(contract: str) -> None:
    assert load(ROOT, *(module.name for module in pure(contract))) == ""


def test_a_loaded_driver_is_found(tmp_path: Path) -> None:
    (tmp_path / "impure.py").write_text("import importlib\nimportlib.import_module('asyncpg')\n")
    assert load(tmp_path, "json", "impure", "re") == "impure loads asyncpg\n"


def test_decisions_are_told_time_and_ids() -> None:
    assert [call for module in pure("decisions") for call in calls(module)] == []


@pytest.mark.parametrize("call", ["datetime.now(UTC)", "date.today()", "uuid.uuid4()", "uuid7()"])
def test_a_clock_or_an_id_generator_is_found(call: str) -> None:
    assert len(list(calls(Module("step", f"def decide(command):\n    return {call}\n")))) == 1
