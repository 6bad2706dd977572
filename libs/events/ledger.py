"""The hash chain over a log: what one event adds to it, and the check that nothing in it was changed."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID

from libs.events import store
from libs.events.envelope import Envelope, Head

# PostgreSQL's own epoch: its timestamptz_send gives these microseconds.
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# "Absent" in the fixed-width encoding; the log refuses the nil UUID as a value.
_NIL: Final = UUID(int=0).bytes
_FIXED: Final = struct.Struct(">32sqqi16s16s16s")
_LENGTH: Final = struct.Struct(">i")
_BEFORE_ALL: Final = -(2**63)  # no seq is below 1, unless somebody put it there


def genesis(log: str) -> bytes:
    """The hash before the first event: differs by log, so that one log cannot be passed off as another."""
    return hashlib.sha256(b"redress log v1\x00" + log.encode()).digest()


def link(previous: bytes, envelope: Envelope) -> bytes:
    """The chain hash of `envelope` after `previous` (32 bytes each).

    SHA-256 over: previous hash, seq, time (microseconds since 2000-01-01 UTC), version (big-endian, of 8, 8
    and 4 bytes), the ids of event, complaint and cause (16 bytes each, zeros where absent), then log, stream,
    type, actor, traceparent (each with a 4-byte length before it), then SHA-256 of the body's stored bytes.
    The same bytes as the log's SQL function makes (AUD-3).
    """
    log, seq, event_id, stream, version, type_, complaint, actor, cause, traceparent, at, body, _ = envelope
    fixed = _FIXED.pack(
        previous,
        seq,
        (at - EPOCH) // _MICROSECOND,
        version,
        event_id.bytes,
        complaint.bytes if complaint else _NIL,
        cause.bytes if cause else _NIL,
    )
    stream_bytes = stream.encode()
    content = b"".join(
        (
            fixed,
            _measured(log),
            _LENGTH.pack(len(stream_bytes)),
            stream_bytes,
            _measured(type_),
            _measured(actor),
            _measured(traceparent),
            hashlib.sha256(body).digest(),
        )
    )
    return hashlib.sha256(content).digest()


@lru_cache(maxsize=4096)
def _measured(text: str) -> bytes:
    """Its UTF-8 bytes with their length before them; the same few texts come again and again."""
    encoded = text.encode()
    return _LENGTH.pack(len(encoded)) + encoded


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The end of a log as it once was, kept where whoever can change the log cannot reach it (AUD-4)."""

    log: str
    seq: int
    hash: str
    at: str

    @classmethod
    def of(cls, log: str, head: Head) -> Checkpoint:
        """The checkpoint of a log's end."""
        return cls(log, head.seq, head.hash.hex(), head.at.isoformat())

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read what `save` wrote; ValueError where the file holds something else."""
        try:
            read = cls(**json.loads(path.read_text()))
            bytes.fromhex(read.hash)
            return read
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is no checkpoint: {error}") from None

    def save(self, path: Path) -> None:
        """Write JSON: {"log", "seq", "hash" (hex), "at" (RFC 3339)}."""
        path.write_text(json.dumps(asdict(self)) + "\n")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of a whole log came to: how many events are sound, where they end, the first fault."""

    log: str
    events: int
    hash: bytes
    fault: Fault | None

    @property
    def sound(self) -> bool:
        """Whether nothing was altered."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place at which a log is not what was appended."""

    seq: int
    what: str


class Chain:
    """Follows a log from its first event and finds the first that was altered.

    Feed it the events in order with `follow`, page by page; then `end` compares with the head row, if there
    is one. A log rewritten from some event to its end, or cut short there, shows only against a checkpoint.
    Every id and the version of every stream are remembered (100 MB a million events, 160 MB a million
    streams): an id used twice, in a chain made anew, shows in nothing that could be forgotten on the way.
    """

    def __init__(self, log: str, checkpoint: Checkpoint | None = None) -> None:
        if checkpoint is not None and checkpoint.log != log:
            raise ValueError(f"the checkpoint is of the log {checkpoint.log}, not of {log}")
        self.log = log
        self.seq = 0
        self.hash = genesis(log)
        self.at = EPOCH
        self._versions: dict[str, int] = {}
        self._ids: set[bytes] = set()
        self._checkpoint = checkpoint

    def follow(self, page: Iterable[Envelope]) -> Fault | None:
        """Check the events that come next; the first fault, or None."""
        versions, ids = self._versions, self._ids
        checkpoint_seq = self._checkpoint.seq if self._checkpoint else 0
        for event in page:
            event_id = event.event_id.bytes
            if (
                event.seq != self.seq + 1
                or link(self.hash, event) != event.hash
                or event.log != self.log
                or event.version != versions.get(event.stream, 0) + 1
                or event.at < self.at
                or event_id in ids
            ):
                return self._fault(event)
            ids.add(event_id)
            versions[event.stream] = event.version
            self.seq, self.hash, self.at = event.seq, event.hash, event.at
            if event.seq == checkpoint_seq and (fault := self._against_checkpoint()):
                return fault
        return None

    def end(self, head: Head | None = None) -> Fault | None:
        """Nothing comes any more: does that agree with the head row, and with the checkpoint?"""
        if self._checkpoint and self._checkpoint.seq > self.seq:
            return Fault(
                self.seq + 1, f"missing: the checkpoint says there were {self._checkpoint.seq} events"
            )
        if head is not None and head.seq > self.seq:
            return Fault(self.seq + 1, f"missing: the head row says there are {head.seq} events")
        if head is not None and head.seq < self.seq:
            return Fault(head.seq + 1, f"stands after the end: the head row says there are {head.seq} events")
        if head is not None and (head.hash != self.hash or (self.seq and head.at != self.at)):
            return Fault(self.seq, "the head row has another hash or time than the last event")
        return None

    def verdict(self, fault: Fault | None) -> Verdict:
        """What was found."""
        return Verdict(self.log, self.seq, self.hash, fault)

    def _against_checkpoint(self) -> Fault | None:
        assert self._checkpoint is not None
        if self._checkpoint.hash == self.hash.hex():
            return None
        return Fault(self.seq, "not what the checkpoint says: the log was rewritten here or before")

    def _fault(self, event: Envelope) -> Fault:
        """Say what is wrong; called only where something is."""
        expected = self.seq + 1
        if event.seq != expected:
            what = "missing" if event.seq > expected else f"followed by seq {event.seq}, out of order"
            return Fault(expected if event.seq > expected else self.seq, what)
        if event.log != self.log:
            return Fault(event.seq, f"belongs to the log {event.log}")
        if link(self.hash, event) != event.hash:
            return Fault(event.seq, "does not fit its hash: this event, or the hash before it, was altered")
        version = self._versions.get(event.stream, 0) + 1
        if event.version != version:
            return Fault(
                event.seq, f"version {event.version} of {event.stream} stands where {version} belongs"
            )
        if event.at < self.at:
            return Fault(event.seq, f"time runs backwards, from {self.at} to {event.at}")
        return Fault(event.seq, f"event id {event.event_id} is on record before")


def not_counted(done: int, of: int) -> None:
    """The default of `verify`'s `progress`."""


async def verify(
    log: store.Log,
    name: str,
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] = not_counted,
) -> Verdict:
    """Check a log as it stands at this moment, from the first event to the last (AUD-3).

    `progress(done, of)` is told after each page. Raises UnknownLog, or Unavailable.
    """
    chain = Chain(name, checkpoint)
    head = await log.head(name)
    async for page in store.pages(log, name, _BEFORE_ALL, head.seq):
        if fault := chain.follow(page):
            return chain.verdict(fault)
        progress(chain.seq, head.seq)
    fault = chain.end(head)
    if fault is None and await log.read(name, head.seq, 1) and (await log.head(name)).seq == head.seq:
        fault = Fault(head.seq + 1, f"stands after the end: the head row says there are {head.seq} events")
    return chain.verdict(fault)


def verify_pages(name: str, pages: Iterable[Sequence[Envelope]], checkpoint: Checkpoint | None) -> Verdict:
    """Check the events of an exported log, some at a time."""
    chain = Chain(name, checkpoint)
    for page in pages:
        if fault := chain.follow(page):
            return chain.verdict(fault)
    return chain.verdict(chain.end())
