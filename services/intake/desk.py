"""Puts contacts on record, whichever way they came: claims, number and policy around one decision (REC-9)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import sqlalchemy.exc
import uuid_utils.compat as uuids
from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request

from libs.events import errors
from libs.events.contracts import intake as events
from libs.events.contracts.values import RespondentKind, Suspicion
from libs.events.decider import Stream, standing, transact
from libs.events.envelope import Claim, Claimed, Recorded
from libs.events.store import Context
from libs.policy.pack import Pack
from libs.service import auth, commands, failures, idempotency, telemetry, wiring
from libs.service.auth import Caller
from libs.service.wiring import Resources
from services.intake import history, models, neighbours, plan, record, state
from services.intake.attachments import Attachments, Folder
from services.intake.lookups import SqlNeighbours
from services.intake.models import ComplaintBody, RecordedAnswer
from services.intake.neighbours import Neighbours
from services.intake.numbers import Numbering, Numbers
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


class Desk:
    """Where contacts are recorded: one in each process, for it holds numbers at hand."""

    def __init__(
        self,
        resources: Resources,
        known: Neighbours | None = None,
        numbers: Numbering | None = None,
    ) -> None:
        """`known` and `numbers` are a simulation's own; otherwise they are in the tables of this service."""
        self.resources = resources
        self.neighbours = known or SqlNeighbours(resources.reading)
        self.numbers = numbers or Numbers(resources.engine)
        self.index = BlindIndex(resources.key_encryption_key)
        self.attachments = Attachments(Folder(resources.settings.attachments_dir), resources.keys)

    async def register(self, caller: Caller, body: ComplaintBody, keys: tuple[Claim, ...] = ()) -> Answered:
        """Record a contact once; `keys` claim its idempotency key. IdempotencyMismatch, Malformed."""
        now = self.resources.now()
        if body.received_at > now + SKEW_MAX:
            raise failures.malformed("/received_at", "in_the_future", "This time has not come yet")
        self.has_come(body.occurred_at, now)
        claims = (*keys, *self._source_claims(caller, body))
        policy = await self.resources.policies.in_force(caller.org, now)
        year = policy.day_of(now).year
        number = await self.numbers.take(caller.org, year)
        command = await self._command(caller.org, body, policy, policy.numbers.number(year, number), now)
        outcome = await transact(
            self.resources.store,
            caller.org,
            STREAM,
            command.complaint_id,
            record.decide,
            command,
            _context(caller, command.complaint_id, claims),
            new=True,
        )
        if outcome.appended:
            return Answered(_answer(outcome.events[0], outcome.version, outcome.appended.seq), replayed=False)
        self.numbers.give_back(caller.org, year, number)
        assert outcome.replayed is not None, "a fresh id has no history, so only a claim stops it"
        idempotency.check(claims, outcome.replayed)
        return await self._first_answer(caller.org, outcome.replayed)

    async def history(self, log: str, complaint_id: UUID) -> list[Recorded[Any]]:
        """Everything that became of a complaint here; NotFound."""
        history = await self.resources.store.read_stream(log, STREAM.name(complaint_id))
        if not history:
            raise errors.NotFound("There is no such complaint.")
        return history

    async def complaint(self, log: str, complaint_id: UUID) -> state.Complaint:
        """How a complaint stands; NotRecorded where there is none."""
        return (await standing(self.resources.store, log, STREAM, complaint_id)).state

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

    async def moment(self, log: str, complaint_id: UUID | None = None) -> plan.Moment:
        """Now, the policy in force, and whether the complaint, where one is named, is closed."""
        now = self.resources.now()
        policy = await self.resources.policies.in_force(log, now)
        closed = complaint_id is not None and await history.is_closed(self.resources.store, log, complaint_id)
        return plan.Moment(policy=policy, now=now, closed=closed)

    @staticmethod
    def has_come(occurred_at: datetime | None, now: datetime) -> None:
        """Malformed for an occurrence in time to come; later than received it may be: people make slips."""
        if occurred_at is not None and occurred_at > now + SKEW_MAX:
            raise failures.malformed("/occurred_at", "in_the_future", "This time has not come yet")

    async def _command(
        self, log: str, body: ComplaintBody, policy: Pack, number: str, now: datetime
    ) -> record.RecordComplaint:
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
            possible_duplicates=await self._possible_duplicates(log, body, policy, now),
            required_details=required_details(policy),
            first_reply_due_at=now + policy.first_reply.within,
            policy=policy.reference,
            now=now,
        )

    async def _possible_duplicates(
        self, log: str, body: ComplaintBody, policy: Pack, now: datetime
    ) -> tuple[Suspicion, ...]:
        """What is known so far; what is learnt later, a reaction links."""
        if body.complainant.customer_id is None:
            return ()
        respondent, product = models.respondent(body.respondent), models.product(body.product)
        alike = neighbours.likeness(respondent, product, policy.duplicates.match_any)
        if not alike:
            return ()
        since = now - policy.duplicates.window
        try:
            async with asyncio.timeout(LOOKUP_SECONDS_MAX):
                return await self.neighbours.suspicions(log, body.complainant.customer_id, alike, since)
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


def _context(caller: Caller, complaint_id: UUID, claims: tuple[Claim, ...]) -> Context:
    return Context(
        actor=caller.subject,
        complaint_id=complaint_id,
        traceparent=telemetry.traceparent(),
        claims=claims,
        new_subject=state.own_data_subject(complaint_id),
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


@dataclass(frozen=True)
class Call(commands.Call):
    """One person's call at this desk."""

    desk: Desk

    async def moment(self, complaint_id: UUID) -> plan.Moment:
        """What a decision on this complaint has to know of this moment."""
        closed = await history.is_closed(self.resources.store, self.caller.org, complaint_id)
        return plan.Moment(policy=self.policy, now=self.now, closed=closed)

    async def carry_out(
        self,
        complaint_id: UUID,
        decide: Callable[[C, state.Complaint], Sequence[Any]],
        command: C,
        said: BaseModel | bytes,
    ) -> commands.Standing[state.Complaint]:
        """Carry out a command on a complaint: see `submit`."""
        return await self.submit(STREAM, complaint_id, decide, command, said, about=complaint_id)


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


async def _call(call: commands.Called, desk: AtDesk) -> Call:
    return Call(**vars(call), desk=desk)


Called = Annotated[Call, Depends(_call)]
PersonalReader = Annotated[Caller, auth.require("complaints:read", "personal:read")]
