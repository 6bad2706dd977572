"""The mark that ties a test to a rule refuses what is no rule; every rule we keep has tests, honest ones."""

import ast
import json
from collections.abc import Iterator

import pytest

from tests import rules
from tests.architecture.source import PRODUCT, Function, Module, modules

TESTS = """
import pytest

@pytest.mark.rule("REC-10", "REC-2")
@pytest.mark.parametrize("n", [1, 2])
def test_two(n): pass

@pytest.mark.rule("REC-2")
def test_one(): raise AssertionError("only listed, never run")
"""
PRIVATE = """
from services.intake import state as known
from services.intake.state import _amended
from tests.unit import _aside

@pytest.mark.rule("REC-6")
def test_marked(): {marked}

def test_not_marked(): assert known._recorded and _amended and known.opened
"""
RULEBOOK = "# Rules\n- REC-1 Nobody has tested it.\n- REC-2 Second.\n- REC-10 Tenth.\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\naddopts = -p tests.rules -p no:asyncio\nmarkers = rule: ids\n")
    pytester.makefile(".md", rulebook=RULEBOOK)
    return pytester


def test_every_rule_is_listed_with_its_tests(project: pytest.Pytester) -> None:
    project.makepyfile(test_sample=TESTS)
    result = project.runpytest_inprocess("-q", "--rules=rulebook.md")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "REC-1      -  Nobody*",
            "REC-2      2  Second.",
            "REC-10     1  Tenth.",
            "2 of 3 rules have a test",
            "without one: REC-1",
            "THESE MUST HAVE ONE: REC-1",
        ]
    )
    assert json.loads((project.path / "build" / "rules.json").read_text()) == {
        "REC-1": [],
        "REC-2": ["test_sample.py::test_one", "test_sample.py::test_two"],
        "REC-10": ["test_sample.py::test_two"],
    }


def test_a_missing_rulebook_is_said_aloud(project: pytest.Pytester) -> None:
    project.makepyfile(test_sample=TESTS)
    result = project.runpytest_inprocess("-q", "--rules=absent.md")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["THERE IS NO RULEBOOK AT absent.md*", "2 rules have a test"])


def test_a_rule_the_rulebook_does_not_have_is_refused(project: pytest.Pytester) -> None:
    project.makepyfile(test_sample=TESTS.replace("REC-10", "REC-11"))
    result = project.runpytest_inprocess("-q", "--rules=rulebook.md")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*rulebook does not have: REC-11"])


@pytest.mark.parametrize("mark", ['"REC1"', '"rec-1"', "1", ""])
def test_what_is_no_rule_is_refused(project: pytest.Pytester, mark: str) -> None:
    project.makepyfile(test_sample=TESTS.replace('"REC-10", "REC-2"', mark))
    result = project.runpytest_inprocess("-q")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*not the id of a rule:*"])


def ruled(module: Module) -> Iterator[tuple[Function, list[object]]]:
    """The tests that are marked with rules where they stand, and those rules as written."""
    for function in module.functions:
        for mark in function.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) in ("rule", "pytest.mark.rule"):
                yield function, [ast.literal_eval(argument) for argument in mark.args]


def peeks(module: Module) -> Iterator[str]:
    """Where a test that is marked with a rule reaches for what the product keeps to itself."""
    imported = [
        (name.asname or name.name, name.name)
        for node in module.nodes
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in PRODUCT
        for name in node.names
    ]
    ours, hidden = {name for name, _ in imported}, {name for name, of in imported if of.startswith("_")}
    for function, _ in ruled(module):
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in hidden:
                yield f"{module.name}:{function.name} uses {node.id}"
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and of_product(node, ours):
                yield f"{module.name}:{function.name} uses {ast.unparse(node)}"


def of_product(node: ast.Attribute, names: set[str]) -> bool:
    """Whether it is an attribute of something imported from the product."""
    return ast.unparse(node).partition(".")[0] in names


def test_every_rule_that_is_kept_has_a_test() -> None:
    """By the source alone; `make rules` asks pytest itself."""
    tested = {rule for module in modules("tests") for _, named in ruled(module) for rule in named}
    assert [rule for rule in rules.kept() if rule not in tested] == []


def test_tests_of_rules_go_through_the_front_door() -> None:
    assert [peek for module in modules("tests") for peek in peeks(module)] == []


@pytest.mark.parametrize(
    ("marked", "found"),
    [
        ("assert known._recorded", ["sample:test_marked uses known._recorded"]),
        ("assert known.opened.x._y", ["sample:test_marked uses known.opened.x._y"]),
        ("assert _amended(1)", ["sample:test_marked uses _amended"]),
        ("assert known.opened and _aside and self._own", []),
    ],
)
def test_a_back_door_would_be_found(marked: str, found: list[str]) -> None:
    assert list(peeks(Module("sample", PRIVATE.format(marked=marked)))) == found
