"""Step 1, suspect: link an earlier complaint that may be the same; a person decides whether it is (REC-9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import intake as events
from libs.events.contracts.values import Suspicion
from services.intake.state import Complaint, Merged, NotRecorded, Open, Withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectDuplicate:
    """An earlier open complaint of the same customer about the same product or order."""

    complaint_id: UUID
    suspicion: Suspicion
    now: datetime


def decide(command: SuspectDuplicate, complaint: Complaint) -> list[events.Event]:
    """What a person has merged or separated is not put in doubt again; a closed complaint needs no link."""
    match complaint:
        case Open(record):
            known = record.suspected | record.separated | {record.complaint_id}
            if command.suspicion.duplicate_of in known:
                return []
            return [
                events.DuplicateSuspected(
                    complaint_id=record.complaint_id,
                    suspicion=command.suspicion,
                    suspected_at=command.now,
                )
            ]
        case Withdrawn() | Merged():
            return []
        case NotRecorded():
            raise errors.NotFound
        case _:
            assert_never(complaint)
