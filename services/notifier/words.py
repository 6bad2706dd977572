"""Says what events mean in the reader's language: steps, people, times, remedies, as notices name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.handling import Answerable, Kind, Severity, Step
from libs.events.contracts.propose import CostBearer, Outcome, Remedy, RemedyKind, Stage
from libs.events.contracts.values import Detail, Language, Money
from libs.policy import people
from libs.policy.pack import Pack

K = TypeVar("K")
Spoken = tuple[str, str]  # in Chinese, in English

KINDS: Final[Mapping[Kind, Spoken]] = {
    Kind.PRODUCT_QUALITY: ("产品质量", "product quality"),
    Kind.SERVICE: ("服务", "service"),
    Kind.SUGGESTION: ("建议", "suggestion"),
    Kind.CONTRACT_DISPUTE: ("合同争议", "contract dispute"),
    Kind.TRANSPORT: ("运输", "transport"),
    Kind.PERSONNEL_MISCONDUCT: ("人员品行", "personnel misconduct"),
}
SEVERITIES: Final[Mapping[Severity, Spoken]] = {
    Severity.MINOR: ("一般", "minor"),
    Severity.SERIOUS: ("严重", "serious"),
    Severity.MAJOR: ("重大", "major"),
}
BEARERS: Final[Mapping[CostBearer, Spoken]] = {
    CostBearer.COMPANY: ("本公司", "us"),
    CostBearer.CUSTOMER: ("客户", "you"),
    CostBearer.SUPPLIER: ("供应商", "the supplier"),
}
OUTCOMES: Final[Mapping[Outcome, Spoken]] = {
    Outcome.RESOLVED: ("已解决", "resolved"),
    Outcome.UNFOUNDED: ("投诉不成立", "not upheld"),
    Outcome.WITHDRAWN: ("已撤回", "withdrawn by you"),
    Outcome.MERGED: ("已与您的另一投诉合并处理", "carried on with another complaint of yours"),
}
STAGES: Final[Mapping[Stage, Spoken]] = {
    Stage.STARTED: ("开始实施", "work has begun"),
    Stage.DONE: ("实施完成", "work is done"),
    Stage.TESTED: ("检测合格", "tested"),
    Stage.CERTIFIED: ("已出具凭证", "report or certificate issued"),
    Stage.SIGNED_FOR: ("已签收", "signed for"),
}
REMEDIES: Final[Mapping[RemedyKind, Spoken]] = {
    RemedyKind.EXPLANATION: ("说明", "explanation"),
    RemedyKind.APOLOGY: ("致歉", "apology"),
    RemedyKind.TRAINING: ("指导培训", "training"),
    RemedyKind.REPAIR: ("维修", "repair"),
    RemedyKind.PART_REPLACEMENT: ("更换零件", "replacement of a part"),
    RemedyKind.UNIT_REPLACEMENT: ("更换整机", "replacement of the unit"),
    RemedyKind.EXCHANGE: ("换货", "exchange"),
    RemedyKind.RETURN_AND_REFUND: ("退货退款", "return and refund"),
    RemedyKind.CREDIT: ("记入账户", "credit to your account"),
    RemedyKind.COMPENSATION: ("赔偿", "compensation"),
    RemedyKind.DISCOUNT: ("折扣", "discount"),
    RemedyKind.GOODWILL: ("慰问", "gesture of goodwill"),
}
DETAILS: Final[Mapping[Detail, Spoken]] = {
    Detail.ORDER_NUMBER: ("订单号", "order number"),
    Detail.PART_NUMBER: ("料号", "part number"),
    Detail.DELIVERED_ON: ("交货日期", "delivery date"),
    Detail.QUANTITY: ("数量", "quantity"),
    Detail.DEFECTIVE_QUANTITY: ("不良数量", "defective quantity"),
    Detail.REQUIREMENT: ("要求", "what you require"),
}
CAUSES: Final[Mapping[EscalationCause, Spoken]] = {
    EscalationCause.BUCK_PASSING: ("推诿", "passed around"),
    EscalationCause.UNSOLVED: ("未能解决", "unsolved"),
    EscalationCause.OVERDUE: ("逾期", "overdue"),
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Speaks one language, in the organisation's own names and time."""

    pack: Pack
    language: Language

    def one(self, words: Mapping[K, Spoken], what: K) -> str:
        """What one of the tables above calls it."""
        chinese, english = words[what]
        return chinese if self.language is Language.CHINESE else english

    def listed(self, said: Iterable[str]) -> str:
        """Several things in a row."""
        return ("、" if self.language is Language.CHINESE else ", ").join(said)

    def step(self, step: Step) -> str:
        """A step, as the policy calls it; recording has no deadline, and is never told of."""
        return self.pack.deadlines.of(step).title.in_language(self.language)

    def time(self, moment: datetime) -> str:
        """A moment on the organisation's clock."""
        return f"{moment.astimezone(self.pack.calendar.zone):%Y-%m-%d %H:%M}"

    def person(self, answerable: Answerable) -> str:
        """Somebody's name."""
        return people.name_of(self.pack, answerable.person, self.language)

    def unit(self, unit: str) -> str:
        """A unit's name."""
        return people.unit_title(self.pack, unit, self.language)

    def who(self, answerable: Answerable) -> dict[str, str]:
        """Unit and person, as templates name them."""
        return {"unit": self.unit(answerable.unit), "person": self.person(answerable)}

    def money(self, money: Money | None) -> str:
        """An amount with its currency; nothing where there is none."""
        return f"{money.amount} {money.currency}" if money else ""

    def remedies(self, remedies: Iterable[Remedy]) -> str:
        """What a solution consists of."""
        return ("；" if self.language is Language.CHINESE else "; ").join(map(self._remedy, remedies))

    def _remedy(self, remedy: Remedy) -> str:
        amount = f"（{self.money(remedy.money)}）" if self.language is Language.CHINESE else ""
        amount = amount or f" ({self.money(remedy.money)})"
        return f"{self.one(REMEDIES, remedy.kind)}{amount if remedy.money else ''}: {remedy.text}"
