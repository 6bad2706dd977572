"""The mark that ties a test to a rule refuses what is no rule, and `make rules` lists rules against tests."""

import json

import pytest

TESTS = """
import pytest

@pytest.mark.rule("REC-10", "REC-2")
@pytest.mark.parametrize("n", [1, 2])
def test_two(n): pass

@pytest.mark.rule("REC-2")
def test_one(): raise AssertionError("only listed, never run")
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
        ["REC-1      -  Nobody*", "REC-2      2  Second.", "REC-10     1  Tenth.", "2 of 3 rules have a test"]
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
