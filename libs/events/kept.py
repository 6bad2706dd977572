"""What was folded a moment ago is kept, so that the next look reads only what is new."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from libs.events.keys import CACHE_SECONDS_MAX, KeyRing

T = TypeVar("T")
KEPT_MAX: Final = 192  # a case in full is 10 to 20 KB


class Kept(Generic[T]):
    """A bounded number of values by log and key; whoever is used least goes first.

    What was decrypted is in them, so they live no longer than the keys at hand: no value outlasts
    CACHE_SECONDS_MAX, and when the ring forgets any key, all are dropped (SEC-2), those too that are being
    read at that moment. Values must be immutable.
    """

    def __init__(self, keys: KeyRing, kept_max: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._kept_max = kept_max
        self._monotonic = monotonic
        self._forgotten = keys.forgotten
        self._values: OrderedDict[tuple[str, Hashable], tuple[float, T]] = OrderedDict()

    def get(self, log: str, key: Hashable) -> T | None:
        """The value, if it is still kept."""
        self._drop_with_keys()
        found = self._values.get((log, key))
        if found is None:
            return None
        until, value = found
        if until < self._monotonic():
            del self._values[log, key]
            return None
        self._values.move_to_end((log, key))
        return value

    def put(self, log: str, key: Hashable, value: T, as_of: int) -> None:
        """Keep a value; one that grows out of another lives no longer than that.

        `as_of`: what the ring's `forgotten` was before anything of the value was got or read.
        """
        self._drop_with_keys()
        if as_of != self._forgotten:
            return
        before = self._values.pop((log, key), None)
        until = before[0] if before else self._monotonic() + CACHE_SECONDS_MAX
        self._values[log, key] = until, value
        if len(self._values) > self._kept_max:
            self._values.popitem(last=False)

    def drop(self, log: str, key: Hashable) -> None:
        """Keep it no longer."""
        self._values.pop((log, key), None)

    def _drop_with_keys(self) -> None:
        if self._forgotten != self._keys.forgotten:
            self._values.clear()
            self._forgotten = self._keys.forgotten
