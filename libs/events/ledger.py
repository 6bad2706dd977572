"""The hash chain over a log: what one event adds to it, so that any later change shows."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from libs.events.envelope import Envelope

EPOCH: Final = datetime(
    2000, 1, 1, tzinfo=UTC
)  # PostgreSQL's own epoch: its timestamptz_send gives these microseconds
_MICROSECOND: Final = timedelta(microseconds=1)
_NIL: Final = UUID(
    int=0
).bytes  # "absent" in the fixed-width encoding; the log refuses the nil UUID as a value
_FIXED: Final = struct.Struct(">32sqqi16s16s16s")
_LENGTH: Final = struct.Struct(">i")


def genesis(log: str) -> bytes:
    """The hash before the first event: differs by log, so that one log cannot be passed off as another."""
    return hashlib.sha256(b"redress log v1\x00" + log.encode()).digest()


def link(previous: bytes, envelope: Envelope) -> bytes:
    """The chain hash of `envelope` after `previous` (32 bytes each).

    SHA-256 over: previous hash, seq, time (microseconds since 2000-01-01 UTC), version (big-endian 8, 8, 4
    bytes), the ids of event, complaint and cause (16 bytes each, zeros where absent), then log, stream, type,
    actor, traceparent (each with a 4-byte length before it), then SHA-256 of the body's stored bytes. The
    same bytes as the log's SQL function makes (AUD-3).
    """
    parts = [
        _FIXED.pack(
            previous,
            envelope.seq,
            (envelope.at - EPOCH) // _MICROSECOND,
            envelope.version,
            envelope.event_id.bytes,
            envelope.complaint_id.bytes if envelope.complaint_id else _NIL,
            envelope.caused_by.bytes if envelope.caused_by else _NIL,
        )
    ]
    for text in (envelope.log, envelope.stream, envelope.type, envelope.actor, envelope.traceparent):
        encoded = text.encode()
        parts += (_LENGTH.pack(len(encoded)), encoded)
    parts.append(hashlib.sha256(envelope.body).digest())
    return hashlib.sha256(b"".join(parts)).digest()
