"""The event store: what services append to and read from. It joins a log with the codec and the keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from libs.events import codec, errors
from libs.events.envelope import (
    Append,
    Appended,
    Claim,
    Claimed,
    Envelope,
    Head,
    NewEvent,
    Recorded,
    WrappedKey,
)
from libs.events.kept import KEPT_MAX, Kept
from libs.events.keys import DataKey, KeyRing, KeyShelf

PAGE_EVENTS: Final = 1000
# A subject's key can change under an append (first use elsewhere, erasure): then it is sealed anew.
KEY_ATTEMPTS_MAX: Final = 3


class KeysChanged(errors.Failure):
    """A data key was stored or erased by somebody else while this append was being sealed."""

    code = "keys_changed"


class ClaimTaken(errors.Failure):
    """A claim of this append was taken before."""

    code = "claim_taken"

    def __init__(self, claimed: Claimed) -> None:
        super().__init__()
        self.claimed = claimed


class Log(KeyShelf, Protocol):
    """An append-only, ordered, hash-chained log per organisation; in memory or in PostgreSQL."""

    async def append(self, append: Append) -> Appended:
        """Write all of `append` or nothing; answered after the durable commit.

        Repeated with the same event ids it gives the first result. Raises VersionConflict, EventIdTaken,
        ClaimTaken, KeysChanged, ForeignStream, UnknownLog, or Unavailable (then it may or may not have been
        written: repeat it).
        """
        ...

    async def read_stream(self, log: str, stream: str, after_version: int = 0) -> list[Envelope]:
        """The events of one stream above `after_version`, in order; empty when there is no such stream."""
        ...

    async def read(
        self, log: str, after: int = 0, limit: int = PAGE_EVENTS, complaint_id: UUID | None = None
    ) -> list[Envelope]:
        """Up to `limit` events with a `seq` above `after`, in order; of one complaint where it is given.

        Fewer where they are large; none only where there is none.
        """
        ...

    async def head(self, log: str) -> Head:
        """The end of the log; UnknownLog when there is none of that name."""
        ...

    async def logs(self) -> list[str]:
        """The names of all logs."""
        ...

    async def find_claim(self, log: str, name: UUID) -> Claimed | None:
        """Who took a claim, if anybody has."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a command: who, why and with which claims; the same for every event that comes of it.

    `new_subject` is a data subject that nobody can have heard of yet, so that its key need not be looked for.
    """

    actor: str
    complaint_id: UUID | None = None
    caused_by: UUID | None = None
    traceparent: str = ""
    claims: tuple[Claim, ...] = ()
    erases: str | None = None
    new_subject: str | None = None


# What is told of an append: the log, its last `seq`, the stream, and the types of what was appended.
OnAppended = Callable[[str, int, str, Collection[str]], Awaitable[None]]


async def nobody_listens(log: str, seq: int, stream: str, types: Collection[str]) -> None:
    """The default of `EventStore.on_appended`."""


class EventStore:
    """Appends and reads decoded events; tells `on_appended(log, seq, stream, types)` after each commit.

    `standings` is where streams stood when they were last folded here, `histories` likewise; whoever decides
    by them is corrected by `append`. `kept_max` bounds how many of each are kept.
    """

    def __init__(
        self,
        log: Log,
        keys: KeyRing,
        on_appended: OnAppended = nobody_listens,
        kept_max: int = KEPT_MAX,
    ) -> None:
        self.log = log
        self.keys = keys
        self.kept_max = kept_max
        self.standings: Kept[Any] = Kept(keys, kept_max)
        self.histories: dict[Any, Any] = {}
        self._on_appended = on_appended

    async def append(
        self,
        log: str,
        stream: str,
        expected_version: int,
        events: Sequence[object],
        event_ids: Sequence[UUID],
        context: Context,
    ) -> Appended:
        """Seal, encode and append. Errors as `Log.append`, without KeysChanged, which is settled here."""
        for attempt in range(1, KEY_ATTEMPTS_MAX + 1):
            new_subject = context.new_subject if attempt == 1 else None
            sealed = await self._seal(log, stream, events, event_ids, new_subject)
            as_of = self.keys.forgotten
            try:
                appended = await self.log.append(
                    Append(
                        log=log,
                        stream=stream,
                        expected_version=expected_version,
                        events=sealed.events,
                        actor=context.actor,
                        complaint_id=context.complaint_id,
                        caused_by=context.caused_by,
                        traceparent=context.traceparent,
                        claims=context.claims,
                        new_keys=tuple(wrapped for wrapped, _ in sealed.new_keys),
                        used_keys=sealed.used_keys,
                        erases=context.erases,
                    )
                )
            except KeysChanged:
                for subject in sealed.subjects:
                    self.keys.forget(log, subject)
                if attempt == KEY_ATTEMPTS_MAX:
                    raise errors.Unavailable("Data keys kept changing under this append.") from None
                continue
            for wrapped, key in sealed.new_keys:
                self.keys.remember(log, wrapped, key, as_of)
            if context.erases is not None:
                self.keys.forget(log, context.erases)
            await self._on_appended(log, appended.seq, stream, {each.type for each in sealed.events})
            return appended
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def read_stream(self, log: str, stream: str, after_version: int = 0) -> list[Recorded[Any]]:
        """The decoded events of one stream."""
        return await self.decode(log, await self.log.read_stream(log, stream, after_version))

    async def read(
        self, log: str, after: int = 0, limit: int = PAGE_EVENTS, complaint_id: UUID | None = None
    ) -> list[Recorded[Any]]:
        """A page of decoded events in log order."""
        return await self.decode(log, await self.log.read(log, after, limit, complaint_id))

    async def decode(self, log: str, envelopes: Iterable[Envelope]) -> list[Recorded[Any]]:
        """Decode envelopes, reading their keys in one go; ContractError for one that does not fit."""
        envelopes = list(envelopes)
        keys = await self.keys_of(log, envelopes)
        return [codec.decode(envelope, keys) for envelope in envelopes]

    async def keys_of(self, log: str, envelopes: Iterable[Envelope]) -> Mapping[UUID, DataKey]:
        """What opens these, read in one go; a key that is missing was erased."""
        needed = {key_id for envelope in envelopes if (key_id := codec.key_named_in(envelope.body))}
        return await self.keys.for_opening(log, needed) if needed else {}

    async def _seal(
        self,
        log: str,
        stream: str,
        events: Sequence[object],
        event_ids: Sequence[UUID],
        new_subject: str | None,
    ) -> Sealed:
        by_subject: dict[str, tuple[DataKey, WrappedKey | None]] = {}
        encoded: list[NewEvent] = []
        for event, event_id in zip(events, event_ids, strict=True):
            subject = codec.data_subject_of(event)
            if subject is not None and subject not in by_subject:
                by_subject[subject] = (
                    self.keys.key_encryption_key.new_key(log, subject)
                    if subject == new_subject
                    else await self.keys.for_sealing(log, subject)
                )
            key = by_subject[subject][0] if subject is not None else None
            encoded.append(codec.encode(event, codec.Place(log, stream, event_id), key))
        return Sealed(
            events=tuple(encoded),
            subjects=tuple(by_subject),
            new_keys=tuple((wrapped, key) for key, wrapped in by_subject.values() if wrapped),
            used_keys=tuple(key.key_id for key, wrapped in by_subject.values() if not wrapped),
        )


@dataclass(frozen=True, slots=True)
class Sealed:
    """Events ready to append, with the keys that sealed them."""

    events: tuple[NewEvent, ...]
    subjects: tuple[str, ...]
    new_keys: tuple[tuple[WrappedKey, DataKey], ...]
    used_keys: tuple[UUID, ...]


async def pages(
    log: Log, name: str, after: int = 0, upto: int | None = None
) -> AsyncIterator[list[Envelope]]:
    """The whole log from `after` (exclusive) to `upto` (inclusive; the head if left out), page by page.

    While one page is worked on, the log already reads the next.
    """
    last = (await log.head(name)).seq if upto is None else upto
    page = await log.read(name, after, PAGE_EVENTS) if after < last else []
    while page and page[-1].seq < last:
        following = asyncio.create_task(log.read(name, page[-1].seq, PAGE_EVENTS))
        try:
            await asyncio.sleep(0)  # lets the question out before the page is worked on
            yield page
            page = await following
        finally:
            following.cancel()
    if page := [envelope for envelope in page if envelope.seq <= last]:
        yield page


async def replay(
    store: EventStore, name: str, after: int = 0, upto: int | None = None
) -> AsyncIterator[list[Recorded[Any]]]:
    """The same, decoded. While one page is, the events and the keys of the next are read."""
    page: list[Envelope] = []
    keys: Mapping[UUID, DataKey] = {}
    async for following in pages(store.log, name, after, upto):
        coming = asyncio.create_task(store.keys_of(name, following))
        try:
            await asyncio.sleep(0)
            if page:
                yield [codec.decode(envelope, keys) for envelope in page]
            page, keys = following, await coming
        finally:
            coming.cancel()
    if page:
        yield [codec.decode(envelope, keys) for envelope in page]
