"""A person's command: carried out on a stream, once under its key, and where the thing then stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel
from starlette.responses import Response

from libs.events.decider import Stream, transact
from libs.events.envelope import Claim
from libs.events.store import Context
from libs.policy.pack import Pack
from libs.service import auth, idempotency, telemetry, wiring
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
    decide: Callable[[C, S], Sequence[Any]],
    command: C,
    *,
    complaint_id: UUID | None = None,
    claims: tuple[Claim, ...] = (),
    if_match: int | None = None,
) -> Standing[S]:
    """Carry out `command` on the stream of `key`; a repeat under its key finds what the first one left.

    Raises what `transact` does, and IdempotencyMismatch for other content under the same key.
    """

    def listed(given: C, before: S) -> list[Any]:
        """Each step lists its own events; the path of a command takes events of any kind."""
        return list(decide(given, before))

    context = Context(
        actor=caller.subject, complaint_id=complaint_id, traceparent=telemetry.traceparent(), claims=claims
    )
    outcome = await transact(
        resources.store, caller.org, stream, key, listed, command, context, if_match=if_match
    )
    if outcome.replayed is None:
        return Standing(outcome.state, outcome.version, replayed=False)
    idempotency.check(claims, outcome.replayed)
    history = await resources.store.read_stream(caller.org, outcome.replayed.stream)
    events = [each.event for each in history[: outcome.replayed.version]]
    return Standing(stream.fold(stream.initial, events), outcome.replayed.version, replayed=True)


@dataclass(frozen=True)
class Call:
    """One person's call: who, when, by which policy, and what makes it once and on what they saw."""

    resources: Resources
    caller: Caller
    policy: Pack
    now: datetime
    once: idempotency.Once
    if_match: int | None
    response: Response

    async def submit(
        self,
        stream: Stream[S],
        key: UUID,
        decide: Callable[[C, S], Sequence[Any]],
        command: C,
        said: BaseModel | bytes,
        *,
        about: UUID | None = None,
    ) -> Standing[S]:
        """Carry out a command on the stream of `key`, once under the call's key, and tell its version.

        `said` is the request's body; `about` the complaint under whose history it is kept.
        """
        with self.once.claims(said) as claims:
            standing = await carry_out(
                self.resources,
                self.caller,
                stream,
                key,
                decide,
                command,
                complaint_id=about,
                claims=claims,
                if_match=self.if_match,
            )
        self.tell(standing.version, standing.replayed)
        return standing

    def tell(self, version: int, replayed: bool) -> None:
        """Say in the answer's head as of which version it is, and whether an earlier request had it first."""
        self.response.headers["ETag"] = idempotency.etag(version)
        if replayed:
            self.response.headers.update(idempotency.REPLAYED)


def called(*scopes: str) -> Any:
    """For the signatures of endpoints, `Annotated[Call, called("complaints:write")]`: who may do all that."""
    who = auth.require(*scopes)

    async def made(
        response: Response,
        *,
        caller: Caller = who,
        once: idempotency.Key,
        if_match: idempotency.IfMatch,
        resources: wiring.Wired,
    ) -> Call:
        now = resources.now()
        policy = await resources.policies.in_force(caller.org, now)
        return Call(resources, caller, policy, now, once, if_match, response)

    return Depends(made)


Called = Annotated[Call, called("complaints:write")]
