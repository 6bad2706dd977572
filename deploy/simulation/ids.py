"""Ids by a seed: in a simulation the same seed gives the same history, id for id."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

import uuid_utils.compat as uuids

_VERSION: Final = 7 << 76
_VARIANT: Final = 2 << 62


@contextlib.contextmanager
def by_chance(chance: random.Random, now: Callable[[], datetime]) -> Iterator[None]:
    """While the block runs, everything in this process that asks for a UUIDv7 gets one of these."""
    before = uuids.uuid7

    def uuid7(*, nanoseconds: int | None = None) -> UUID:
        """RFC 9562, 5.7: 48 bits of milliseconds, then chance."""
        moment = int(now().timestamp() * 1000) if nanoseconds is None else nanoseconds // 1_000_000
        return UUID(
            int=moment << 80 | _VERSION | chance.getrandbits(12) << 64 | _VARIANT | chance.getrandbits(62)
        )

    uuids.uuid7 = uuid7
    try:
        yield
    finally:
        uuids.uuid7 = before
