"""The events of step 7, penalize and reward (PEN)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from libs.events.contracts.handling import Ground
from libs.events.contracts.registry import contract
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
    """Somebody must get a sanction, a waiver or a finding of no fault, and by when (PEN-1)."""

    complaint_id: UUID
    person: str
    unit: str
    charge: Charge
    rests_on: UUID
    act_on: date
    raised_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionImposed:
    """A sanction: the finding it rests on, its clause, the policy on the day of the act (PEN-2, PEN-3).

    `sanction` counts from 1 in the complaint. `rests_on` is the id of the event that verified the fault.
    `amount` is the whole sum; `installments` what each month bears of it (LAW-1).
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
    reason: PersonalText
    rests_on: UUID
    act_on: date
    ground: Ground
    imposed_by: str
    imposed_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityWaived:
    """A reasoned waiver: at fault, and yet no sanction (PEN-5)."""

    complaint_id: UUID
    data_subject: str
    person: str
    unit: str
    charge: Charge
    reason: PersonalText
    waived_by: str
    waived_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoFaultFound:
    """A decision of its own: this person is not at fault; or nobody is, where `person` is None (PEN-5)."""

    complaint_id: UUID
    data_subject: str
    person: str | None
    unit: str | None
    charge: Charge
    reason: PersonalText
    decided_by: str
    decided_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStated:
    """The person stated their case (PEN-4)."""

    complaint_id: UUID
    data_subject: str
    sanction: int
    text: PersonalText
    stated_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionAppealed:
    """The person appealed; another one than who imposed it decides (PEN-4)."""

    complaint_id: UUID
    data_subject: str
    sanction: int
    text: PersonalText
    appealed_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided:
    """Upheld, reduced (then `amount` and `installments` are the new ones) or lifted, with reason (PEN-4)."""

    complaint_id: UUID
    data_subject: str
    sanction: int
    outcome: AppealOutcome
    amount: Money | None
    installments: tuple[Installment, ...]
    reason: PersonalText
    decided_by: str
    decided_at: datetime


@contract("resolution")
@dataclass(frozen=True, slots=True, kw_only=True)
class RewardGranted:
    """Good handling is rewarded and recorded in the same way (PEN-6)."""

    complaint_id: UUID
    data_subject: str
    person: str
    unit: str
    amount: Money | None
    reason: PersonalText
    granted_by: str
    granted_at: datetime
