"""What a service does upon events: a handler, fed by a durable consumer, that submits commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from libs.events.consumer import Handler
from libs.events.envelope import Recorded
from libs.events.store import Context
from libs.service import telemetry


@dataclass(frozen=True, slots=True)
class Reaction:
    """`name` is unique in the system and names the consumer; `events` are the classes it hears."""

    name: str
    events: tuple[type, ...]
    handle: Handler

    async def traced(self, recorded: Recorded[Any]) -> None:
        """Handle an event within the trace that it was recorded in."""
        with telemetry.continuing(recorded.envelope.traceparent):
            await self.handle(recorded)


def context(recorded: Recorded[Any], actor: str) -> Context:
    """What surrounds a command that `recorded` brings about: same complaint, same trace, its cause."""
    return Context(
        actor=actor,
        complaint_id=recorded.envelope.complaint_id,
        caused_by=recorded.envelope.event_id,
        traceparent=telemetry.traceparent(),
    )
