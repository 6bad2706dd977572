"""Keeps out of a service's memory what libraries load only because it happens to be installed."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator
from typing import Any, Final, cast

# Python's own, (700, 10, 10), looks through a page of decoded events dozens of times while it is made. All is
# looked through after 150,000 more objects have been made than dropped: some 20 MB at most.
COLLECT_AFTER: Final = (10_000, 5, 3)


@contextlib.contextmanager
def without(*packages: str) -> Iterator[None]:
    """Inside the block those packages look as if they were not installed, unless they are loaded already."""
    hidden = [package for package in packages if package not in sys.modules]
    modules = cast(dict[str, Any], sys.modules)  # None for "not there" is the import system's own way
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for package in hidden:
            del modules[package]


def settle() -> None:
    """Once all is loaded: drop what loading left behind, never look there again, and seldom elsewhere."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
