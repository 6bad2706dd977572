"""A log in memory that behaves like the one in PostgreSQL: for tests and simulations."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from libs.events import errors, ledger
from libs.events.envelope import Append, Appended, Claimed, Envelope, Head, WrappedKey, check
from libs.events.store import PAGE_EVENTS, ClaimTaken, KeysChanged


@dataclass(slots=True)
class _Book:
    """One organisation's log."""

    head: Head
    events: list[Envelope] = field(default_factory=list)
    by_id: dict[UUID, Envelope] = field(default_factory=dict)
    streams: dict[str, list[Envelope]] = field(default_factory=dict)
    complaints: dict[UUID, list[Envelope]] = field(default_factory=dict)
    claims: dict[UUID, Claimed] = field(default_factory=dict)
    keys: dict[str, WrappedKey] = field(default_factory=dict)
    key_ids: set[UUID] = field(default_factory=set)


class MemoryLog:
    """A `Log` that lives as long as its process. `now` is injected, so that a month runs in a second."""

    def __init__(self, *logs: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._books = {name: _Book(Head(0, ledger.genesis(name), now())) for name in logs}

    async def append(self, append: Append) -> Appended:
        """See `Log.append`."""
        check(append)
        book = self._book(append.log)
        if repeated := self._repeated(book, append):
            return repeated
        for claim in append.claims:
            if claim.name in book.claims:
                raise ClaimTaken(book.claims[claim.name])
        stream = book.streams.get(append.stream, [])
        if len(stream) != append.expected_version:
            raise errors.VersionConflict(stream=append.stream, current_version=len(stream))
        known = any(key.subject in book.keys for key in append.new_keys)
        if known or not book.key_ids.issuperset(append.used_keys):
            raise KeysChanged
        return self._write(book, append)

    def _repeated(self, book: _Book, append: Append) -> Appended | None:
        known = [book.by_id.get(event.event_id) for event in append.events]
        if not any(known):
            return None
        for event, stored in zip(append.events, known, strict=True):
            if stored is None or (stored.stream, stored.type, stored.body) != (
                append.stream,
                event.type,
                event.body,
            ):
                raise errors.EventIdTaken(event_id=str(event.event_id))
        last = known[-1]
        assert last is not None
        return Appended(last.version, last.seq, last.at, repeated=True)

    def _write(self, book: _Book, append: Append) -> Appended:
        stream = book.streams.setdefault(append.stream, [])
        at = max(self._now(), book.head.at)
        seq, previous = book.head.seq, book.head.hash
        for event in append.events:
            seq += 1
            envelope = Envelope(
                log=append.log,
                seq=seq,
                event_id=event.event_id,
                stream=append.stream,
                version=len(stream) + 1,
                type=event.type,
                complaint_id=append.complaint_id,
                actor=append.actor,
                caused_by=append.caused_by,
                traceparent=append.traceparent,
                at=at,
                body=event.body,
                hash=b"",
            )
            envelope = _with_hash(envelope, previous)
            previous = envelope.hash
            stream.append(envelope)
            book.events.append(envelope)
            book.by_id[envelope.event_id] = envelope
            if envelope.complaint_id is not None:
                book.complaints.setdefault(envelope.complaint_id, []).append(envelope)
        if append.events:
            book.head = Head(seq, previous, at)
        for claim in append.claims:
            book.claims[claim.name] = Claimed(claim.name, claim.fingerprint, append.stream, len(stream), seq)
        if append.erases is not None and (erased := book.keys.pop(append.erases, None)):
            book.key_ids.discard(erased.key_id)
        book.keys.update({key.subject: key for key in append.new_keys})
        book.key_ids.update(key.key_id for key in append.new_keys)
        return Appended(len(stream), seq, at)

    async def read_stream(self, log: str, stream: str, after_version: int = 0) -> list[Envelope]:
        """See `Log.read_stream`."""
        return self._book(log).streams.get(stream, [])[after_version:]

    async def read(
        self, log: str, after: int = 0, limit: int = PAGE_EVENTS, complaint_id: UUID | None = None
    ) -> list[Envelope]:
        """See `Log.read`."""
        book, after = self._book(log), max(after, 0)
        if complaint_id is None:
            return book.events[after : after + limit]
        events = book.complaints.get(complaint_id, [])
        first = bisect.bisect_right(events, after, key=lambda envelope: envelope.seq)
        return events[first : first + limit]

    async def head(self, log: str) -> Head:
        """See `Log.head`."""
        return self._book(log).head

    async def logs(self) -> list[str]:
        """See `Log.logs`."""
        return sorted(self._books)

    async def find_claim(self, log: str, name: UUID) -> Claimed | None:
        """See `Log.find_claim`."""
        return self._book(log).claims.get(name)

    async def key_of_subject(self, log: str, subject: str) -> WrappedKey | None:
        """See `KeyShelf`."""
        return self._book(log).keys.get(subject)

    async def keys_by_id(self, log: str, key_ids: Iterable[UUID]) -> list[WrappedKey]:
        """See `KeyShelf`."""
        wanted = set(key_ids)
        return [key for key in self._book(log).keys.values() if key.key_id in wanted]

    def _book(self, log: str) -> _Book:
        if log not in self._books:
            raise errors.UnknownLog(log=log)
        return self._books[log]


def _with_hash(envelope: Envelope, previous: bytes) -> Envelope:
    return envelope._replace(hash=ledger.link(previous, envelope))
