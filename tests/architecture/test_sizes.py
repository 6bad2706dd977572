"""Files, functions and steps stay small enough to be read, and every exception has a reason."""

from collections.abc import Iterator

import pytest

from tests.architecture.source import EVERYTHING, Module, modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50

# Module, or module:function, to the reason why it may be longer. A name that needs no exception is refused.
EXCEPTIONS: dict[str, str] = {}


def too_long(module: Module) -> Iterator[str]:
    if (lines := len(module.text.splitlines())) > FILE_LINES_MAX:
        yield f"{module.name} has {lines} lines"
    for function in module.functions:
        assert function.end_lineno is not None
        if (lines := function.end_lineno - function.lineno + 1) > FUNCTION_LINES_MAX:
            yield f"{module.name}:{function.name} has {lines} lines"


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
        ("class C:\n    async def f(self):\n" + "        g()\n" * 50, ["long:f has 51 lines"]),
    ],
)
def test_one_line_too_many_is_found(text: str, expected: list[str]) -> None:
    assert list(too_long(Module("long", text))) == expected
