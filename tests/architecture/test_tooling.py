"""A newcomer's first commands: make lists its targets, locks are whole, no file names a package index."""

import re
import subprocess
import tomllib

import pytest

from tests.architecture.source import ROOT

TARGETS = {
    "setup",
    "demo",
    "test",
    "test-slow",
    "check",
    "bench",
    "rules",
    "up",
    "down",
    "fmt",
    "clean",
    "lock",
}
# Where packages come from is the machine's affair. The brackets keep this file from naming an index itself.
INDEX = re.compile(r"pypi[.]org|python[h]osted|npmjs[.]org|index[-_]url|find[-_]links")
HASHED = re.compile(
    r"^(?P<name>[a-z0-9-]+)==[^\s;]+(?: ; [^\\]+)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", re.M
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    ).stdout.split("\n")


def test_make_lists_its_targets() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30).stdout
    assert set(re.findall(r"make ([a-z-]+)  ", shown)) >= TARGETS


def test_continuous_integration_runs_every_test_and_the_slow_ones_last() -> None:
    run = ROOT / ".ci" / "run"
    assert run.stat().st_mode & 0o111
    assert re.findall(r"make [a-z-]+", run.read_text()) == ["make test", "make test-slow"]
    marks = re.findall(r'-m "?(not slow|slow)"? \$\(ARGS\)', (ROOT / "Makefile").read_text())
    assert marks == ["not slow", "slow"]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-runtime.lock"])
def test_a_lock_holds_what_the_project_names_each_with_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text()
    wanted = list(PROJECT["project"]["dependencies"])
    if lock == "requirements.lock":
        wanted += PROJECT["dependency-groups"]["dev"] + PROJECT["project"]["optional-dependencies"]["local"]
    hashed = {match["name"] for match in HASHED.finditer(text)}
    assert {name for line in wanted for name in re.findall(r"^[a-z0-9-]+", line)} <= hashed
    assert hashed == set(re.findall(r"^([^\s#=]+)==", text, re.M))


def test_both_locks_agree() -> None:
    everything, runtime = (
        set(re.findall(r"^\S+==.*", (ROOT / lock).read_text(), re.M))
        for lock in ("requirements.lock", "requirements-runtime.lock")
    )
    assert runtime <= everything


def test_no_file_names_a_package_index() -> None:
    texts = {name: (ROOT / name).read_bytes() for name in tracked() if (ROOT / name).is_file()}
    assert [name for name, text in texts.items() if INDEX.search(text.decode("utf-8", "replace"))] == []
    assert "uv.lock" not in texts


@pytest.mark.parametrize("words", [("--index", "url"), ("--extra-index", "url"), ("find", "links")])
def test_a_package_index_is_found(words: tuple[str, str]) -> None:
    assert INDEX.search("-".join(words))
