"""Files, functions and steps stay small enough to be read, and every exception has a reason."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import EVERYTHING, Function, Module, modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
STEP_LINES_MAX = 150
STEPS = {module.name for module in modules("services") if "decide" in module.defines}

# Module, or module:function, to the reason why it may be longer. A name that needs no exception is refused.
EXCEPTIONS = {
    "services.intake.migrations.intake_0001:upgrade": "one table after another; nothing to name in between",
}


def too_long(module: Module) -> Iterator[str]:
    if (lines := len(module.text.splitlines())) > file_lines_max(module):
        yield f"{module.name} has {lines} lines"
    for function in module.functions:
        if (lines := lines_of(function)) > FUNCTION_LINES_MAX:
            yield f"{module.name}:{function.name} has {lines} lines"


def file_lines_max(module: Module) -> int:
    return STEP_LINES_MAX if module.name in STEPS else FILE_LINES_MAX


def lines_of(function: Function) -> int:
    """From `def` to the end, without the docstring: to explain more must cost nothing."""
    lines = last_line(function) - function.lineno + 1
    first = function.body[0]
    return lines - (last_line(first) - first.lineno + 1) if ast.get_docstring(function) else lines


def last_line(node: ast.stmt) -> int:
    assert node.end_lineno is not None, "the parser gives every statement its end"
    return node.end_lineno


def test_files_and_functions_are_short() -> None:
    found = {line.split()[0]: line for module in modules(*EVERYTHING) for line in too_long(module)}
    assert [line for place, line in found.items() if place not in EXCEPTIONS] == []
    assert [place for place in EXCEPTIONS if place not in found] == [], "exceptions nobody needs any more"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n" * 400, []),
        ("\n" * 401, ["long has 401 lines"]),
        ("def f():\n" + "    g()\n" * 49, []),
        ("def f():\n" + "    g()\n" * 50, ["long:f has 51 lines"]),
        ('def f():\n    """Long\n\n    story."""\n' + "    g()\n" * 49, []),
        ('def f():\n    """Long\n\n    story."""\n' + "    g()\n" * 50, ["long:f has 51 lines"]),
        ("class C:\n    async def f(self):\n" + "        g()\n" * 50, ["long:f has 51 lines"]),
    ],
)
def test_one_line_too_many_is_found(text: str, expected: list[str]) -> None:
    assert list(too_long(Module("long", text))) == expected


def test_a_step_is_held_to_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.STEPS", {"step"})
    assert list(too_long(Module("step", "\n" * 150))) == []
    assert list(too_long(Module("step", "\n" * 151))) == ["step has 151 lines"]
