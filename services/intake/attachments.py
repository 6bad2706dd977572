"""Where attachments are kept: sealed under their data subject's key, found by their SHA-256 (REC-10)."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID, uuid4

from libs.events import errors
from libs.events.keys import KeyRing

BYTES_MAX: Final = 20 * 1024 * 1024


class PersonalDataErased(errors.Refused):
    """This person's data was erased; there is no key left to keep an attachment under."""

    code = "personal_data_erased"


class Erased(errors.NotFound):
    """The content of this attachment was erased with its data subject's key."""

    code = "erased"


class Store(Protocol):
    """Keeps bytes by name. What is put is never changed, and putting it again changes nothing."""

    async def put(self, name: str, content: bytes) -> None:
        """Return when the bytes are safe; Unavailable when they cannot be."""
        ...

    async def get(self, name: str) -> bytes | None:
        """The bytes put under the name; None where there are none. Unavailable when nobody can tell."""
        ...


class Folder:
    """A store in a folder, which every process of the service shares."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, content: bytes) -> None:
        """See `Store.put`."""
        try:
            await asyncio.to_thread(_write, self._root / name, content)
        except OSError:
            raise errors.Unavailable("Attachments cannot be stored.") from None

    async def get(self, name: str) -> bytes | None:
        """See `Store.get`."""
        try:
            return await asyncio.to_thread((self._root / name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError:
            raise errors.Unavailable("Attachments cannot be read.") from None


@dataclass(frozen=True, slots=True)
class Attachments:
    """Seals on the way in, opens on the way out; erasing a key makes what it sealed unreadable (SEC-2)."""

    store: Store
    keys: KeyRing

    async def keep(self, log: str, data_subject: str, content: bytes) -> str:
        """Store content; its SHA-256 in hex. PersonalDataErased where the subject has no key any more."""
        key, new = await self.keys.for_sealing(log, data_subject)
        if new is not None:
            raise PersonalDataErased
        sha256 = hashlib.sha256(content).hexdigest()
        sealed = await asyncio.to_thread(key.seal_bytes, content, _place(log, sha256))
        await self.store.put(_name(log, sha256, key.key_id), sealed)
        return sha256

    async def read(self, log: str, key_id: UUID, sha256: str) -> bytes:
        """The content kept under that key; Erased without the key, ContractError where it was altered."""
        key = (await self.keys.for_opening(log, [key_id])).get(key_id)
        if key is None:
            raise Erased
        sealed = await self.store.get(_name(log, sha256, key_id))
        if sealed is None:
            raise errors.NotFound("The content of this attachment is not in the store.")
        return await asyncio.to_thread(key.open_bytes, sealed, _place(log, sha256))


def _name(log: str, sha256: str, key_id: UUID) -> str:
    return f"{log}/{sha256[:2]}/{sha256}.{key_id}"


def _place(log: str, sha256: str) -> bytes:
    return b"\x00".join((b"attachment", log.encode(), sha256.encode()))


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and on disk before anybody hears of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{uuid4()}.part")
    with part.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
