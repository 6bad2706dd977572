"""Puts contacts on record, whichever way they came: claims, number and policy around one decision (REC-9)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy.exc
import uuid_utils.compat as uuids
from fastapi import Depends
from starlette.requests import Request

from libs.events import errors
from libs.events.contracts import intake as events
from libs.events.contracts.values import RespondentKind, Suspicion
from libs.events.decider import Stream, transact
from libs.events.envelope import Claim, Claimed, Recorded
from libs.events.store import Context
from libs.policy.pack import Pack
from libs.service import auth, failures, idempotency, telemetry, wiring
from libs.service.auth import Caller
from libs.service.wiring import Resources
from services.intake import models, record, state, views
from services.intake.attachments import Attachments, Folder
from services.intake.models import ComplaintBody, RecordedAnswer
from services.intake.numbers import Numbers
from services.intake.search import BlindIndex

STREAM: Final[Stream[state.Complaint]] = Stream("intake", state.INITIAL, state.evolve)
# Clocks of other systems run a little ahead of ours.
SKEW_MAX: Final = timedelta(minutes=5)
LOOKUP_SECONDS_MAX: Final = 0.5
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer, and whether an earlier request had it first."""

    answer: RecordedAnswer
    replayed: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a complaint stands after a command; `replayed`: as the first one under its key left it."""

    complaint: state.Complaint
    version: int
    replayed: bool


class Desk:
    """Where contacts are recorded: one in each process, for it holds numbers at hand."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.numbers = Numbers(resources.engine)
        # Without a transaction around it, a query is one round trip.
        self.reading = resources.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.index = BlindIndex(resources.key_encryption_key)
        self.attachments = Attachments(Folder(resources.settings.attachments_dir), resources.keys)

    async def register(self, caller: Caller, body: ComplaintBody, keys: tuple[Claim, ...] = ()) -> Answered:
        """Record a contact once; `keys` claim its idempotency key. IdempotencyMismatch, Malformed."""
        now = self.resources.now()
        if body.received_at > now + SKEW_MAX:
            raise failures.malformed("/received_at", "in_the_future", "This time has not come yet")
        claims = (*keys, *self._source_claims(caller, body))
        year = now.astimezone(ZoneInfo(self.resources.policy.time_zone)).year
        number = await self.numbers.take(caller.org, year)
        command = await self._command(
            caller.org, body, self.resources.policy.numbers.number(year, number), now
        )
        outcome = await transact(
            self.resources.store,
            caller.org,
            STREAM,
            command.complaint_id,
            record.decide,
            command,
            _context(caller, command.complaint_id, claims, new=True),
            new=True,
        )
        if outcome.appended:
            return Answered(_answer(outcome.events[0], outcome.version, outcome.appended.seq), replayed=False)
        self.numbers.give_back(caller.org, year, number)
        assert outcome.replayed is not None, "a fresh id has no history, so only a claim stops it"
        idempotency.check(claims, outcome.replayed)
        return await self._first_answer(caller.org, outcome.replayed)

    async def carry_out(
        self,
        caller: Caller,
        complaint_id: UUID,
        decide: Callable[[C, state.Complaint], list[events.Event]],
        command: C,
        claims: tuple[Claim, ...] = (),
        if_match: int | None = None,
    ) -> Standing:
        """Carry out a command on a complaint; a repeat under its key finds what the first one left."""
        outcome = await transact(
            self.resources.store,
            caller.org,
            STREAM,
            complaint_id,
            decide,
            command,
            _context(caller, complaint_id, claims),
            if_match=if_match,
        )
        if outcome.replayed is None:
            return Standing(outcome.state, outcome.version, replayed=False)
        idempotency.check(claims, outcome.replayed)
        history = await self.history(caller.org, complaint_id)
        then = STREAM.fold(state.INITIAL, [each.event for each in history[: outcome.replayed.version]])
        return Standing(then, outcome.replayed.version, replayed=True)

    async def history(self, log: str, complaint_id: UUID) -> list[Recorded[Any]]:
        """Everything that became of a complaint here; NotFound."""
        history = await self.resources.store.read_stream(log, STREAM.name(complaint_id))
        if not history:
            raise errors.NotFound("There is no such complaint.")
        return history

    async def complaint(self, log: str, complaint_id: UUID) -> state.Complaint:
        """How a complaint stands; NotRecorded where there is none."""
        history = await self.resources.store.read_stream(log, STREAM.name(complaint_id))
        return STREAM.fold(state.INITIAL, [each.event for each in history])

    def _source_claims(self, caller: Caller, body: ComplaintBody) -> tuple[Claim, ...]:
        if body.source is None:
            return ()
        content = body.model_dump_json().encode()
        return (
            Claim(
                name=idempotency.claim_name("source", caller.org, body.source.system, body.source.reference),
                fingerprint=idempotency.fingerprint(self.resources.fingerprint_key, b"source", content),
            ),
        )

    async def _command(
        self, log: str, body: ComplaintBody, number: str, now: datetime
    ) -> record.RecordComplaint:
        policy = self.resources.policy
        return record.RecordComplaint(
            complaint_id=uuids.uuid7(),
            number=number,
            contact=body.contact,
            source=models.source(body.source),
            channel=body.channel,
            received_at=body.received_at,
            occurred_at=body.occurred_at,
            complainant=models.complainant(body.complainant),
            respondent=models.respondent(body.respondent),
            product=models.product(body.product),
            narrative=body.narrative,
            demand=models.demand(body.demand),
            possible_duplicates=await self._possible_duplicates(log, body, now),
            required_details=required_details(policy),
            first_reply_due_at=now + policy.first_reply.within,
            policy=policy.reference,
            now=now,
        )

    async def _possible_duplicates(
        self, log: str, body: ComplaintBody, now: datetime
    ) -> tuple[Suspicion, ...]:
        """What the view knows so far; what it learns later, a reaction links."""
        if body.complainant.customer_id is None:
            return ()
        duplicates = self.resources.policy.duplicates
        alike = views.likeness(
            models.respondent(body.respondent), models.product(body.product), duplicates.match_any
        )
        if not alike:
            return ()
        since = now - duplicates.window
        try:
            async with asyncio.timeout(LOOKUP_SECONDS_MAX), self.reading.connect() as connection:
                return await views.suspicions(connection, log, body.complainant.customer_id, alike, since)
        except (errors.Unavailable, TimeoutError, sqlalchemy.exc.TimeoutError):
            return ()  # recording does not wait for this: what is found later is linked all the same

    async def _first_answer(self, log: str, claimed: Claimed) -> Answered:
        """The answer the first request got, from what it put on record."""
        history = await self.resources.store.read_stream(log, claimed.stream)
        first = history[0]
        return Answered(_answer(first.event, first.envelope.version, first.envelope.seq), replayed=True)


def required_details(policy: Pack) -> state.RequiredDetails:
    """What a complaint must have before it can be judged founded, by what it is against (REC-2)."""
    return {RespondentKind.PRODUCT: policy.quality_complaint.required_details}


def _context(caller: Caller, complaint_id: UUID, claims: tuple[Claim, ...], *, new: bool = False) -> Context:
    return Context(
        actor=caller.subject,
        complaint_id=complaint_id,
        traceparent=telemetry.traceparent(),
        claims=claims,
        new_subject=state.own_data_subject(complaint_id) if new else None,
    )


def _answer(event: events.ComplaintRecorded, version: int, seq: int) -> RecordedAnswer:
    return RecordedAnswer(
        complaint_id=event.complaint_id,
        number=event.number,
        version=version,
        seq=seq,
        recorded_at=event.recorded_at,
        first_reply_due_at=event.first_reply_due_at,
        missing_details=event.missing_details,
        possible_duplicates=tuple(found.duplicate_of for found in event.possible_duplicates),
    )


async def _desk(request: Request, resources: wiring.Wired) -> Desk:
    service = request.app.state
    if not hasattr(service, "desk"):
        service.desk = Desk(resources)
    desk: Desk = service.desk
    return desk


# For the signatures of endpoints.
AtDesk = Annotated[Desk, Depends(_desk)]
Reader = Annotated[Caller, auth.require("complaints:read")]
Writer = Annotated[Caller, auth.require("complaints:write")]
PersonalReader = Annotated[Caller, auth.require("complaints:read", "personal:read")]
