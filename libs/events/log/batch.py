"""One call of log.append: what goes into it, what may not go into it together, and what its answer means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from libs.events import errors
from libs.events.envelope import Append, Appended, Claimed
from libs.events.store import ClaimTaken, KeysChanged

APPEND: Final = (
    "SELECT outcome, version, seq, at, taken FROM log.append("
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
)
CLAIMS: Final = (
    "SELECT name, fingerprint, stream, version, seq FROM log.claims WHERE log = $1 AND name = ANY ($2)"
)


def touches(append: Append) -> Iterable[object]:
    """What no two appends of a batch may share: each is checked against what was before the batch."""
    yield append.stream
    for event in append.events:
        yield event.event_id
    for claim in append.claims:
        yield claim.name
    for key in append.new_keys:
        yield "key", key.subject


def arguments(log: str, appends: Sequence[Append]) -> tuple[Any, ...]:
    """The arguments of APPEND: columns, not rows."""
    events = [event for append in appends for event in append.events]
    claims = [(number, claim) for number, append in enumerate(appends, 1) for claim in append.claims]
    keys = [(number, key) for number, append in enumerate(appends, 1) for key in append.new_keys]
    used = [(number, key_id) for number, append in enumerate(appends, 1) for key_id in append.used_keys]
    erases = [append.erases for append in appends]
    return (
        log,
        [append.stream for append in appends],
        [append.expected_version for append in appends],
        [len(append.events) for append in appends],
        [append.actor for append in appends],
        [append.complaint_id for append in appends],
        [append.caused_by for append in appends],
        [append.traceparent for append in appends],
        [event.event_id for event in events],
        [event.type for event in events],
        [event.body for event in events],
        [number for number, _ in claims] or None,
        [claim.name for _, claim in claims] or None,
        [claim.fingerprint for _, claim in claims] or None,
        [number for number, _ in keys] or None,
        [key.key_id for _, key in keys] or None,
        [key.subject for _, key in keys] or None,
        [key.wrapped for _, key in keys] or None,
        [number for number, _ in used] or None,
        [key_id for _, key_id in used] or None,
        erases if any(erases) else None,
    )


def taken(rows: Iterable[asyncpg.Record]) -> list[UUID]:
    """The claims that were in the way: CLAIMS tells who has them."""
    return [row["taken"] for row in rows if row["outcome"] == "claim_taken"]


def answers(
    appends: Sequence[Append], rows: Sequence[asyncpg.Record], claims: Mapping[UUID, Claimed]
) -> list[Appended | errors.Failure]:
    """What became of each append; no row at all means that there is no such log."""
    if not rows:
        return [errors.UnknownLog(log=append.log) for append in appends]
    return [_answer(append, row, claims) for append, row in zip(appends, rows, strict=True)]


def _answer(append: Append, row: asyncpg.Record, claims: Mapping[UUID, Claimed]) -> Appended | errors.Failure:
    outcome, version, seq, at, name = row
    match outcome:
        case "appended" | "repeated":
            return Appended(version, seq, at, repeated=outcome == "repeated")
        case "version_conflict":
            return errors.VersionConflict(stream=append.stream, current_version=version)
        case "claim_taken":
            return ClaimTaken(claims[name])
        case "event_id_taken":
            return errors.EventIdTaken(event_id=str(name))
        case "keys_changed":
            return KeysChanged()
        case "foreign_stream":
            return errors.ForeignStream(stream=append.stream)
    raise AssertionError(f"log.append answered {outcome!r}")
