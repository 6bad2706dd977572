"""What the checks share: what they find, and the two findings that come back everywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal

from libs.policy.document import Path

Wrong = Iterator[tuple[Path, str]]


def named(given: Iterable[str], known: Collection[str], what: str, path: Path) -> Wrong:
    """Each of `given` is known; `path` leads to the list of them."""
    for index, name in enumerate(given):
        if name not in known:
            yield (*path, index), f"there is no {what} {name}"


def brackets(limits: Iterable[Decimal | None], name: str, path: Path) -> Wrong:
    """Limits rise, and the last bracket has none: no amount falls into two brackets, or into none."""
    before: Decimal | None = Decimal(-1)
    for index, limit in enumerate(limits):
        if before is None:
            yield (*path, index), "overlaps the bracket before, which has no limit"
        elif limit is not None and limit <= before:
            yield (*path, index, name), f"{name} {limit} overlaps the bracket before, which goes to {before}"
        before = limit
    if before is not None:
        yield path, f"nothing is said about amounts above {before}: the last bracket has no {name}"
