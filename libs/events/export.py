"""A log as a file: one line of JSON an event, every column in it, sealed fields still sealed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

from libs.events import errors
from libs.events.envelope import Envelope

LINES_AT_ONCE: Final = 1000


def to_line(envelope: Envelope) -> str:
    """One line, without its end. The body is the text of its bytes, so that a reader can hash it again."""
    return json.dumps(
        {
            "log": envelope.log,
            "seq": envelope.seq,
            "event_id": str(envelope.event_id),
            "stream": envelope.stream,
            "version": envelope.version,
            "type": envelope.type,
            "complaint_id": str(envelope.complaint_id) if envelope.complaint_id else None,
            "actor": envelope.actor,
            "caused_by": str(envelope.caused_by) if envelope.caused_by else None,
            "traceparent": envelope.traceparent,
            "at": envelope.at.isoformat(),
            "body": envelope.body.decode("utf-8", "surrogateescape"),
            "hash": envelope.hash.hex(),
        }
    )


def from_line(line: str | bytes) -> Envelope:
    """What `to_line` wrote; ContractError where the line is something else."""
    try:
        fields: dict[str, Any] = json.loads(line)
        complaint, cause = fields["complaint_id"], fields["caused_by"]
        return Envelope(
            log=fields["log"],
            seq=fields["seq"],
            event_id=UUID(fields["event_id"]),
            stream=fields["stream"],
            version=fields["version"],
            type=fields["type"],
            complaint_id=UUID(complaint) if complaint else None,
            actor=fields["actor"],
            caused_by=UUID(cause) if cause else None,
            traceparent=fields["traceparent"],
            at=datetime.fromisoformat(fields["at"]),
            body=fields["body"].encode("utf-8", "surrogateescape"),
            hash=bytes.fromhex(fields["hash"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.ContractError(f"Not a line of an exported log: {error!r}.") from None


@contextmanager
def writing(path: Path) -> Iterator[IO[str]]:
    """A file for lines, compressed where its name ends in .gz; it has that name only once it is whole."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        with gzip.open(draft, "wt", encoding="utf-8") if path.suffix == ".gz" else draft.open("w") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def pages(path: Path) -> Iterator[list[Envelope]]:
    """The events of an exported file, some at a time, in the order of its lines."""
    page: list[Envelope] = []
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for line in file:
            page.append(from_line(line))
            if len(page) == LINES_AT_ONCE:
                yield page
                page = []
    yield page
