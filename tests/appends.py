"""Appends to try a log with: everything left out is made up, and new."""

import dataclasses
import os
from typing import Any
from uuid import UUID, uuid4

from libs.events.envelope import Append, Claim, NewEvent, WrappedKey

TYPE = "complaints.intake.complaint_recorded.v1"
BODY = '{"narrative":"门锁扣坏了 🚗"}'.encode()


def stream(category: str = "intake") -> str:
    """A stream that nobody has written to."""
    return f"{category}-{uuid4()}"


def event(event_id: UUID | None = None, body: bytes = BODY, type_: str = TYPE) -> NewEvent:
    return NewEvent(event_id or uuid4(), type_, body)


def append(to: str | None = None, expected: int = 0, *events: NewEvent, **rest: Any) -> Append:
    """One event, to a new stream, unless said otherwise."""
    to = to or stream()
    named: dict[str, Any] = {"log": "main", "actor": "人:chen", "complaint_id": uuid4(), "caused_by": uuid4()}
    named["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    return Append(stream=to, expected_version=expected, events=events or (event(),), **named | rest)


def only(append_: Append, **rest: Any) -> Append:
    """The same append, except for what is given."""
    return dataclasses.replace(append_, **rest)


def claim(name: UUID | None = None) -> Claim:
    return Claim(name or uuid4(), os.urandom(32))


def key(subject: str | None = None) -> WrappedKey:
    return WrappedKey(uuid4(), subject or f"complainant:{uuid4()}", os.urandom(92))
