"""Personal data is sealed by data subject: data keys, their wrapping and their cache (SEC-1, SEC-2)."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

import uuid_utils.compat as uuids
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.events import errors
from libs.events.envelope import WrappedKey

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
TEXT_FROM: Final = len(f"{UUID(int=0)}:")  # of what `seal` gives, the base64
CACHED_KEYS_MAX: Final = 5_000  # about 1 KB each; views and reactions meet a key within seconds of its use
# A service notices an erasure elsewhere within a second; this bound holds for every other process.
CACHE_SECONDS_MAX: Final = 60.0


class DataKey:
    """The key of one data subject: 32 bytes for AES-256-GCM, 32 bytes from which nonces are derived.

    Nonces are the truncated HMAC of place and plaintext, so that the same event sealed again gives the same
    bytes (a repeated append is recognised) and no nonce ever meets two plaintexts.
    """

    __slots__ = ("key_id", "material")

    def __init__(self, key_id: UUID, material: bytes) -> None:
        self.key_id = key_id
        self.material = material

    @property
    def _cipher(self) -> AESGCM:
        """Made for each use, in a microsecond: kept, it would take 2.5 KB of each of thousands of keys."""
        return AESGCM(self.material[:KEY_BYTES])

    def seal(self, plaintext: str, place: bytes) -> str:
        """Encrypt one field, bound to `place` (log, stream, event id, field): `<key id>:<base64>`."""
        sealed = self.seal_bytes(plaintext.encode(), place)
        return f"{self.key_id}:{base64.b64encode(sealed).decode()}"

    def open(self, sealed: str, place: bytes) -> str:
        """Decrypt what `seal` gave; ContractError where it was altered or moved from its place."""
        return self.opener()(sealed, place)

    def opener(self) -> Callable[[str, bytes], str]:
        """`open` for several texts, with one cipher."""
        decrypt = AESGCM(self.material[:KEY_BYTES]).decrypt

        def open_one(sealed: str, place: bytes) -> str:
            content = binascii.a2b_base64(sealed[TEXT_FROM:])
            try:
                return decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], place).decode()
            except InvalidTag:
                raise _altered() from None

        return open_one

    def seal_bytes(self, content: bytes, place: bytes) -> bytes:
        """Encrypt bytes; `place` is authenticated with them."""
        nonce = hmac.digest(self.material[KEY_BYTES:], place + b"\x00" + content, "sha256")[:NONCE_BYTES]
        return nonce + self._cipher.encrypt(nonce, content, place)

    def open_bytes(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt what `seal_bytes` gave; ContractError where it was altered or moved from its place."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except InvalidTag:
            raise _altered() from None


class KeyEncryptionKey:
    """The master key: wraps data keys, and gives the keys of blind indexes and fingerprints."""

    def __init__(self, material: bytes) -> None:
        if len(material) != KEY_BYTES:
            raise ValueError(f"the key-encryption key must be {KEY_BYTES} bytes, not {len(material)}")
        self._cipher = AESGCM(material)
        self._material = material

    @classmethod
    def from_file(cls, path: Path) -> KeyEncryptionKey:
        """Read a file that holds 32 random bytes as base64; ValueError says what is wrong with it."""
        try:
            return cls(base64.b64decode(path.read_text().strip(), validate=True))
        except ValueError as error:
            raise ValueError(f"{path}: not a key-encryption key (32 bytes as base64): {error}") from None

    def new_key(self, log: str, subject: str) -> tuple[DataKey, WrappedKey]:
        """A fresh data key for `subject`, and the wrapped form that the log stores."""
        key = DataKey(uuids.uuid7(), os.urandom(2 * KEY_BYTES))
        nonce = os.urandom(NONCE_BYTES)
        wrapped = nonce + self._cipher.encrypt(nonce, key.material, _key_place(log, subject, key.key_id))
        return key, WrappedKey(key.key_id, subject, wrapped)

    def unwrap(self, log: str, stored: WrappedKey) -> DataKey:
        """The data key again; ContractError where another key or subject was used to wrap it."""
        nonce, ciphertext = stored.wrapped[:NONCE_BYTES], stored.wrapped[NONCE_BYTES:]
        try:
            material = self._cipher.decrypt(nonce, ciphertext, _key_place(log, stored.subject, stored.key_id))
        except InvalidTag:
            raise errors.ContractError(
                f"The data key {stored.key_id} does not open: wrong key-encryption key?"
            ) from None
        return DataKey(stored.key_id, material)

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one named purpose (HKDF, RFC 5869), such as a blind index; never for sealing."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(
            self._material
        )


class KeyShelf(Protocol):
    """Where wrapped keys are read; they are written by `append` alone."""

    async def key_of_subject(self, log: str, subject: str) -> WrappedKey | None: ...

    async def keys_by_id(self, log: str, key_ids: Iterable[UUID]) -> list[WrappedKey]: ...


@dataclass(slots=True)
class KeyRing:
    """Data keys, cached for a short while; what is not cached is read from the shelf and unwrapped."""

    shelf: KeyShelf
    key_encryption_key: KeyEncryptionKey
    monotonic: Callable[[], float] = time.monotonic
    forgotten: int = 0  # how often a key was dropped: what was opened with one must go, too
    _by_id: OrderedDict[tuple[str, UUID], tuple[float, DataKey, str]] = field(default_factory=OrderedDict)
    _by_subject: dict[tuple[str, str], UUID] = field(default_factory=dict)

    async def for_sealing(self, log: str, subject: str) -> tuple[DataKey, WrappedKey | None]:
        """The subject's key; with its wrapped form when it is new and must be stored by the same append."""
        key_id = self._by_subject.get((log, subject))
        if key_id is not None and (cached := self._cached(log, key_id)):
            return cached, None
        as_of = self.forgotten
        stored = await self.shelf.key_of_subject(log, subject)
        if stored is None:
            return self.key_encryption_key.new_key(log, subject)
        return self._remember(log, stored, as_of), None

    async def for_opening(self, log: str, key_ids: Iterable[UUID]) -> Mapping[UUID, DataKey]:
        """The keys that still exist; one that is missing from the answer was erased."""
        found: dict[UUID, DataKey] = {}
        unknown: list[UUID] = []
        for key_id in set(key_ids):
            if cached := self._cached(log, key_id):
                found[key_id] = cached
            else:
                unknown.append(key_id)
        if unknown:
            as_of = self.forgotten
            for stored in await self.shelf.keys_by_id(log, unknown):
                found[stored.key_id] = self._remember(log, stored, as_of)
        return found

    def remember(self, log: str, stored: WrappedKey, key: DataKey, as_of: int) -> None:
        """Cache a key that an append has just stored; `as_of`: what `forgotten` was when that began."""
        self._keep(log, stored.subject, key, as_of)

    def forget(self, log: str, subject: str) -> None:
        """Drop a subject's key: it was erased, or somebody else stored another one first."""
        self.forgotten += 1
        key_id = self._by_subject.pop((log, subject), None)
        if key_id is not None:
            self._by_id.pop((log, key_id), None)

    def _cached(self, log: str, key_id: UUID) -> DataKey | None:
        entry = self._by_id.get((log, key_id))
        if entry is None or entry[0] < self.monotonic():
            return None
        return entry[1]

    def _remember(self, log: str, stored: WrappedKey, as_of: int) -> DataKey:
        key = self.key_encryption_key.unwrap(log, stored)
        self._keep(log, stored.subject, key, as_of)
        return key

    def _keep(self, log: str, subject: str, key: DataKey, as_of: int) -> None:
        if as_of != self.forgotten:  # it may be the one that was dropped while it was read, or stored
            return
        now = self.monotonic()
        self._by_id.pop((log, key.key_id), None)  # so that the oldest stays the first
        self._by_id[log, key.key_id] = (now + CACHE_SECONDS_MAX, key, subject)
        self._by_subject[log, subject] = key.key_id
        while len(self._by_id) > CACHED_KEYS_MAX or next(iter(self._by_id.values()))[0] < now:
            (old_log, _), (_, _, old_subject) = self._by_id.popitem(last=False)
            self._by_subject.pop((old_log, old_subject), None)


def _altered() -> errors.ContractError:
    return errors.ContractError("Something sealed was altered or moved.")


def _key_place(log: str, subject: str, key_id: UUID) -> bytes:
    return b"\x00".join((b"data key", log.encode(), subject.encode(), key_id.bytes))
