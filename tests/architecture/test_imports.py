"""Every import contract names what exists, covers what exists, and can be broken."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import (
    CONTRACTS,
    CONTRACTS_TEXT,
    PRODUCT,
    ROOT,
    SERVICES,
    Contract,
    contracts,
    exists,
    modules,
)

# Contract to imports it forbids: the module given one (made where it is absent), and what it imports.
VIOLATIONS = {
    "direction": [
        ("libs.events.errors", "services.intake"),
        ("services.intake.api", "deploy.local"),
    ],
    "libraries": [
        ("libs.events.errors", "libs.policy"),
        ("libs.policy.pack", "libs.service"),
    ],
    "services": [
        ("services.investigation.reactions", "services.intake.state"),
        ("services.intake.reactions", "services.investigation.reactions"),
    ],
    "intake": [
        ("services.intake.state", "services.intake.record"),
        ("services.intake.handling", "services.intake.state"),
        ("services.intake.record", "services.intake.amend"),
        ("services.intake.assign", "services.intake.classify"),
        ("services.intake.reassign", "services.intake.plan"),
        ("services.intake.grouping", "services.intake.reactions"),
        ("services.intake.record", "services.intake.views"),
        ("services.intake.views", "services.intake.api"),
        ("services.intake.reactions", "services.intake.api"),
    ],
    "investigation": [
        ("services.investigation.state", "services.investigation.finding"),
        ("services.investigation.finding", "services.investigation.evidence"),
        ("services.investigation.join", "services.investigation.history"),
        ("services.investigation.views", "services.investigation.desk"),
        ("services.investigation.reactions", "services.investigation.api"),
    ],
    "notifier": [
        ("services.notifier.state", "services.notifier.deliver"),
        ("services.notifier.deliver", "services.notifier.notify"),
        ("services.notifier.reply", "services.notifier.views"),
    ],
    "oversight": [
        ("services.oversight.state", "services.oversight.publish"),
        ("services.oversight.publish", "services.oversight.api"),
        ("services.oversight.models", "services.oversight.api"),
    ],
    "resolution": [
        ("services.resolution.state", "services.resolution.propose"),
        ("services.resolution.propose", "services.resolution.approve"),
        ("services.resolution.owed", "services.resolution.overdue"),
        ("services.resolution.history", "services.resolution.outcome"),
        ("services.resolution.views", "services.resolution.desk"),
        ("services.resolution.reactions", "services.resolution.proposing"),
    ],
    "decisions": [
        ("libs.policy.pack", "time"),
        ("services.intake.record", "libs.service"),
        ("services.intake.plan", "sqlalchemy"),
    ],
    "interface": [
        ("libs.events.decider", "libs.events.log"),
        ("libs.events.memory", "sqlalchemy"),
    ],
    "adapters": [("services.intake.app", "libs.events.log")],
    "drivers": [("services.intake.views", "asyncpg")],
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PRODUCT:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def lint(folder: Path, *contract: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    chosen = [argument for id in contract for argument in ("--contract", id)]
    return subprocess.run(
        [command, "--no-cache", "--no-logo", *chosen],
        cwd=folder,
        env=os.environ | {"COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=30,
    )


def write_import(folder: Path, importer: str, imported: str) -> None:
    path = folder / importer.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.parent.exists():
        file.parent.mkdir()
        (file.parent / "__init__.py").touch()
    with file.open("a") as source:
        source.write(f"\nimport {imported}\n")


def test_an_untouched_copy_keeps_every_contract(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("contract", CONTRACTS)
def test_forbidden_imports_break_their_contract(copy: Path, contract: str) -> None:
    for importer, imported in VIOLATIONS[contract]:
        if imported.split(".")[0] in PRODUCT:
            write_import(copy, imported, "typing")
        write_import(copy, importer, imported)
    result = lint(copy, contract)
    assert result.returncode == 1
    assert f"{CONTRACTS[contract].name} BROKEN" in result.stdout
    for importer, imported in VIOLATIONS[contract]:
        assert f"{importer} -> {imported} (l." in result.stdout


def test_every_decision_is_kept_pure(copy: Path) -> None:
    decisions = CONTRACTS["decisions"].options["source_modules"]
    for module in decisions:
        write_import(copy, module, "asyncpg")
    output = lint(copy, "decisions").stdout
    assert [
        module for module in decisions if f"{module} is not allowed to import asyncpg" not in output
    ] == []


def test_modules_that_no_contract_lists_are_reported(copy: Path) -> None:
    newcomers = ["libs.newcomer", "services.newcomer", "services.intake.newcomer"]
    for module in newcomers:
        write_import(copy, module, "typing")
    result = lint(copy)
    assert result.returncode == 1
    assert [module for module in newcomers if f"- {module}\n" not in result.stdout] == []


def test_contracts_name_what_exists() -> None:
    assert [mistake for contract in CONTRACTS.values() for mistake in mistakes(contract)] == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("libs.policy", "libs.polcy"), ("fastapi", "fastpi"), ("libs.events.log", "libs.*.log")],
)
def test_a_mistyped_name_is_found(right: str, wrong: str) -> None:
    mistyped = contracts(CONTRACTS_TEXT.replace(f"    {right}\n", f"    {wrong}\n"))
    found = [mistake for contract in mistyped.values() for mistake in mistakes(contract)]
    assert any(mistake.endswith(f": {wrong}") for mistake in found)


def test_every_service_has_a_contract_and_its_decisions_are_pure() -> None:
    for service in SERVICES:
        assert CONTRACTS[service].options["containers"] == [f"services.{service}"]
        assert decisions_of(service) <= set(CONTRACTS["decisions"].options["source_modules"])


def test_every_part_of_the_engine_is_pure_or_an_interface_or_an_adapter() -> None:
    lists = [
        ("decisions", "source_modules"),
        ("interface", "source_modules"),
        ("adapters", "protected_modules"),
    ]
    listed = [module for contract, key in lists for module in CONTRACTS[contract].options[key]]
    parts = {".".join(module.name.split(".")[:3]) for module in modules("libs/events")} - {"libs.events"}
    assert sorted(parts) == sorted(module for module in listed if module.startswith("libs.events."))


def mistakes(contract: Contract) -> list[str]:
    """Names that stand for nothing, or for more than one thing."""
    return [f"{contract.id}: {name}" for name in names(contract) if not known(name)]


def names(contract: Contract) -> list[str]:
    keys = ("containers", "source_modules", "forbidden_modules", "protected_modules", "allowed_importers")
    listed = [name for key in keys for name in contract.options.get(key, [])]
    if contract.options["type"] == ["layers"]:
        container = "".join(f"{name}." for name in contract.options.get("containers", []))
        written = [name for layer in contract.layers for name in layer if not name.startswith("(")]
        listed += [container + name for name in written]
    return listed


def known(name: str) -> bool:
    if name.split(".")[0] in PRODUCT:
        return exists(name)
    return importlib.util.find_spec(name) is not None


def decisions_of(service: str) -> set[str]:
    """What stands in a service's two lowest layers, and whatever decides or folds, wherever it stands."""
    lowest = {
        f"services.{service}.{name.strip('()')}" for layer in CONTRACTS[service].layers[-2:] for name in layer
    }
    deciding = {
        module.name for module in modules(f"services/{service}") if module.defines & {"decide", "evolve"}
    }
    return {module for module in lowest if exists(module)} | deciding
