"""An event on the bus: its stream and subject, and how an envelope becomes a CloudEvents message and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote
from uuid import UUID

from libs.events import errors
from libs.events.envelope import Envelope

CONTENT_TYPE: Final = "application/json"
SPEC_VERSION: Final = "1.0"
# Short enough for nats-server's limit on a line of its protocol (max_control_line).
_EVENT_TYPE: Final = re.compile(r"complaints\.([a-z][a-z0-9_]{0,63})\.([a-z][a-z0-9_]{0,63})\.v[0-9]+")
# CloudEvents HTTP binding 3.1.3.2, adopted by its NATS binding: everything else is percent-encoded as UTF-8.
_PLAIN: Final = re.compile(r"[!#$&-~]*")
_SAFE: Final = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"


class NotFromTheLog(errors.ContractError):
    """This message is not one that the relay makes of an event."""

    code = "not_from_the_log"


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it is published."""

    subject: str
    headers: dict[str, str]
    payload: bytes = field(repr=False)


def stream_of(log: str) -> str:
    """The JetStream stream that carries a log."""
    return f"complaints-{log}"


def subjects_of(log: str) -> str:
    """Every subject of a log's stream."""
    return f"complaints.{log}.>"


def appended(log: str) -> str:
    """The core NATS subject on which an append says that there is something to carry."""
    return f"redress.appended.{log}"


def subject_of(log: str, event_type: str) -> str:
    """The subject of an event type: `complaints.<log>.<service>.<event_name>`, the same for every version.

    A type of another form must not stop the log behind it, so it has a subject too.
    """
    service, name = _service_and_name(event_type)
    return f"complaints.{log}.{service}.{name}"


def to_message(envelope: Envelope) -> Message:
    """The event as a CloudEvents 1.0 message in NATS binary mode; its extensions complete the envelope."""
    headers = {
        "ce-specversion": SPEC_VERSION,
        "ce-id": str(envelope.event_id),
        "ce-type": _escape(envelope.type),
        "ce-source": f"/{_escape(envelope.log)}/{_service_and_name(envelope.type)[0]}",
        "ce-time": envelope.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "ce-sequence": f"{envelope.seq:020d}",
        "ce-stream": _escape(envelope.stream),
        "ce-streamversion": str(envelope.version),
        "ce-actor": _escape(envelope.actor),
        "ce-hash": envelope.hash.hex(),
        "content-type": CONTENT_TYPE,
    }
    if envelope.complaint_id is not None:
        headers["ce-subject"] = str(envelope.complaint_id)
    if envelope.caused_by is not None:
        headers["ce-causationid"] = str(envelope.caused_by)
    if envelope.traceparent:
        headers["traceparent"] = _escape(envelope.traceparent)
    return Message(subject_of(envelope.log, envelope.type), headers, envelope.body)


def from_message(headers: Mapping[str, str] | None, payload: bytes | None) -> Envelope:
    """The whole envelope again, of a message's parts; NotFromTheLog where the headers are not ours."""
    headers = headers or {}
    try:
        if headers["ce-specversion"] != SPEC_VERSION or headers["content-type"] != CONTENT_TYPE:
            raise NotFromTheLog
        return Envelope(
            log=unquote(headers["ce-source"].split("/")[1]),
            seq=int(headers["ce-sequence"]),
            event_id=UUID(headers["ce-id"]),
            stream=unquote(headers["ce-stream"]),
            version=int(headers["ce-streamversion"]),
            type=unquote(headers["ce-type"]),
            complaint_id=_uuid(headers.get("ce-subject")),
            actor=unquote(headers["ce-actor"]),
            caused_by=_uuid(headers.get("ce-causationid")),
            traceparent=unquote(headers.get("traceparent", "")),
            at=datetime.fromisoformat(headers["ce-time"]),
            body=payload or b"",
            hash=bytes.fromhex(headers["ce-hash"]),
        )
    except (KeyError, ValueError, IndexError):
        raise NotFromTheLog from None


def _service_and_name(event_type: str) -> tuple[str, str]:
    found = _EVENT_TYPE.fullmatch(event_type)
    return (found[1], found[2]) if found else ("unknown", "event")


def _escape(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_SAFE)


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text is not None else None
