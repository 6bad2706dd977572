"""Finds what a person asks about: a notice in its words, or the first reply a customer is owed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel
from starlette.responses import Response

from libs.events import errors
from libs.events.contracts.notify import Recipient
from libs.events.decider import Stream
from libs.policy.pack import Pack
from libs.service import auth, commands, idempotency, wiring
from libs.service.auth import Caller
from libs.service.wiring import Resources
from services.notifier import history, state, writing
from services.notifier.delivery import NOTICES
from services.notifier.history import Complaint

C = TypeVar("C")
S = TypeVar("S")
# For the signatures of endpoints.
Reader = Annotated[Caller, auth.require("complaints:read")]
Writer = Annotated[Caller, auth.require("complaints:write")]


async def notice(resources: Resources, log: str, notice_id: UUID) -> tuple[state.Known, int]:
    """A notice and its version; NotFound where there is none of that id."""
    past = await resources.store.read_stream(log, NOTICES.name(notice_id))
    # A stream of this service may also be that of a complaint's first reply.
    if not past or getattr(past[0].event, "notice_id", None) != notice_id:
        raise errors.NotFound("There is no such notice.")
    found = NOTICES.fold(NOTICES.initial, [each.event for each in past])
    assert not isinstance(found, state.NotWritten), "its first event wrote it"
    return found, past[-1].envelope.version


async def complaint(resources: Resources, log: str, complaint_id: UUID) -> Complaint:
    """A complaint as it stands now; NotFound where there is none."""
    found = await history.of(resources.store).now(log, complaint_id)
    if found is None:
        raise errors.NotFound("There is no such complaint.")
    return found


@dataclass(frozen=True, slots=True)
class Call:
    """One person's call: who, when, by which policy, and what makes it once and on what they saw."""

    resources: Resources
    caller: Caller
    policy: Pack
    now: datetime
    once: idempotency.Once
    if_match: int | None
    response: Response

    async def notice(self, notice_id: UUID) -> state.Known:
        """See `notice`."""
        found, _ = await notice(self.resources, self.caller.org, notice_id)
        return found

    async def reached(self, letter: state.Letter) -> tuple[str, tuple[str, ...]]:
        """Where the recipient is reached as of now, and over which channels in turn."""
        written = letter.written
        channels = self.policy.notices.channels_for(written.recipient)
        if written.recipient is Recipient.STAFF or written.complaint_id is None:
            return letter.to, channels
        about = await complaint(self.resources, self.caller.org, written.complaint_id)
        return writing.address(about.complainant), writing.in_turn(channels, about.complainant)

    async def carry_out(
        self,
        stream: Stream[S],
        key: UUID,
        decide: Callable[[C, S], list[Any]],
        command: C,
        said: BaseModel | bytes,
        *,
        about: UUID | None,
    ) -> commands.Standing[S]:
        """Carry out a command on the stream of `key`, once under its key, and tell its version."""
        with self.once.claims(said) as claims:
            standing = await commands.carry_out(
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
        self.response.headers["ETag"] = idempotency.etag(standing.version)
        if standing.replayed:
            self.response.headers.update(idempotency.REPLAYED)
        return standing


async def _call(
    response: Response,
    caller: Writer,
    once: idempotency.Key,
    if_match: idempotency.IfMatch,
    resources: wiring.Wired,
) -> Call:
    now = resources.now()
    policy = await resources.policies.in_force(caller.org, now)
    return Call(resources, caller, policy, now, once, if_match, response)


Called = Annotated[Call, Depends(_call)]
