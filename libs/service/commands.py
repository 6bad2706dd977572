"""A person's command: carried out on a stream, once under its key, and where the thing then stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from libs.events.decider import Stream, transact
from libs.events.envelope import Claim
from libs.events.store import Context
from libs.service import idempotency, telemetry
from libs.service.auth import Caller
from libs.service.wiring import Resources

C = TypeVar("C")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Standing(Generic[S]):
    """Where something stands after a command; `replayed`: as the first one under its key left it."""

    state: S
    version: int
    replayed: bool


async def carry_out(
    resources: Resources,
    caller: Caller,
    stream: Stream[S],
    key: UUID,
    decide: Callable[[C, S], list[Any]],
    command: C,
    *,
    complaint_id: UUID | None = None,
    claims: tuple[Claim, ...] = (),
    if_match: int | None = None,
) -> Standing[S]:
    """Carry out `command` on the stream of `key`; a repeat under its key finds what the first one left.

    Raises what `transact` does, and IdempotencyMismatch for other content under the same key.
    """
    context = Context(
        actor=caller.subject, complaint_id=complaint_id, traceparent=telemetry.traceparent(), claims=claims
    )
    outcome = await transact(
        resources.store, caller.org, stream, key, decide, command, context, if_match=if_match
    )
    if outcome.replayed is None:
        return Standing(outcome.state, outcome.version, replayed=False)
    idempotency.check(claims, outcome.replayed)
    history = await resources.store.read_stream(caller.org, outcome.replayed.stream)
    events = [each.event for each in history[: outcome.replayed.version]]
    return Standing(stream.fold(stream.initial, events), outcome.replayed.version, replayed=True)
