"""How every module reads: it says what it is for, its names mean something, it hides no error."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source import EVERYTHING, PRODUCT, Function, Module, modules

EMPTY_WORDS = {"manager", "processor", "helper", "util", "common", "misc", "data", "info", "base"}
EMPTY_WORDS |= {f"{word}s" for word in EMPTY_WORDS}
# Terms in which one of these words has its meaning from elsewhere: privacy law, cryptography, a command line.
TERMS = ("data_dir", "data_key", "data_subject", "personal_data")

# Names that a protocol of the standard library gives to what implements it.
IMPOSED = {"data_received", "handle_data"}

# The loops that must outlive any fault: they log it, count it and begin again.
LOOPS = {
    "libs.events.consumer": "one bad message never stops the others",
    "libs.events.memory_bus": "as the consumer, whose ways it has",
    "libs.events.relay": "the bus is fed again after any fault",
    "libs.service.clock": "one deadline that cannot be passed never stops the others",
    "libs.service.background": "what runs beside requests is begun again after any fault",
}

SILENCED = re.compile(r"type: ignore|noqa")
REASONED = re.compile(r"(type: ignore\[[a-z, -]+\]|noqa: [A-Z0-9]+(, ?[A-Z0-9]+)*)[\s#:,—-]+\w+\s+\w+")

# What opens a connection. Services are given theirs by the service library, where a test can give another.
BUILDERS = {"create_async_engine", "create_engine", "create_pool", "AsyncClient"}

Find = Callable[[Module], Iterator[str]]


def undescribed(module: Module) -> Iterator[str]:
    first = (ast.get_docstring(module.tree) or "").split("\n\n")[0]
    if module.text and not re.search(r"\S[.。]$", first):
        yield f"{module.name} does not say in one sentence what it is for"


def not_empty(module: Module) -> Iterator[str]:
    """Importing a decision imports the packages above it, so they hold nothing."""
    if module.is_package and module.text:
        yield f"{module.name} has something in its __init__"


def meaningless(module: Module) -> Iterator[str]:
    """A word in the name of a module, class or function (tests are sentences); a whole name elsewhere."""
    if words(module.name.split(".")[-1]) & EMPTY_WORDS:
        yield f"{module.name}: its own name"
    for node in module.nodes:
        if isinstance(node, Function | ast.ClassDef):
            given = node.name in IMPOSED or node.name.startswith("test_")
            if words(node.name) & EMPTY_WORDS and not given:
                yield f"{module.name}:{node.lineno} {node.name}"
        elif isinstance(node, ast.arg) and node.arg in EMPTY_WORDS:
            yield f"{module.name}:{node.lineno} {node.arg}"
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in EMPTY_WORDS:
            yield f"{module.name}:{node.lineno} {node.id}"


def words(name: str) -> set[str]:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    for term in TERMS:
        snake = snake.replace(term, "")
    return set(snake.split("_"))


def blind(module: Module) -> Iterator[str]:
    """An except clause, or a suppress, that takes every error for an expected one and keeps it."""
    for node in module.nodes:
        if isinstance(node, ast.ExceptHandler):
            if (node.type is None or takes_everything(node.type)) and not raises_again(node):
                yield f"{module.name}:{node.lineno} excepts every error"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            if takes_everything(node):
                yield f"{module.name}:{node.lineno} suppresses every error"


def takes_everything(expression: ast.expr) -> bool:
    names = (node.id for node in ast.walk(expression) if isinstance(node, ast.Name))
    return not {"Exception", "BaseException"}.isdisjoint(names)


def raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def built(module: Module) -> Iterator[str]:
    """A connection to something real, made by hand."""
    for node in module.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BUILDERS:
            yield f"{module.name}:{node.lineno} builds its own adapter"


def unexplained(module: Module) -> Iterator[str]:
    """A silenced type or lint error with no reason in its line."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        silences = token.type == tokenize.COMMENT and SILENCED.search(token.string)
        if silences and not REASONED.search(token.string):
            yield f"{module.name}:{token.start[0]} {token.string}"


def found(find: Find, *folders: str, but: dict[str, str] | None = None) -> list[str]:
    return [fault for module in modules(*folders) if module.name not in (but or {}) for fault in find(module)]


def test_every_module_says_what_it_is_for() -> None:
    assert found(undescribed, *EVERYTHING) == []


def test_packages_are_empty() -> None:
    assert found(not_empty, *EVERYTHING) == []


def test_names_mean_something() -> None:
    assert found(meaningless, *EVERYTHING) == []


def test_no_error_is_hidden() -> None:
    assert found(blind, *PRODUCT, but=LOOPS) == []


def test_services_are_given_their_adapters() -> None:
    assert found(built, "services") == []


def test_what_is_silenced_has_a_reason() -> None:
    assert found(unexplained, *EVERYTHING) == []


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (undescribed, "import os\n"),
        (undescribed, '"""no full stop"""\n'),
        (meaningless, "class EventManager: ...\n"),
        (meaningless, "def helper_of(x): ...\n"),
        (meaningless, "def f(data): ...\n"),
        (meaningless, "for info in (): ...\n"),
        (blind, "try: ...\nexcept: ...\n"),
        (blind, "try: ...\nexcept Exception: ...\n"),
        (blind, "try: ...\nexcept (OSError, BaseException) as e: ...\n"),
        (blind, "try: ...\nexcept Exception as e:\n    if e: raise\n"),
        (blind, "with contextlib.suppress(Exception): ...\n"),
        (built, "engine = sa.create_async_engine(url)\n"),
        (unexplained, "x = 1  # type: ignore\n"),
        (unexplained, "x = 1  # type: ignore[misc]\n"),
        (unexplained, "x = 1  # noqa: S608\n"),
    ],
)
def test_a_fault_is_found(find: Find, text: str) -> None:
    assert len(list(find(Module("module", text)))) == 1


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (undescribed, '"""One sentence."""\n'),
        (undescribed, ""),
        (meaningless, "def erase(data_subject, base_url): ...\nclass DataSubject: ...\n"),
        (blind, "try: ...\nexcept OSError: ...\n"),
        (blind, "try: ...\nexcept BaseException:\n    stop()\n    raise\n"),
        (unexplained, "x = 1  # type: ignore[misc]  # the library has no types\n"),
        (unexplained, "x = 1  # noqa: S608 the name is a constant\n"),
    ],
)
def test_what_is_right_is_left_alone(find: Find, text: str) -> None:
    assert list(find(Module("module", text))) == []


def test_a_package_with_content_is_found() -> None:
    assert list(not_empty(Module("libs", '"""Hello."""\n', is_package=True)))
