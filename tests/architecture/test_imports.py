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

# Contract, the module that is given a forbidden import (made where it is absent), and the import.
VIOLATIONS = [
    ("direction", "libs.events.errors", "services.intake"),
    ("direction", "services.intake.api", "deploy.local"),
    ("libraries", "libs.events.errors", "libs.policy"),
    ("libraries", "libs.policy.pack", "libs.service"),
    ("services", "services.investigation.reactions", "services.intake.state"),
    ("services", "services.intake.reactions", "services.investigation"),
    ("intake", "services.intake.state", "services.intake.record"),
    ("intake", "services.intake.record", "services.intake.amend"),
    ("intake", "services.intake.record", "services.intake.views"),
    ("intake", "services.intake.views", "services.intake.api"),
    ("intake", "services.intake.reactions", "services.intake.api"),
    ("decisions", "libs.events.contracts", "asyncpg"),
    ("decisions", "libs.policy.pack", "time"),
    ("interface", "libs.events.decider", "libs.events.log"),
    ("interface", "libs.events.memory", "sqlalchemy"),
    ("adapters", "services.intake.app", "libs.events.log"),
    ("drivers", "services.intake.views", "asyncpg"),
]


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


@pytest.mark.parametrize(("contract", "importer", "imported"), VIOLATIONS)
def test_a_forbidden_import_breaks_its_contract(
    copy: Path, contract: str, importer: str, imported: str
) -> None:
    if imported.split(".")[0] in PRODUCT:
        write_import(copy, imported, "typing")
    write_import(copy, importer, imported)
    result = lint(copy, contract)
    assert result.returncode == 1
    assert f"{CONTRACTS[contract].name} BROKEN" in result.stdout
    assert f"{importer} -> {imported} (l." in result.stdout


def test_every_decision_is_kept_pure(copy: Path) -> None:
    decisions = CONTRACTS["decisions"].options["source_modules"]
    for module in decisions:
        write_import(copy, module, "asyncpg")
    output = lint(copy, "decisions").stdout
    assert [
        module for module in decisions if f"{module} is not allowed to import asyncpg" not in output
    ] == []


@pytest.mark.parametrize("module", ["libs.newcomer", "services.newcomer", "services.intake.newcomer"])
def test_a_module_that_no_contract_lists_is_reported(copy: Path, module: str) -> None:
    write_import(copy, module, "typing")
    result = lint(copy)
    assert result.returncode == 1
    assert f"- {module}" in result.stdout


def test_every_contract_has_a_violation_that_breaks_it() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == CONTRACTS.keys()


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
    """What stands below a service's views: its steps and its state."""
    layers = [[name.strip("()") for name in layer] for layer in CONTRACTS[service].layers]
    views = next(place for place, layer in enumerate(layers) if "views" in layer)
    below = {f"services.{service}.{name}" for layer in layers[views + 1 :] for name in layer}
    return {module for module in below if exists(module)}
