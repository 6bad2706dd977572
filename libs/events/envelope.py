"""What surrounds an event: its place in stream and log, its cause, its bytes. Shapes shared by every log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from libs.events import errors

E = TypeVar("E", covariant=True)

GENESIS_VERSION: Final = 0  # the version of a stream that does not exist yet
MESSAGE_BYTES_MAX: Final = 8 * 1024 * 1024  # nats-server's max_payload as we set it, headers included
BODY_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 64 * 1024  # what the log takes, the bus can carry
TEXT_BYTES_MAX: Final = 4096  # four texts become headers, where a byte may need three
ERASURE: Final = "erasure-"  # how the streams begin whose appends may delete keys


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be appended; `body` is its final bytes (UTF-8 JSON, personal fields sealed)."""

    event_id: UUID
    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A name taken in a log with an append (idempotency key, source reference), so at most once.

    `fingerprint` is 32 bytes over the content it was taken with; a second taker compares it with its own.
    """

    name: UUID
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The data key of one data subject, wrapped by the key-encryption key (see keys.py)."""

    key_id: UUID
    subject: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """One indivisible write to one stream: all of `events`, `claims` and `new_keys`, or nothing.

    `expected_version` is the version the writer saw (0: the stream must not exist). `events` may be empty
    when only a claim is to be taken. `used_keys` are the stored keys that sealed the bodies: one erased
    meanwhile refuses the append, for nobody could ever read it. `erases` names a data subject whose keys this
    append deletes (SEC-2).
    """

    log: str
    stream: str
    expected_version: int
    events: tuple[NewEvent, ...]
    actor: str
    complaint_id: UUID | None = None
    caused_by: UUID | None = None
    traceparent: str = ""
    claims: tuple[Claim, ...] = ()
    new_keys: tuple[WrappedKey, ...] = ()
    used_keys: tuple[UUID, ...] = ()
    erases: str | None = None


def check(append: Append) -> None:
    """Raise for what no log takes: ForeignStream for erasing outside an erasure stream, otherwise Malformed.

    The nil UUID stands for "absent" in the chain hash. Texts must be ones that any database and line of JSON
    can hold: no NUL, no lone surrogate.
    """
    ids = [append.complaint_id, append.caused_by, *(event.event_id for event in append.events)]
    if any(id_ is not None and not id_.int for id_ in ids):
        raise errors.Malformed("The nil UUID names nothing.")
    if any(len(event.body) > BODY_BYTES_MAX for event in append.events):
        raise errors.Malformed(f"An event's body is longer than {BODY_BYTES_MAX} bytes.")
    texts = [append.log, append.stream, append.actor, append.traceparent, append.erases or ""]
    texts += [event.type for event in append.events]
    texts += [key.subject for key in append.new_keys]
    try:
        written = "".join(texts).encode()
    except UnicodeEncodeError:
        raise errors.Malformed("A text holds half of a surrogate pair.") from None
    if b"\0" in written:
        raise errors.Malformed("A text holds a NUL character.")
    if len(written) > TEXT_BYTES_MAX and any(len(text.encode()) > TEXT_BYTES_MAX for text in texts):
        raise errors.Malformed(f"A text around the event is longer than {TEXT_BYTES_MAX} bytes.")
    if append.erases is not None and not append.stream.startswith(ERASURE):
        raise errors.ForeignStream(stream=append.stream)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an append went: version, seq and time of its last event (of its first write when `repeated`)."""

    version: int
    seq: int
    at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who took a claim: the stream, and the version and seq of the last event written with it."""

    name: UUID
    fingerprint: bytes
    stream: str
    version: int
    seq: int


class Envelope(NamedTuple):
    """One event as stored, column by column; `seq` is its place in the log, `version` in its stream.

    A named tuple, for whoever reads a log from its first event makes millions of them.
    """

    log: str
    seq: int
    event_id: UUID
    stream: str
    version: int
    type: str
    complaint_id: UUID | None
    actor: str
    caused_by: UUID | None
    traceparent: str
    at: datetime
    body: bytes
    hash: bytes

    def __repr__(self) -> str:
        """Without its contents."""
        return f"Envelope(log={self.log!r}, seq={self.seq}, stream={self.stream!r}, type={self.type!r})"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log: the last seq, its chain hash and time; 0 and the genesis hash when empty."""

    seq: int
    hash: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E]):
    """A decoded event with its envelope."""

    event: E
    envelope: Envelope
