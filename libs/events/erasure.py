"""Erases a data subject: deletes its keys on lawful request, and puts that on record (SEC-2)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final
from uuid import UUID

import uuid_utils.compat as uuids

from libs.events import codec, errors
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.envelope import ERASURE, Append, Appended
from libs.events.store import Log

SUBJECTS: Final = UUID("6f0b7a52-3a3c-5d0e-9c57-0c1f2b8b6a11")  # namespace of uuid5


async def erase(log: Log, name: str, subject: str, author: str, reason: str, now: datetime) -> Appended:
    """Delete the keys of `subject` in one append with its record. NotFound where nothing is sealed under it.

    `reason` stays readable for ever, so it must not name anybody. Only redress_oversight may do this.
    """
    if await log.key_of_subject(name, subject) is None:
        raise errors.NotFound(f"No personal data of {subject} can be read in {name}: nothing to erase.")
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
