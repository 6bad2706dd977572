"""Step 1, record: put on record everything the complainant said.

Whatever comes in. By itself then follow `suspect`, which links what may be the same complaint, `classify`,
and the notifier's acknowledgement (step 6). What is wrong or missing is put right by `amend`, never
overwritten; an enquiry that proves to be a complaint becomes one by `convert`; `merge` and `withdraw` end
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events.contracts import intake as events
from libs.events.contracts.values import (
    Channel,
    Complainant,
    Contact,
    Demand,
    Product,
    Respondent,
    Source,
    Suspicion,
)
from services.intake import state
from services.intake.state import Complaint, Merged, NotRecorded, Open, Withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordComplaint:
    """What was said, as it was said (REC-1), with what policy and lookups add before anything is decided."""

    complaint_id: UUID
    number: str  # for people: "2026-000123"
    contact: Contact
    source: Source | None
    channel: Channel
    received_at: datetime
    occurred_at: datetime | None
    complainant: Complainant
    respondent: Respondent
    product: Product | None
    narrative: str
    demand: Demand
    possible_duplicates: tuple[Suspicion, ...]
    required_details: state.RequiredDetails
    first_reply_due_at: datetime
    policy: str
    now: datetime


def decide(command: RecordComplaint, complaint: Complaint) -> list[events.Event]:
    """Nothing that was said is a reason to refuse: every contact is registered (REC-4)."""
    match complaint:
        case NotRecorded():
            return [_recorded(command)]
        case Open() | Withdrawn() | Merged():
            return []  # it is on record
        case _:
            assert_never(complaint)


def _recorded(command: RecordComplaint) -> events.ComplaintRecorded:
    said = state.Statement(
        occurred_at=command.occurred_at,
        complainant=command.complainant,
        respondent=command.respondent,
        product=command.product,
        narrative=command.narrative,
        demand=command.demand,
    )
    return events.ComplaintRecorded(
        complaint_id=command.complaint_id,
        data_subject=state.data_subject(command.complaint_id, command.complainant),
        number=command.number,
        contact=command.contact,
        source=command.source,
        channel=command.channel,
        received_at=command.received_at,
        occurred_at=command.occurred_at,
        recorded_at=command.now,
        complainant=command.complainant,
        respondent=command.respondent,
        product=command.product,
        narrative=command.narrative,
        demand=command.demand,
        missing_details=state.missing_details(command.contact, said, command.required_details),
        possible_duplicates=command.possible_duplicates,
        first_reply_due_at=command.first_reply_due_at,
        policy=command.policy,
    )
