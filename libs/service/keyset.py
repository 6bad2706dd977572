"""The keys that sign tokens (RFC 7517): in a file, or at an address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import jwt

from libs.events import errors

FILE_CHECK_SECONDS: Final = 1.0
FETCH_SECONDS_MAX: Final = 1.5
KEYS_SECONDS_MAX: Final = 300.0
UNKNOWN_KEY_PAUSE_SECONDS: Final = 10.0


class KeySet(Protocol):
    """Where the keys are that sign tokens."""

    async def key(self, token: str, key_id: str) -> jwt.PyJWK | None:
        """The key of that id, None where there is none; Unavailable when the keys cannot be had."""
        ...

    def changed(self) -> bool:
        """Whether tokens verified before must be verified again."""
        ...


class FileKeys:
    """A key set in a file, read again when it changes; while it is unreadable the last keys hold."""

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._next_check = 0.0
        self._stamp: tuple[int, int] | None = None
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self.changed()
        if not self._keys:
            raise ValueError(f"{path}: not a key set (RFC 7517) with at least one key")

    async def key(self, token: str, key_id: str) -> jwt.PyJWK | None:
        """See `KeySet.key`."""
        return self._keys.get(key_id)

    def changed(self) -> bool:
        """See `KeySet.changed`; looks at the file at most once a second."""
        if self._monotonic() < self._next_check:
            return False
        self._next_check = self._monotonic() + FILE_CHECK_SECONDS
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return False
            keys = {key.key_id: key for key in jwt.PyJWKSet.from_json(self._path.read_text("utf-8"))}
        except (OSError, ValueError, AttributeError, jwt.PyJWTError):
            return False  # a file that is just being replaced; JSON that is no object is an AttributeError
        self._stamp, self._keys = stamp, keys
        return True


class RemoteKeys:
    """A key set at an address, kept for minutes, and fetched again (not often) for an unknown key."""

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(
            url,
            lifespan=KEYS_SECONDS_MAX,
            timeout=FETCH_SECONDS_MAX,
            cooldown_duration=UNKNOWN_KEY_PAUSE_SECONDS,
        )

    async def key(self, token: str, key_id: str) -> jwt.PyJWK | None:
        """See `KeySet.key`."""
        try:
            return await asyncio.to_thread(self._client.get_signing_key, key_id)
        except jwt.PyJWKClientConnectionError:
            raise errors.Unavailable("The keys that sign tokens cannot be fetched.") from None
        except (jwt.PyJWKClientError, jwt.PyJWKSetError):
            return None

    def changed(self) -> bool:
        """See `KeySet.changed`; verified tokens hold until they expire."""
        return False


def named(file: Path | None, url: str | None) -> KeySet:
    """The key set that settings name: a file, or else an address."""
    return FileKeys(file) if file else RemoteKeys(url or "")
