"""The handling form on real servers: what every service put on record, one page, two languages (REC-7)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from libs.events.contracts import intake, investigate, notify
from libs.events.contracts.assign import PassedOver
from libs.events.contracts.handling import Kind, Severity
from libs.events.contracts.values import Complainant, Demand, DemandKind, Language, Money
from libs.policy import deadlines
from services.resolution.app import SERVICE
from tests import alongside, backends, complaint_history, printed_page, service_kit
from tests.complaint_history import NOW, Writer
from tests.contract import samples
from tests.e2e import desk
from tests.packs import standard
from tests.printed_page import Page
from tests.service_kit import problem, until

WORKER, HEAD, OFFICER = "production-officer", "production-head", "quality-officer"
WOULD_RUN = "三支灯管<script>alert('闪烁')</script> & “flicker” \"x\""
SCOPES = " ".join(desk.EVERY_SCOPE)
MONEY = {"amount": "900.00", "currency": "CNY"}
REMEDY = {"kind": "repair", "text": "换驱动 <b>", "money": MONEY}


@dataclass
class Running:
    """Resolution, started; and the pens of the other services."""

    database: backends.Database
    service: desk.Intake
    client: httpx.AsyncClient
    intake: Writer
    investigation: Writer
    notifier: Writer

    async def recorded(self, **changes: Any) -> UUID:
        complaint_id = uuid4()
        await self.intake.says(complaint_history.recorded(complaint_id, narrative=WOULD_RUN, **changes))
        return complaint_id

    async def form(self, complaint_id: UUID, language: str = "en", scopes: str = SCOPES) -> Page:
        answer = await self.client.get(
            f"/v1/complaints/{complaint_id}/handling-form",
            params={"language": language},
            headers={"authorization": f"Bearer {service_kit.token(scope=scopes)}"},
        )
        return printed_page.read(answer, language)

    async def done(self, path: str, content: Any, by: str = OFFICER) -> dict[str, Any]:
        bearer = {"authorization": f"Bearer {service_kit.token(sub=by)}"}
        answer = await self.client.post(f"/v1/{path}", json=content, headers=bearer)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def until_missing(self, complaint_id: UUID, what: str, about: str | None = None) -> None:
        """Wait until the service has heard of what was found, and knows what is owed for it."""

        async def owed() -> bool:
            steps = (await self.client.get(f"/v1/complaints/{complaint_id}/outcome")).json()["steps"]
            missing = [each for step in steps for each in step["missing"]]
            return any((each["what"], each["about"]) == (what, about) for each in missing)

        await until(owed)

    async def found(self) -> UUID:
        """A complaint, assigned, whose cause was found."""
        complaint_id = await self.recorded()
        await self.intake.says(complaint_history.classified(complaint_id))
        assigned = complaint_history.assigned(complaint_id)
        due = deadlines.all_due(standard(), assigned.severity, NOW)
        fields = {name: getattr(assigned, name) for name in assigned.__slots__}
        await self.intake.says(type(assigned)(**{**fields, "due": due}))
        await self.investigation.says(finding(complaint_id), category="investigation")
        for person in (WORKER, HEAD):
            await self.until_missing(complaint_id, "decision", person)
        return complaint_id

    async def tell(self, complaint_id: UUID, text: str) -> None:
        notice_id = uuid4()
        for said in (written(complaint_id, notice_id, text), delivered(complaint_id, notice_id)):
            await self.notifier.says(said, notice_id, "notifier")


def finding(complaint_id: UUID) -> investigate.FindingRecorded:
    return investigate.FindingRecorded(
        investigation_id=complaint_id,
        complaint_id=complaint_id,
        data_subject=f"customer:C-{complaint_id}",
        round=1,
        cause=investigate.Cause(code="cold-solder", text="虚焊"),
        responsible=(investigate.ResponsibleParty(unit="production", person=WORKER, share=Decimal("0.5")),),
        company_is_cause=True,
        appraisal=None,
        appraisal_basis=None,
        possible_causes=(),
        evidence_ids=(uuid4(),),
        loss=investigate.Loss(money=Money(amount=Decimal("900.00"), currency="CNY"), basis="one visit"),
        repeat_repair=False,
        adopted_from=None,
        author=OFFICER,
        found_at=NOW,
    )


def written(complaint_id: UUID, notice_id: UUID, text: str) -> notify.NoticeWritten:
    return notify.NoticeWritten(
        notice_id=notice_id,
        complaint_id=complaint_id,
        data_subject=f"customer:C-{complaint_id}",
        kind=notify.NoticeKind.SOLUTION,
        recipient=notify.Recipient.CUSTOMER,
        person=None,
        to="13800000001",
        language=Language.CHINESE,
        channels=("outbox",),
        template="standard@1/solution/zh-CN",
        policy="standard@1",
        subject="解决办法",
        text=text,
        cause=uuid4(),
        due_at=None,
        warn_at=None,
        written_at=NOW,
    )


def delivered(complaint_id: UUID, notice_id: UUID) -> notify.NoticeDelivered:
    return notify.NoticeDelivered(
        notice_id=notice_id,
        complaint_id=complaint_id,
        kind=notify.NoticeKind.SOLUTION,
        recipient=notify.Recipient.CUSTOMER,
        channel="outbox",
        attempt=1,
        delivered_at=NOW,
    )


def amended(complaint_id: UUID) -> intake.ComplaintAmended:
    customer = f"C-{complaint_id}"
    return intake.ComplaintAmended(
        complaint_id=complaint_id,
        data_subject=f"customer:{customer}",
        amended_at=NOW,
        author="after-sales-officer",
        reason="misheard on the phone",
        complainant=Complainant(name="王晓明", phone="13800000009", customer_id=customer),
        narrative="四支灯管闪烁",
        supplement="later all of them",
        demand=Demand(kind=DemandKind.REFUND, text="退钱"),
    )


@pytest.fixture
async def running(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> AsyncIterator[Running]:
    others = ("intake", "investigation", "notifier")
    async with alongside.started(SERVICE, database, nats_server, tmp_path, others) as found:
        found.app.state.resources.now = lambda: NOW
        yield Running(database, desk.Intake(found.app), found.client, **found.pens)


def cells(page: Page, heading: str) -> list[str]:
    """What was decided, by whom, in the only line of that heading."""
    (found,) = [row for row in page.rows if row[0] == heading]
    return found[1:3]


async def handled(running: Running) -> UUID:
    """A complaint in the middle of its steps 5 to 8."""
    complaint_id = await running.found()
    place = f"complaints/{complaint_id}"
    case = await running.done(f"{place}/proposals", {"remedies": [REMEDY]})
    for office in case["solution"]["waiting_for"]:
        await running.done(f"{place}/proposals/1/approvals", {"approved": True}, by=office["person"])
    await running.tell(complaint_id, "我们上门更换驱动")
    await running.done(f"{place}/proposals/1/answers", {"answer": "accepted", "text": "好的"})
    charge = {"person": WORKER, "clause": "PEN-L1", "month_wage": "8000", "reason": "careless"}
    await running.done(f"{place}/sanctions", charge)
    await running.done(f"{place}/waivers", {"person": HEAD, "reason": "was on leave"})
    measure = {
        "complaint_ids": [str(complaint_id)],
        "lesson": "no one looks",
        "measure": "look",
        "owner": HEAD,
    }
    planned = await running.done("improvements", measure)
    await running.until_missing(complaint_id, "completion", planned["improvement_id"])
    return complaint_id


@pytest.mark.rule("REC-7")
async def test_the_complaint_and_what_was_judged_and_found(running: Running) -> None:
    complaint_id = await handled(running)
    english = await running.form(complaint_id)
    assert english.title == "Complaint handling form 2026-000001"
    assert english.beside("Recorded") == "2026-11-20 09:12", "on the organisation's clock"
    assert english.beside("Narrative") == WOULD_RUN
    assert english.beside("Complainant") == f"王小明\nC-{complaint_id}"
    assert english.beside("Unit and person") == "Quality management Quality engineer"
    decided, by = cells(english, "Judged")
    assert "Severity: serious" in decided
    assert "Founded: yes\nlooked at" in decided
    assert by == "the system, by rule"
    decided, by = cells(english, "Finding")
    assert "Cause: cold-solder\n虚焊" in decided
    assert "Responsible: Production Production supervisor 50%" in decided
    assert "Estimated loss: 900.00 CNY\none visit" in decided
    assert by == "Quality engineer"


@pytest.mark.rule("REC-7", "GOV-1")
async def test_the_solution_the_sanctions_the_measures_and_what_is_missing(running: Running) -> None:
    english = await running.form(await handled(running))
    decided, by = cells(english, "Solution proposed")
    assert "Remedies: repair · 换驱动 <b> · 900.00 CNY" in decided
    assert "Borne by: the company" in decided
    approved = [row[1] for row in english.rows if row[0] == "Approved"]
    assert approved
    assert all("Ground: standard@1\nPRO-M3" in each for each in approved)
    assert cells(english, "Customer answered")[0] == "Proposal: 1\nAnswer: accepted\nWords: 好的"
    assert "我们上门更换驱动" in cells(english, "Notice")[0]
    assert "Channel: outbox" in cells(english, "Notice arrived")[0]
    decided, by = cells(english, "Sanction")
    assert "Person: Production Production supervisor" in decided
    assert "Amount: 160.00 CNY" in decided
    assert "Each month: 2026-11 160.00 CNY" in decided
    assert "Ground: standard@1\nPEN-L1 Share of wage by loss" in decided
    assert by == "Quality engineer"
    assert "Reason: was on leave\nGround: standard@1" in cells(english, "Waived")[0]
    assert "Owner: Production Production manager" in cells(english, "Measure planned")[0]
    missing = [row[1:] for row in english.rows if row[0] == "Missing"]
    assert [(what, by) for what, by, _ in missing] == [
        ("carrying it out", "Quality management Quality engineer"),
        ("completing the measure", "Production Production manager"),
    ]
    assert all(at.startswith("2026-") for _, _, at in missing)


@pytest.mark.rule("REC-7")
async def test_the_same_in_chinese(running: Running) -> None:
    chinese = await running.form(await handled(running), "zh-CN")
    assert chinese.title == "客户投诉处理表 2026-000001"
    assert chinese.beside("投诉内容") == WOULD_RUN
    assert chinese.beside("责任部门与责任人") == "质量管理部 质量工程师"
    assert "当事人：生产部 生产主管" in cells(chinese, "处罚")[0]
    assert "依据：standard@1\nPEN-L1 按损失扣发" in cells(chinese, "处罚")[0]
    titles = [
        "记录投诉内容",
        "判断性质",
        "确定处理责任",
        "调查原因",
        "提出解决办法",
        "通知顾客",
        "责任处罚",
        "提出改善对策",
    ]
    places = [chinese.text.index(f"{number}. {title}") for number, title in enumerate(titles, start=1)]
    assert places == sorted(places)


@pytest.mark.rule("REC-7", "ASG-2", "ASG-4", "INV-2")
async def test_who_was_passed_over_and_what_turned_out_to_be_of_another_kind(running: Running) -> None:
    complaint_id = await running.recorded()
    passed = (
        PassedOver(person="quality-officer", why="left on 2026-01-01"),
        PassedOver(person="quality-deputy", why="is complained of"),
    )
    await running.intake.says(replace(complaint_history.assigned(complaint_id), passed_over=passed))
    duty = investigate.Duty(unit="sales", duty="提供订单", due_at=NOW)
    await running.investigation.says(
        investigate.InvestigationReclassified(
            investigation_id=complaint_id,
            complaint_id=complaint_id,
            kind=Kind.CONTRACT_DISPUTE,
            severity=Severity.SERIOUS,
            asked=(duty,),
            dropped=("technology",),
            acted_on=1,
            reclassified_at=NOW,
        ),
        category="investigation",
    )
    english, chinese = await running.form(complaint_id), await running.form(complaint_id, "zh-CN")
    decided, _ = cells(english, "Assigned")
    assert "Quality engineer: left on 2026-01-01\nDeputy quality manager: is complained of" in decided
    assert "质量工程师：离职日期为 2026-01-01\n质量副经理：为被投诉人" in cells(chinese, "确定责任")[0]
    decided, by = cells(english, "Investigated as of another kind")
    assert "Kind: contract dispute" in decided
    assert "Asked of: Sales 提供订单 2026-11-20 09:12\nNo longer asked of: Technology" in decided
    assert by == "the system, by rule"
    assert "不再要求：技术部" in cells(chinese, "改按其他类别调查")[0]


@pytest.mark.rule("REC-7", "INV-3", "INV-5")
async def test_what_a_visit_took_back_and_what_a_supplier_owes(running: Running) -> None:
    complaint_id = await running.recorded()
    about = {"investigation_id": complaint_id, "complaint_id": complaint_id}
    visit = samples.sample(investigate.FieldVisitMade, "visit")
    visit = replace(visit, **about, data_subject=f"customer:C-{complaint_id}", on_time=False)
    notified = samples.sample(investigate.SupplierNotified, "supplier")
    notified = replace(notified, **about, data_subject=f"customer:C-{complaint_id}", model="CAP-22")
    for said in (visit, notified):
        await running.investigation.says(said, category="investigation")
    form = await running.form(complaint_id)
    decided, _ = cells(form, "Field visit made")
    assert "On time: no\nForce majeure: " in decided
    assert "Taken back: yes\nPromised for: 2026-11-20\nSigned by the customer: yes" in decided
    decided, _ = cells(form, "Supplier notified")
    assert "Model, quantity: CAP-22 × 3\nPlace: " in decided
    assert "Reached at: contact" in decided


@pytest.mark.rule("REC-7", "REC-6")
async def test_the_newest_word_holds_and_the_first_stays_visible(running: Running) -> None:
    complaint_id = await running.recorded()
    await running.intake.says(amended(complaint_id))
    form = await running.form(complaint_id)
    assert form.beside("Narrative") == "四支灯管闪烁\nlater all of them"
    assert form.beside("Complainant") == f"王晓明\nC-{complaint_id}"
    assert form.beside("Demand") == "refund\n退钱"
    assert form.beside("Amendments") == "1 (2026-11-20 09:12)"
    decided, by = cells(form, "Amended")
    assert "Reason: misheard on the phone" in decided
    assert by == "Customer service officer"
    (first,) = [row[1] for row in form.rows if row[0] == "Recorded" and len(row) == 4]
    assert WOULD_RUN in first
    assert "王小明" in first


@pytest.mark.rule("REC-7", "SEC-2")
async def test_no_words_of_people_for_who_may_not_read_them_nor_once_they_are_erased(
    running: Running,
) -> None:
    complaint_id = await running.recorded()
    await running.intake.says(amended(complaint_id))
    await running.tell(complaint_id, "王先生，您好")
    personal = ("王小明", "王晓明", "13800000001", "闪烁", "later", "退钱", "misheard", "王先生")
    assert not [each for each in personal if each not in (await running.form(complaint_id)).text]

    withheld = await running.form(complaint_id, scopes="complaints:read")
    assert not [each for each in personal if each in withheld.text]
    assert withheld.beside("Complainant") == f"(withheld)\nC-{complaint_id}"
    assert withheld.beside("Demand") == "refund\n(withheld)"

    await desk.erase(running.database, running.service, f"customer:C-{complaint_id}")
    erased = await running.form(complaint_id, "zh-CN")
    assert not [each for each in personal if each in erased.text]
    assert erased.beside("投诉人") == f"（已删除）\nC-{complaint_id}"
    assert erased.beside("投诉内容") == "（已删除）\n（已删除）"


@pytest.mark.rule("REC-7")
async def test_what_is_no_complaint_has_no_form(running: Running) -> None:
    answer = await running.client.get(f"/v1/complaints/{uuid4()}/handling-form")
    problem(answer, 404, "not_found")
    complaint_id = await running.recorded()
    path = f"/v1/complaints/{complaint_id}/handling-form"
    problem(await running.client.get(path, params={"language": "fr"}), 422, "malformed", "/language")
    stranger = {"authorization": f"Bearer {service_kit.token(scope='audit:read')}"}
    problem(await running.client.get(path, headers=stranger), 403, "insufficient_scope")
    other = {"authorization": f"Bearer {service_kit.token(org='nobody')}"}
    assert (await running.client.get(path, headers=other)).status_code == 403
