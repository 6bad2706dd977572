"""Writes notices: from an event and the complaint's history to the recipient's language, address, words."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from libs.events.contracts.improve import ImprovementPlanned
from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.values import Channel, Complainant, Language
from libs.events.decider import derived_ids, transact
from libs.events.envelope import Recorded
from libs.events.history import History
from libs.policy import deadlines, notices
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from libs.service.reaction import context
from libs.service.wiring import Resources
from services.notifier import history, notify, occasions, overdue
from services.notifier.delivery import NOTICES
from services.notifier.history import Complaint
from services.notifier.occasions import Telling
from services.notifier.term import Term
from services.notifier.words import Speaker

STAFF_LANGUAGE: Final = Language.CHINESE  # the organisation's own
MEASURES: Final = "resolution-"  # how the streams of improvements begin


@dataclass(frozen=True, slots=True)
class Told:
    """A complaint as it stood at an event, and its complainant as they are reached now."""

    complaint: Complaint
    complainant: Complainant
    data_subject: str


class Writer:
    """Writes what an event calls for; which event is heard first, or twice, makes no difference."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        # Its own: it moves on with what is heard, while others look at what is newest.
        self._histories = History(resources.store, history.follow, history.FOLDED)

    async def tell(self, heard: Recorded[Any]) -> None:
        """Write every notice that this event calls for."""
        policy = await self._resources.policies.in_force(heard.envelope.log, heard.envelope.at)
        for complaint_id in occasions.concerned(heard.event):
            told = await self._told(heard, complaint_id) if complaint_id else None
            tellings = await self._tellings(heard, told, policy)
            writing = (self._write(heard, telling, told, policy) for telling in tellings)
            for outcome in await asyncio.gather(*writing, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome  # the others are written, and written once

    async def _told(self, heard: Recorded[Any], complaint_id: UUID) -> Told | None:
        envelope = heard.envelope
        then, now = await self._histories.at(envelope.log, complaint_id, envelope.seq)
        return Told(then, now.complainant, now.data_subject) if then and now else None

    async def _tellings(self, heard: Recorded[Any], told: Told | None, policy: Pack) -> Sequence[Telling]:
        staff = occasions.to_staff(heard.event, told.complaint if told else None, policy, heard.envelope.at)
        if told is None:
            return list(staff)
        measures = await self._measures(heard, told.complaint)
        return [*occasions.to_customer(heard.event, told.complaint, policy, measures), *staff]

    async def _measures(self, heard: Recorded[Any], complaint: Complaint) -> Sequence[str]:
        """The improvements that the event tells of, in the words they were planned in."""
        if not isinstance(heard.event, occasions.TELLING_MEASURES):
            return ()
        own = getattr(heard.event, "improvement_id", None)
        streams = [f"{MEASURES}{each}" for each in ([own] if own else complaint.improvement_ids)]
        found = [await self._resources.store.read_stream(heard.envelope.log, each) for each in streams]
        events = [each.event for stream in found for each in stream]
        return [event.measure for event in events if isinstance(event, ImprovementPlanned)]

    async def _write(self, heard: Recorded[Any], telling: Telling, told: Told | None, policy: Pack) -> None:
        command = written(heard, telling, told, policy)
        log, key = heard.envelope.log, command.notice_id
        surroundings = replace(context(heard, "notifier"), complaint_id=command.complaint_id)
        ids = derived_ids(heard.envelope.event_id, f"notice/{key}")
        await transact(
            self._resources.store, log, NOTICES, key, notify.decide, command, surroundings, ids=ids
        )


def written(heard: Recorded[Any], telling: Telling, told: Told | None, policy: Pack) -> notify.WriteNotice:
    """The command that writes it; a pure function of what was heard, so the same again is the same."""
    complaint = told.complaint if told else None
    recipient = Recipient.CUSTOMER if telling.person is None else Recipient.STAFF
    to, name, language = _reached(telling, told, policy)
    values = telling.values(Speaker(policy, language))
    values |= {"number": complaint.number if complaint else "", "recipient": name}
    rendered = notices.render(policy, telling.kind, recipient, language, values)
    if told is not None and recipient is Recipient.CUSTOMER:
        rendered = replace(rendered, channels=in_turn(rendered.channels, told.complainant))
    occasion = telling.occasion or heard.envelope.event_id
    complaint_id = complaint.complaint_id if complaint else None
    return notify.WriteNotice(
        notice_id=uuid.uuid5(occasion, f"{telling.kind}/{telling.person or complaint_id}/{complaint_id}"),
        complaint_id=complaint_id,
        data_subject=_subject(heard, told),
        kind=telling.kind,
        person=telling.person,
        to=to,
        language=language,
        written=rendered,
        policy=policy.reference,
        cause=heard.envelope.event_id,
        term=_term(telling, complaint, policy),
        stands_in=notices.takes_over(
            policy, policy.day_of(heard.envelope.at), complaint.about(policy) if complaint else None
        ),
        now=heard.envelope.at,
    )


def term(heard: Recorded[Any], complaint: Complaint, kind: NoticeKind, policy: Pack) -> Term | None:
    """By when a notice of that kind to the customer has to arrive by this policy, written by another."""
    tellings = occasions.to_customer(heard.event, complaint, policy, ())
    return next((_term(each, complaint, policy) for each in tellings if each.kind is kind), None)


def _reached(telling: Telling, told: Told | None, policy: Pack) -> tuple[str, str, Language]:
    """Where it goes, how its reader is called, and their language."""
    if telling.person is None and told is not None:
        return address(told.complainant), told.complainant.name, told.complainant.language
    person = telling.person or ""
    known = policy.people.get(person)
    return person, known.name.in_language(STAFF_LANGUAGE) if known else person, STAFF_LANGUAGE


def address(complainant: Complainant) -> str:
    """Where a complainant is reached: their preferred way, else the quickest there is (NTF-3)."""
    preferred = {
        Channel.PHONE: complainant.phone,
        Channel.CHAT: complainant.phone,
        Channel.EMAIL: complainant.email,
        Channel.LETTER: complainant.address,
        Channel.IN_PERSON: complainant.address,
    }
    first = preferred.get(complainant.preferred_channel) if complainant.preferred_channel else None
    return first or complainant.email or complainant.phone or complainant.address or ""


def in_turn(channels: tuple[str, ...], complainant: Complainant) -> tuple[str, ...]:
    """The customer's own channel first, where the policy has it; then the others in its order (NTF-3)."""
    return tuple(sorted(channels, key=lambda name: name != complainant.preferred_channel))


def _subject(heard: Recorded[Any], told: Told | None) -> str:
    """Whose key seals it: the complaint's, else an incident's own, whom nobody erases."""
    if told is not None:
        return told.data_subject
    event = heard.event
    given: str | None = getattr(event, "data_subject", None)
    key = getattr(event, "incident_id", None) or getattr(event, "investigation_id", None)
    return given or f"incident:{key}"


def _term(telling: Telling, complaint: Complaint | None, policy: Pack) -> Term | None:
    """By when it has to arrive, where it must be prompt (NTF-1)."""
    errand: Errand | None = overdue.PROMPT.get(telling.kind)
    if errand is None or complaint is None or telling.since is None:
        return None
    due = deadlines.due(policy, errand, complaint.severity, telling.since)
    return Term(due_at=due.due_at, warn_at=due.warn_at)
