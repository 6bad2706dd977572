"""The mark that ties a test to rules, `@pytest.mark.rule("REC-1")`, and the table `make rules` prints."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

RULE_ID = re.compile(r"[A-Z]+-[1-9][0-9]*")
# What this release keeps, by family: the first and the last number. None of them may be without a test.
KEPT = {
    "REC": [(1, 10)],
    "CLS": [(1, 7)],
    "ASG": [(1, 7)],
    "INV": [(1, 8)],
    "PRO": [(1, 7)],
    "NTF": [(1, 6)],
    "PEN": [(1, 6)],
    "IMP": [(1, 3)],
    "SLA": [(1, 4), (9, 9)],
    "AUD": [(1, 4)],
    "SEC": [(1, 2)],
    "GOV": [(1, 2)],
    "LAW": [(1, 1)],
}
RULE_LINE = re.compile(rf"^- ({RULE_ID.pattern}) (.*)", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rules", metavar="FILE", help="run nothing; print the rules of FILE against tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    return True if session.config.option.rules else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    named = [(item.nodeid, rule) for item in items for rule in marks(item)]
    if mistakes := [f"{test}: {rule!r}" for test, rule in named if not is_rule(rule)]:
        raise pytest.UsageError("not the id of a rule:\n" + "\n".join(mistakes))


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    if not config.option.rules:
        return []
    rules = read_rulebook(Path(config.option.rules))
    tests = tests_by_rule(items)
    write(tests | {rule: tests.get(rule, []) for rule in rules}, config.rootpath / "build" / "rules.json")
    if not rules:
        return [f"THERE IS NO RULEBOOK AT {config.option.rules}: only what tests name", *table(tests, {})]
    if unknown := sorted(tests.keys() - rules.keys(), key=in_order):
        raise pytest.UsageError(f"tests name rules that the rulebook does not have: {', '.join(unknown)}")
    return table(tests, rules)


def marks(item: pytest.Item) -> list[object]:
    """The rules one test is marked with, as written; a mark without any stands for itself."""
    return [rule for mark in item.iter_markers("rule") for rule in mark.args or (mark,)]


def is_rule(rule: object) -> bool:
    return isinstance(rule, str) and RULE_ID.fullmatch(rule) is not None


def in_order(rule: str) -> tuple[str, int]:
    """REC-9 comes before REC-10."""
    family, number = rule.split("-")
    return family, int(number)


def kept() -> list[str]:
    """The rules of KEPT, one by one."""
    return [
        f"{family}-{number}"
        for family, spans in KEPT.items()
        for first, last in spans
        for number in range(first, last + 1)
    ]


def read_rulebook(path: Path) -> dict[str, str]:
    """Rule id to its text, in the rulebook's order; nothing where the file is absent."""
    return dict(RULE_LINE.findall(path.read_text("utf-8"))) if path.exists() else {}


def tests_by_rule(items: Iterable[pytest.Item]) -> dict[str, list[str]]:
    """Rule id to the ids of the tests marked with it; the cases of one parametrised test count once."""
    pairs = sorted({(str(rule), item.nodeid.partition("[")[0]) for item in items for rule in marks(item)})
    tests: dict[str, list[str]] = {}
    for rule, test in pairs:
        tests.setdefault(rule, []).append(test)
    return tests


def table(tests: Mapping[str, Sequence[str]], rules: Mapping[str, str]) -> list[str]:
    """One line a rule with the number of its tests, the tests below it, and a summary with those without."""
    lines = []
    for rule in rules or sorted(tests, key=in_order):
        lines.append(f"{rule:8} {len(tests.get(rule, [])) or '-':>3}  {rules.get(rule, '')[:90]}".rstrip())
        lines += [f"{'':14}{test}" for test in tests.get(rule, [])]
    of_all = f" of {len(rules)}" if rules else ""
    without = [rule for rule in rules or kept() if rule not in tests]
    owed = [rule for rule in without if rule in kept()]
    named = [f"without one: {', '.join(without)}"] if without else []
    named += [f"THESE MUST HAVE ONE: {', '.join(owed)}"] if owed else []
    return [*lines, "", f"{len(tests)}{of_all} rules have a test", *named]


def write(tests: Mapping[str, Sequence[str]], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({rule: tests[rule] for rule in sorted(tests, key=in_order)}, indent=2) + "\n")
