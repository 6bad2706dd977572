"""The events of step 7, penalize and reward (PEN)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from libs.events.contracts.handling import Answerable, Ground, StepDue
from libs.events.contracts.registry import Fields, contract, upcast
from libs.events.contracts.values import Money, PersonalText


class SanctionWay(StrEnum):
    """Ways to fix a sanction (PEN-2)."""

    PAY_SHARE = "pay_share"
    FINE = "fine"
    CRITICISM = "criticism"
    DEMERIT = "demerit"
    MAJOR_DEMERIT = "major_demerit"
    DISMISSAL = "dismissal"
    LEGAL_ACTION = "legal_action"
    GOODS_MULTIPLE = "goods_multiple"
    DEALER_CANCELLATION = "dealer_cancellation"


class Charge(StrEnum):
    """What somebody answers for: the complaint itself, or that it was handled late or badly (PEN-1)."""

    COMPLAINT = "complaint"
    HANDLING = "handling"


class Bears(StrEnum):
    """As who somebody answers: they did it, or they head the unit that did (PEN-1)."""

    DIRECT = "direct"
    HEAD = "head"


class AppealOutcome(StrEnum):
    """What became of an appeal (PEN-4)."""

    UPHELD = "upheld"
    REDUCED = "reduced"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installment:
    """What is deducted in one month (the first day of it), within the legal limit (LAW-1)."""

    month: date
    money: Money


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityRaised:
    """Somebody must get a sanction, a waiver or a finding of no fault; who owes it, and by when (PEN-1).

    `rests_on` is the id of the event that verified it: a finding, or a deadline missed. `acted_at` is when
    it was done, or not done: the rules of that day are those it is judged by (PEN-3). `bears`: as who did
    it, or as the head of their unit.
    """

    complaint_id: UUID
    person: str
    unit: str
    charge: Charge
    bears: Bears
    rests_on: UUID
    acted_at: datetime
    owed_by: Answerable
    due: StepDue
    raised_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionImposed:
    """A sanction: the finding it rests on, its clause, the policy on the day of the act (PEN-2, PEN-3).

    `sanction` counts from 1 in the complaint. `rests_on` is the id of the event that verified the fault.
    `amount` is the whole sum; `installments` what each month's wage bears of it, and `beyond` what none can
    (LAW-1). `complete`: nobody else's responsibility is left to decide.
    """

    complaint_id: UUID
    data_subject: str
    sanction: int
    person: str
    unit: str
    charge: Charge
    way: SanctionWay
    share: Decimal | None
    amount: Money | None
    installments: tuple[Installment, ...]
    beyond: Money | None
    reason: PersonalText
    rests_on: UUID
    acted_at: datetime
    ground: Ground
    complete: bool
    imposed_by: str
    imposed_at: datetime


@contract("resolution", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityWaived:
    """A reasoned waiver: at fault, and yet no sanction (PEN-5).

    `ground`: the policy it was decided by (GOV-1).
    """

    complaint_id: UUID
    data_subject: str
    person: str
    unit: str
    charge: Charge
    rests_on: UUID
    reason: PersonalText
    complete: bool
    waived_by: str
    waived_at: datetime
    ground: Ground | None = None


@contract("resolution", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class NoFaultFound:
    """A decision of its own: this person is not at fault; or nobody is, where `person` is None (PEN-5).

    `ground`: as in `ResponsibilityWaived`.
    """

    complaint_id: UUID
    data_subject: str
    person: str | None
    unit: str | None
    charge: Charge
    rests_on: UUID
    reason: PersonalText
    complete: bool
    decided_by: str
    decided_at: datetime
    ground: Ground | None = None


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStated:
    """The person stated their case, in words sealed as their own: `staff:<person>` (PEN-4)."""

    complaint_id: UUID
    data_subject: str
    sanction: int
    text: PersonalText
    stated_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionAppealed:
    """The person appealed, in their own words; `judge`, another one than who imposed it, decides (PEN-4)."""

    complaint_id: UUID
    data_subject: str
    sanction: int
    text: PersonalText
    judge: Answerable
    due: StepDue
    appealed_at: datetime


@contract("resolution", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided:
    """Upheld, reduced or lifted, with reason (PEN-4).

    `way`, `amount`, `installments` and `beyond` are what now holds; a lifted sanction has none of them.
    `ground`: the policy on the day of the act, by which the sanction was weighed again (GOV-1).
    """

    complaint_id: UUID
    data_subject: str
    sanction: int
    outcome: AppealOutcome
    way: SanctionWay | None
    amount: Money | None
    installments: tuple[Installment, ...]
    beyond: Money | None
    reason: PersonalText
    decided_by: str
    decided_at: datetime
    ground: Ground | None = None


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class AppealOverdue:
    """The judge let the time for deciding an appeal pass; they owe it still, and it is escalated (SLA-3)."""

    complaint_id: UUID
    sanction: int
    owed_by: Answerable
    due_at: datetime
    noticed_at: datetime
    escalated_to: Answerable
    ground: Ground


@contract("resolution", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class RewardGranted:
    """Good handling is rewarded and recorded in the same way (PEN-6), by a policy it names (GOV-1)."""

    complaint_id: UUID
    data_subject: str
    person: str
    unit: str
    amount: Money | None
    reason: PersonalText
    granted_by: str
    granted_at: datetime
    ground: Ground | None = None


@upcast("complaints.resolution.responsibility_waived.v1", "complaints.resolution.responsibility_waived.v2")
@upcast("complaints.resolution.no_fault_found.v1", "complaints.resolution.no_fault_found.v2")
@upcast("complaints.resolution.appeal_decided.v1", "complaints.resolution.appeal_decided.v2")
@upcast("complaints.resolution.reward_granted.v1", "complaints.resolution.reward_granted.v2")
def _by_an_unnamed_version(fields: Fields) -> Fields:
    """Before, only sanctions named the version."""
    return {**fields, "ground": None}
