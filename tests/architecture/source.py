"""The project's own source, as the tests of its architecture read it."""

import ast
import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("libs", "services", "deploy")
EVERYTHING = (*PRODUCT, "tests", "bench")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of Python; `name` is dotted, a package stands for its `__init__`."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @property
    def defines(self) -> set[str]:
        """The functions at its top level."""
        return {node.name for node in self.tree.body if isinstance(node, Function)}

    @property
    def functions(self) -> Iterator[Function]:
        return (node for node in self.nodes if isinstance(node, Function))


def modules(*folders: str) -> list[Module]:
    """Every module below these folders, a folder that is absent having none."""
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return [
        Module(dotted(file.relative_to(ROOT)), file.read_text("utf-8"), file.name == "__init__.py")
        for file in files
    ]


def dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def exists(module: str) -> bool:
    path = ROOT / module.replace(".", "/")
    return (path / "__init__.py").exists() or path.with_suffix(".py").exists()


@dataclass(frozen=True)
class Contract:
    """One import contract as it stands in `.importlinter`."""

    id: str
    options: dict[str, list[str]]

    @property
    def name(self) -> str:
        return self.options["name"][0]

    @property
    def layers(self) -> list[list[str]]:
        """Names in each layer, highest first, brackets kept."""
        return [[name.strip() for name in layer.split("|")] for layer in self.options["layers"]]


def contracts(text: str) -> dict[str, Contract]:
    """Contracts by id."""
    config = configparser.ConfigParser()
    config.read_string(text)
    found = {}
    for section in config.sections():
        if section.startswith("importlinter:contract:"):
            id = section.removeprefix("importlinter:contract:")
            found[id] = Contract(
                id, {key: value.strip().split("\n") for key, value in config[section].items()}
            )
    return found


CONTRACTS_TEXT = (ROOT / ".importlinter").read_text("utf-8")
CONTRACTS = contracts(CONTRACTS_TEXT)
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/__init__.py"))
