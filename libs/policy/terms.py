"""What events and documents call things, in Chinese and in English: one table of words for all (REC-7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from libs.events.contracts.assign import EscalationCause, PassedOver
from libs.events.contracts.handling import Answerable, Kind, Nature, Severity, Step
from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.penalize import AppealOutcome, Bears, Charge, SanctionWay
from libs.events.contracts.personal import Erased
from libs.events.contracts.propose import Answer, CostBearer, Outcome, RemedyKind, Stage
from libs.events.contracts.values import (
    Channel,
    Complainant,
    Contact,
    Demand,
    DemandKind,
    Detail,
    Language,
    Money,
    Respondent,
    RespondentKind,
)
from libs.events.masking import Masked
from libs.policy import people
from libs.policy.pack import Pack

K = TypeVar("K")
Spoken = tuple[str, str]  # in Chinese, in English

CONTACTS: Final[Mapping[Contact, Spoken]] = {
    Contact.COMPLAINT: ("投诉", "complaint"),
    Contact.ENQUIRY: ("咨询", "enquiry"),
}
CHANNELS: Final[Mapping[Channel, Spoken]] = {
    Channel.PHONE: ("电话", "phone"),
    Channel.LETTER: ("来信", "letter"),
    Channel.IN_PERSON: ("来访", "in person"),
    Channel.FAX: ("传真", "fax"),
    Channel.EMAIL: ("电子邮件", "e-mail"),
    Channel.WEB: ("网络表单", "web form"),
    Channel.CHAT: ("在线沟通", "online chat"),
    Channel.SUGGESTION_BOX: ("意见箱", "suggestion box"),
    Channel.SERVICE_STATION: ("服务站", "service station"),
    Channel.DEALER: ("经销商", "dealer"),
    Channel.INTERNAL: ("内部系统", "internal system"),
}
RESPONDENTS: Final[Mapping[RespondentKind, Spoken]] = {
    RespondentKind.PRODUCT: ("产品", "product"),
    RespondentKind.SERVICE: ("服务", "service"),
    RespondentKind.PERSON: ("人员", "person"),
    RespondentKind.UNIT: ("部门", "unit"),
}
DEMANDS: Final[Mapping[DemandKind, Spoken]] = {
    DemandKind.EXPLANATION: ("说明", "explanation"),
    DemandKind.APOLOGY: ("致歉", "apology"),
    DemandKind.REPAIR: ("维修", "repair"),
    DemandKind.REPLACEMENT: ("更换", "replacement"),
    DemandKind.EXCHANGE: ("换货", "exchange"),
    DemandKind.REFUND: ("退款", "refund"),
    DemandKind.COMPENSATION: ("赔偿", "compensation"),
    DemandKind.DISCOUNT: ("折扣", "discount"),
    DemandKind.IMPROVEMENT: ("改进", "improvement"),
    DemandKind.OTHER: ("其他", "other"),
}
DETAILS: Final[Mapping[Detail, Spoken]] = {
    Detail.ORDER_NUMBER: ("订单号", "order number"),
    Detail.PART_NUMBER: ("料号", "part number"),
    Detail.DELIVERED_ON: ("交货日期", "delivery date"),
    Detail.QUANTITY: ("数量", "quantity"),
    Detail.DEFECTIVE_QUANTITY: ("不良数量", "defective quantity"),
    Detail.REQUIREMENT: ("要求", "requirement"),
}
STEPS: Final[Mapping[Step, Spoken]] = {
    Step.RECORD: ("记录投诉内容", "Record"),
    Step.CLASSIFY: ("判断性质", "Classify"),
    Step.ASSIGN: ("确定处理责任", "Assign"),
    Step.INVESTIGATE: ("调查原因", "Investigate"),
    Step.PROPOSE: ("提出解决办法", "Propose"),
    Step.NOTIFY: ("通知顾客", "Notify"),
    Step.PENALIZE: ("责任处罚", "Penalize"),
    Step.IMPROVE: ("提出改善对策", "Improve"),
}
KINDS: Final[Mapping[Kind, Spoken]] = {
    Kind.PRODUCT_QUALITY: ("产品质量", "product quality"),
    Kind.SERVICE: ("服务", "service"),
    Kind.SUGGESTION: ("建议", "suggestion"),
    Kind.CONTRACT_DISPUTE: ("合同争议", "contract dispute"),
    Kind.TRANSPORT: ("运输", "transport"),
    Kind.PERSONNEL_MISCONDUCT: ("人员品行", "personnel misconduct"),
}
NATURES: Final[Mapping[Nature, Spoken]] = {
    Nature.QUALITY_ANOMALY: ("品质异常", "quality anomaly"),
    Nature.HUMAN_FACTORS: ("人为因素", "human factors"),
    Nature.OTHER: ("其他", "other"),
}
SEVERITIES: Final[Mapping[Severity, Spoken]] = {
    Severity.MINOR: ("一般", "minor"),
    Severity.SERIOUS: ("严重", "serious"),
    Severity.MAJOR: ("重大", "major"),
}
CAUSES: Final[Mapping[EscalationCause, Spoken]] = {
    EscalationCause.BUCK_PASSING: ("推诿", "passed around"),
    EscalationCause.UNSOLVED: ("未能解决", "unsolved"),
    EscalationCause.OVERDUE: ("逾期", "overdue"),
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
    RemedyKind.CREDIT: ("记入账户", "credit to the account"),
    RemedyKind.COMPENSATION: ("赔偿", "compensation"),
    RemedyKind.DISCOUNT: ("折扣", "discount"),
    RemedyKind.GOODWILL: ("慰问", "gesture of goodwill"),
    RemedyKind.ADVANCE_COMPENSATION: ("先行赔付", "advance compensation"),
}
BEARERS: Final[Mapping[CostBearer, Spoken]] = {
    CostBearer.COMPANY: ("本公司", "the company"),
    CostBearer.CUSTOMER: ("客户", "the customer"),
    CostBearer.SUPPLIER: ("供应商", "the supplier"),
}
ANSWERS: Final[Mapping[Answer, Spoken]] = {
    Answer.ACCEPTED: ("接受", "accepted"),
    Answer.DECLINED: ("不接受", "declined"),
    Answer.COUNTERED: ("另提要求", "asked for something else"),
}
STAGES: Final[Mapping[Stage, Spoken]] = {
    Stage.STARTED: ("开始实施", "work has begun"),
    Stage.DONE: ("实施完成", "work is done"),
    Stage.TESTED: ("检测合格", "tested"),
    Stage.CERTIFIED: ("已出具凭证", "report or certificate issued"),
    Stage.SIGNED_FOR: ("已签收", "signed for"),
}
OUTCOMES: Final[Mapping[Outcome, Spoken]] = {
    Outcome.RESOLVED: ("已解决", "resolved"),
    Outcome.UNFOUNDED: ("投诉不成立", "not upheld"),
    Outcome.WITHDRAWN: ("已撤回", "withdrawn"),
    Outcome.MERGED: ("已与另一投诉合并处理", "carried on with another complaint"),
}
RECIPIENTS: Final[Mapping[Recipient, Spoken]] = {
    Recipient.CUSTOMER: ("顾客", "the customer"),
    Recipient.STAFF: ("内部人员", "staff"),
}
NOTICES: Final[Mapping[NoticeKind, Spoken]] = {
    NoticeKind.ACKNOWLEDGEMENT: ("受理回执", "acknowledgement"),
    NoticeKind.DETAILS_WANTED: ("补充资料通知", "request for details"),
    NoticeKind.PROGRESS: ("进度通知", "progress"),
    NoticeKind.APPRAISAL: ("鉴定结果", "appraisal"),
    NoticeKind.SOLUTION: ("解决办法", "solution"),
    NoticeKind.UNFOUNDED_REPLY: ("不成立答复", "reply: not upheld"),
    NoticeKind.DELAY: ("延期通知", "delay"),
    NoticeKind.CLOSING: ("结案通知", "closing"),
    NoticeKind.IMPROVEMENT: ("改善情况", "improvement"),
    NoticeKind.ASSIGNMENT: ("责任通知", "assignment"),
    NoticeKind.DEADLINE_WARNING: ("时限提醒", "deadline warning"),
    NoticeKind.ESCALATION: ("升级上报", "escalation"),
    NoticeKind.DESIGN_DEFECT: ("设计缺陷通报", "design defect"),
    NoticeKind.BATCH_INCIDENT: ("批量事故通报", "batch incident"),
    NoticeKind.QUALITY_ANALYSIS: ("质量分析", "quality analysis"),
}
WHYS: Final[Mapping[str, Spoken]] = {
    people.UNKNOWN: ("制度中无此人", "is nobody the policy knows"),
    people.LEFT: ("离职日期为", "left on"),
    people.COMPLAINED_OF: ("为被投诉人", "is complained of"),
    people.BELOW: ("为被投诉人的下属", "answers to the person complained of"),
    people.HAD_THEIR_SAY: ("此前已经手", "has dealt with it before"),
    people.BELOW_WHO_HAD: ("为此前经手者的下属", "answers to somebody who has dealt with it before"),
}
CHARGES: Final[Mapping[Charge, Spoken]] = {
    Charge.COMPLAINT: ("投诉事项", "the complaint itself"),
    Charge.HANDLING: ("处理不及时或不妥当", "handled late or badly"),
}
BEARS: Final[Mapping[Bears, Spoken]] = {
    Bears.DIRECT: ("直接责任", "did it"),
    Bears.HEAD: ("领导责任", "heads the unit"),
}
WAYS: Final[Mapping[SanctionWay, Spoken]] = {
    SanctionWay.PAY_SHARE: ("扣发工资", "share of pay"),
    SanctionWay.FINE: ("罚款", "fine"),
    SanctionWay.CRITICISM: ("批评", "criticism"),
    SanctionWay.DEMERIT: ("记过", "demerit"),
    SanctionWay.MAJOR_DEMERIT: ("记大过", "major demerit"),
    SanctionWay.DISMISSAL: ("辞退", "dismissal"),
    SanctionWay.LEGAL_ACTION: ("追究法律责任", "legal action"),
    SanctionWay.GOODS_MULTIPLE: ("按货值倍数", "multiple of the goods' value"),
    SanctionWay.DEALER_CANCELLATION: ("取消经销资格", "dealership cancelled"),
}
APPEALS: Final[Mapping[AppealOutcome, Spoken]] = {
    AppealOutcome.UPHELD: ("维持", "upheld"),
    AppealOutcome.REDUCED: ("减轻", "reduced"),
    AppealOutcome.LIFTED: ("撤销", "lifted"),
}
FIELDS: Final[Mapping[str, Spoken]] = {
    "number": ("编号", "Number"),
    "received": ("受理时间", "Received"),
    "recorded": ("登记时间", "Recorded"),
    "occurred": ("发生时间", "Occurred"),
    "channel": ("受理渠道", "Channel"),
    "complainant": ("投诉人", "Complainant"),
    "respondent": ("被投诉方", "Respondent"),
    "product": ("产品、订单", "Product, order"),
    "demand": ("投诉要求", "Demand"),
    "narrative": ("投诉内容", "Narrative"),
    "kind": ("类别", "Kind"),
    "severity": ("程度", "Severity"),
    "founded": ("是否成立", "Founded"),
    "answerable": ("责任部门与责任人", "Unit and person"),
    "status": ("状态", "Status"),
    "amended": ("已更正", "amended"),
}
# What stands where something cannot, or may not, be shown; and an answer to a yes-or-no question.
ERASED: Final[Spoken] = ("（已删除）", "(erased)")
WITHHELD: Final[Spoken] = ("（无权查看）", "(withheld)")
YES_OR_NO: Final[Mapping[bool, Spoken]] = {True: ("是", "yes"), False: ("否", "no")}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Speaks one language, in the organisation's own names and time."""

    pack: Pack
    language: Language

    def said(self, words: Spoken) -> str:
        """One of the two."""
        chinese, english = words
        return chinese if self.language is Language.CHINESE else english

    def one(self, words: Mapping[K, Spoken], what: K) -> str:
        """What one of the tables above calls it."""
        return self.said(words[what])

    def listed(self, said: Iterable[str]) -> str:
        """Several things in a row."""
        return self.said(("、", ", ")).join(said)

    def labelled(self, label: str, text: object) -> str:
        """What something is, and then itself."""
        return f"{label}{self.said(('：', ': '))}{text}"

    def time(self, moment: datetime) -> str:
        """A moment on the organisation's clock."""
        return f"{moment.astimezone(self.pack.calendar.zone):%Y-%m-%d %H:%M}"

    def name(self, person: str) -> str:
        """How somebody is called, by their id."""
        return people.name_of(self.pack, person, self.language)

    def person(self, answerable: Answerable) -> str:
        """Somebody's name."""
        return self.name(answerable.person)

    def passed_over(self, passed: PassedOver) -> str:
        """Who was passed over, and why (ASG-2, ASG-4)."""
        known = next((each for each in WHYS if passed.why.startswith(each)), None)
        why = passed.why if known is None else self.said(WHYS[known]) + passed.why.removeprefix(known)
        return self.labelled(self.name(passed.person), why)

    def unit(self, unit: str) -> str:
        """A unit's name."""
        return people.unit_title(self.pack, unit, self.language)

    def who(self, answerable: Answerable) -> dict[str, str]:
        """Unit and person, as templates name them."""
        return {"unit": self.unit(answerable.unit), "person": self.person(answerable)}

    def money(self, money: Money | None) -> str:
        """An amount with its currency; nothing where there is none."""
        return f"{money.amount} {money.currency}" if money else ""

    def text(self, text: str | None) -> str:
        """What somebody said, unaltered, or that it was erased, or is withheld from this reader."""
        if isinstance(text, Erased):
            return self.said(ERASED)
        return self.said(WITHHELD) if isinstance(text, Masked) else text or ""

    def complainant(self, complainant: Complainant) -> str:
        """Who complained, and the customer's id where there is one."""
        return rows(self.text(complainant.name), complainant.customer_id)

    def respondent(self, respondent: Respondent) -> str:
        """What or whom it is against."""
        kind = self.one(RESPONDENTS, respondent.kind)
        return rows(f"{kind} {respondent.reference}", self.text(respondent.name))

    def demand(self, demand: Demand) -> str:
        """What is asked for, in kind, in words and in money."""
        return rows(self.one(DEMANDS, demand.kind), self.text(demand.text), self.money(demand.money))


def rows(*said: str | None) -> str:
    """What is said, a line each; nothing takes no line."""
    return "\n".join(each for each in said if each)
