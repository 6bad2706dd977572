"""Erases a data subject: deletes its keys on lawful request, and puts that on record (SEC-2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import uuid_utils.compat as uuids

from libs.events import codec, errors
from libs.events.contracts import intake, registry
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.envelope import ERASURE, Append, Appended, Envelope
from libs.events.store import Log, pages

SUBJECTS: Final = UUID("6f0b7a52-3a3c-5d0e-9c57-0c1f2b8b6a11")  # namespace of uuid5
CUSTOMER: Final = "customer:"
COMPLAINT: Final = "complaint:"
LINKS: Final = tuple(  # the events that say whose a complaint is, in any version
    registry.contract_of(each).name.rpartition(".")[0] + "."
    for each in (
        intake.ComplaintRecorded,
        intake.ComplaintAmended,
        intake.ComplaintMerged,
        intake.ComplaintSeparated,
    )
)


async def erase(
    log: Log, name: str, subject: str, author: str, reason: str, now: datetime
) -> dict[str, Appended]:
    """Delete the keys of `subject`, each in one append with its record; gives each subject's record.

    A customer's words stand under a key of the complaint itself where they came before it was known whose
    complaint it is: those keys are found in the log and go first, the customer's own last, so that an erasure
    that was broken off is finished by saying it again. NotFound where nothing is sealed under any of them.
    `reason` stays readable for ever, so it must not name anybody. Only redress_oversight may do this.
    """
    subjects = [*await before_the_customer(log, name, subject), subject]
    kept = [each for each in subjects if await log.key_of_subject(name, each) is not None]
    if not kept:
        raise errors.NotFound(f"No personal data of {subject} can be read in {name}: nothing to erase.")
    return {each: await _erase(log, name, each, author, reason, now) for each in kept}


async def before_the_customer(log: Log, name: str, subject: str) -> list[str]:
    """The data subjects that stood for this customer's complaints until each was known to be theirs."""
    if not subject.startswith(CUSTOMER):
        return []
    ownership = Ownership()
    async for page in pages(log, name):
        ownership.take(page)
    return [f"{COMPLAINT}{each}" for each in ownership.complaints_of(subject.removeprefix(CUSTOMER))]


@dataclass(slots=True)
class Ownership:
    """Which complaint is whose, and which are merged, from a log's events in order."""

    customers: dict[UUID, str] = field(default_factory=dict)
    merged: dict[UUID, UUID] = field(default_factory=dict)

    def take(self, envelopes: Iterable[Envelope]) -> None:
        """Take in some events; what is sealed in them is not needed."""
        for envelope in envelopes:
            if not envelope.type.startswith(LINKS):
                continue
            match codec.decode(envelope, {}).event:
                case intake.ComplaintMerged(complaint_id=complaint, merged_into=other):
                    self.merged[complaint] = other
                case intake.ComplaintSeparated(complaint_id=complaint, separated_from=other):
                    if self.merged.get(complaint) == other:
                        del self.merged[complaint]
                case intake.ComplaintRecorded() | intake.ComplaintAmended() as event:
                    if event.complainant and event.complainant.customer_id:
                        self.customers[event.complaint_id] = event.complainant.customer_id

    def complaints_of(self, customer_id: str) -> list[UUID]:
        """The customer's, and those that a person found to be the same and that are nobody else's."""
        found = {complaint for complaint, whose in self.customers.items() if whose == customer_id}
        ends = [*self.merged.items(), *((into, each) for each, into in self.merged.items())]
        following = found
        while following:
            same = {other for each, other in ends if each in following and other not in self.customers}
            following = same - found
            found = found | following
        return sorted(found)


async def _erase(log: Log, name: str, subject: str, author: str, reason: str, now: datetime) -> Appended:
    stream = f"{ERASURE}{uuid.uuid5(SUBJECTS, subject)}"
    erased = PersonalDataErased(data_subject=subject, erased_at=now, author=author, reason=reason)
    append = Append(
        log=name,
        stream=stream,
        expected_version=len(await log.read_stream(name, stream)),
        events=(codec.encode(erased, codec.Place(name, stream, uuids.uuid7()), None),),
        actor=author,
        erases=subject,
    )
    return await log.append(append)
