"""The events of step 4, investigate (INV)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from libs.events.contracts.handling import Answerable, Ground, Kind, Severity
from libs.events.contracts.reckoning import Reckoning
from libs.events.contracts.registry import contract
from libs.events.contracts.values import Money, PersonalText


class StopCause(StrEnum):
    """Why nothing is left to investigate."""

    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    UNFOUNDED = "unfounded"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a unit owes to an investigation, and by when (INV-2)."""

    unit: str
    duty: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibleParty:
    """A unit and person found responsible; `share` is theirs of the whole, from 0 to 1 (INV-1)."""

    unit: str
    person: str
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What was established: a code that recurrence is detected by, and the words for it."""

    code: str
    text: PersonalText


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What the fault is estimated to cost, and how that was reckoned (INV-7)."""

    money: Money
    basis: str


@contract("investigation", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationOpened:
    """An investigation began: of one complaint, or of an incident for all that joined (INV-2, CLS-7).

    `investigation_id` is the complaint's id, or the incident's. `round` counts from 1: a complaint that is
    reopened or contested is investigated again. `level` is that of escalation, 0 for none; `about` the person
    complained of. `acted_on`: the seq of the newest upstream event this answers; older ones change nothing.
    """

    investigation_id: UUID
    complaint_id: UUID | None
    incident_id: UUID | None
    round: int
    answerable: Answerable
    level: int
    about: str | None
    kind: Kind
    severity: Severity
    part_number: str | None
    serial_number: str | None
    customer_id: str | None
    duties: tuple[Duty, ...]
    due_at: datetime
    warn_at: datetime
    reckoned: Reckoning | None
    ground: Ground
    acted_on: int
    opened_at: datetime


@contract("investigation", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationHandedOver:
    """Another person, or another due time, from now on, by a later assignment or escalation."""

    investigation_id: UUID
    complaint_id: UUID | None
    answerable: Answerable
    level: int
    due_at: datetime
    warn_at: datetime
    reckoned: Reckoning | None
    acted_on: int
    handed_over_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationReclassified:
    """The complaint turned out to be of another kind, for which other units owe something (INV-2).

    `asked` is what is owed anew, `dropped` whose duty is owed no more; what stays keeps its due time, and
    what was given stays on record.
    """

    investigation_id: UUID
    complaint_id: UUID | None
    kind: Kind
    severity: Severity
    asked: tuple[Duty, ...]
    dropped: tuple[str, ...]
    acted_on: int
    reclassified_at: datetime


@contract("investigation", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationJoined:
    """An incident is investigated for this complaint from now on, by its leader and in its time (CLS-7)."""

    investigation_id: UUID
    complaint_id: UUID
    incident_id: UUID
    round: int
    answerable: Answerable
    about: str | None
    kind: Kind
    severity: Severity
    part_number: str | None
    serial_number: str | None
    customer_id: str | None
    due_at: datetime
    warn_at: datetime
    reckoned: Reckoning | None
    ground: Ground
    acted_on: int
    joined_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationExtended:
    """An incident's investigation covers one more complaint, with the evidence that it had (CLS-7)."""

    investigation_id: UUID
    complaint_id: UUID
    evidence_ids: tuple[UUID, ...]
    extended_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationStopped:
    """Nothing is left to investigate: its clocks stop (trap 6: none runs on after the end)."""

    investigation_id: UUID
    complaint_id: UUID | None
    why: StopCause
    acted_on: int
    stopped_at: datetime


@contract("investigation", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationResumed:
    """What had stopped goes on; the time it stood still does not count. `duties`: those still owed."""

    investigation_id: UUID
    complaint_id: UUID | None
    answerable: Answerable
    level: int
    duties: tuple[Duty, ...]
    due_at: datetime
    warn_at: datetime
    reckoned: Reckoning | None
    acted_on: int
    resumed_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAdded:
    """Something a finding can rest on (INV-1); `attachment_id` where intake keeps the file."""

    investigation_id: UUID
    complaint_id: UUID | None
    data_subject: str
    evidence_id: UUID
    text: PersonalText
    attachment_id: UUID | None
    author: str
    added_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionGiven:
    """A unit supplied what it owed (INV-2)."""

    investigation_id: UUID
    complaint_id: UUID | None
    data_subject: str
    unit: str
    text: PersonalText
    author: str
    given_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionOverdue:
    """A unit let the time for what it owed pass; its person owes it still, and it is escalated (INV-2)."""

    investigation_id: UUID
    complaint_id: UUID | None
    unit: str
    owed_by: Answerable
    duty: str
    due_at: datetime
    noticed_at: datetime
    escalated_to: Answerable
    ground: Ground


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class FieldVisitAgreed:
    """A time was agreed with the customer for a visit; agreed anew, the later time holds (INV-3)."""

    investigation_id: UUID
    complaint_id: UUID | None
    visit: int
    person: str
    agreed_for: datetime
    author: str
    agreed_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class FieldVisitMade:
    """What the visit found: solved on the spot, or the unit taken back against a signed hand-over (INV-3).

    `on_time`: arrived by the agreed time, or kept from it by `force_majeure`.
    """

    investigation_id: UUID
    complaint_id: UUID | None
    data_subject: str
    visit: int
    arrived_at: datetime
    on_time: bool
    force_majeure: PersonalText | None
    found: PersonalText
    solved_on_the_spot: bool
    taken_back: bool
    promised_for: date | None
    signed_by_customer: bool
    author: str
    reported_at: datetime


@contract("investigation", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierNotified:
    """A supplier was told in writing what it has to solve, by when and at whose cost (INV-5)."""

    investigation_id: UUID
    complaint_id: UUID | None
    data_subject: str
    notice: int
    supplier: str
    problem: PersonalText
    model: str
    quantity: int
    place: PersonalText
    contact: PersonalText
    phone: PersonalText
    cost: Money
    due_at: datetime
    reckoned: Reckoning | None
    author: str
    notified_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierSolved:
    """The supplier solved what it was notified of (INV-5)."""

    investigation_id: UUID
    complaint_id: UUID | None
    notice: int
    author: str
    solved_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierOverdue:
    """The supplier let its due time pass; escalated (INV-5)."""

    investigation_id: UUID
    complaint_id: UUID | None
    notice: int
    supplier: str
    due_at: datetime
    noticed_at: datetime
    escalated_to: Answerable
    ground: Ground


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRepairFlagged:
    """The same fault on the same unit came back after a repair (INV-6)."""

    investigation_id: UUID
    complaint_id: UUID
    serial_number: str
    cause_code: str
    earlier_complaint_id: UUID
    flagged_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class DesignDefectReported:
    """The design itself is at fault: technology and leadership are told at once (INV-8)."""

    investigation_id: UUID
    complaint_id: UUID | None
    data_subject: str
    text: PersonalText
    told: tuple[Answerable, ...]
    author: str
    reported_at: datetime


@contract("investigation")
@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecorded:
    """Step 4 done: cause, responsible units and persons, evidence, estimated loss (INV-1, INV-4, INV-7).

    `company_is_cause` False needs an appraisal with its basis and the possible causes. `adopted_from` names
    the incident whose finding this is.
    """

    investigation_id: UUID
    complaint_id: UUID | None
    data_subject: str
    round: int
    cause: Cause
    responsible: tuple[ResponsibleParty, ...]
    company_is_cause: bool
    appraisal: PersonalText | None
    appraisal_basis: PersonalText | None
    possible_causes: tuple[str, ...]
    evidence_ids: tuple[UUID, ...]
    loss: Loss | None
    repeat_repair: bool
    adopted_from: UUID | None
    author: str
    found_at: datetime


Event = (
    InvestigationOpened
    | InvestigationHandedOver
    | InvestigationReclassified
    | InvestigationJoined
    | InvestigationExtended
    | InvestigationStopped
    | InvestigationResumed
    | EvidenceAdded
    | ContributionGiven
    | ContributionOverdue
    | FieldVisitAgreed
    | FieldVisitMade
    | SupplierNotified
    | SupplierSolved
    | SupplierOverdue
    | RepeatRepairFlagged
    | DesignDefectReported
    | FindingRecorded
)
