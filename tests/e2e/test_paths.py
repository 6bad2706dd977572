"""All eight steps over HTTP and JetStream on a real running system: the paths that a complaint can take."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from deploy.people.calls import money
from deploy.simulation import parts
from deploy.simulation.world import START
from tests.e2e import offices
from tests.e2e.steps import Office

pytestmark = pytest.mark.asyncio(loop_scope="module")
rule = pytest.mark.rule

MAKER, MAKERS_HEAD = "production-officer", "production-head"
HANDLER = "quality-officer"  # to whom the policy gives what is wrong with a product
ALL_EIGHT = (
    "complaint_recorded",
    "complaint_classified",
    "complaint_assigned",
    "finding_recorded",
    "solution_proposed",
    "execution_advanced",
    "responsibility_waived",
    "improvement_not_needed",
    "complaint_closed",
)
FIRST_DAY = {"received_at": START.isoformat(), "occurred_at": START.isoformat()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office() -> AsyncIterator[Office]:
    async with offices.real() as running:
        yield running


def goods(**changes: Any) -> dict[str, Any]:
    """What only one test complains of, so that no two tests are a batch incident or duplicates."""
    mark = os.urandom(4).hex()
    product = {
        "order_number": f"SO-{mark}",
        "part_number": f"LED-{mark}",
        "delivered_on": "2026-11-10",
        "quantity": 40,
        "defective_quantity": 3,
        "requirement": "no flicker",
    }
    return {
        "complainant": {"name": "示例顾客", "phone": f"000-{mark}"},
        "respondent": {"kind": "product", "reference": f"LED-{mark}"},
        "product": product | changes,
    }


@rule("REC-1", "CLS-6", "ASG-1", "ASG-2", "INV-1", "INV-2", "PRO-1", "PRO-5", "PRO-6", "PRO-7")
@rule("NTF-1", "NTF-2", "NTF-5", "PEN-1", "PEN-5", "IMP-1")
async def test_the_straight_path(office: Office) -> None:
    complaint = await office.record(**goods())
    await complaint.find(MAKER, cause="seam")
    await complaint.propose("repair", 150)
    await complaint.answer("accepted")
    await complaint.execute()
    await complaint.waive(MAKER, MAKERS_HEAD)
    assert await complaint.missing() == [("measure", HANDLER)]
    await complaint.spare()
    await complaint.closes("resolved")
    assert complaint.went_through(*ALL_EIGHT)
    [judged] = complaint.history("complaint_classified")
    assert (judged["ground"]["person"], judged["ground"]["policy"]) == (None, "standard@1")
    assert [each["stage"] for each in complaint.history("execution_advanced")] == [
        "started",
        "done",
        "tested",
        "certified",
        "signed_for",
    ]
    for kind in ("acknowledgement", "progress", "solution", "closing"):
        assert await complaint.notices(kind)
    assert await complaint.notices("assignment", HANDLER)
    assert await complaint.notices("quality_analysis", MAKERS_HEAD)


@rule("CLS-4", "CLS-5", "NTF-2")
async def test_unfounded(office: Office) -> None:
    complaint = await office.record(**goods(defective_quantity=0))
    await complaint.closes("unfounded")
    assert complaint.went_through("complaint_classified", "notice_written", "complaint_closed")
    [reply] = await complaint.notices("unfounded_reply")
    assert reply["template"] == "standard@1/unfounded_reply/zh-CN"
    [judged] = complaint.history("complaint_classified")
    assert "CLS-F1" in judged["ground"]["clause"].split(", ")
    assert judged["founded"]["reason"]
    assert complaint.history("complaint_assigned") == complaint.history("responsibility_raised") == []


@rule("CLS-4", "CLS-5", "CLS-6")
async def test_contested(office: Office) -> None:
    complaint = await office.record(**goods(delivered_on="2026-11-19"))  # the day after it happened
    await complaint.closes("unfounded")
    await complaint.contest("The box was opened on the 17th; the slip is dated wrongly")
    assert await complaint.owed_by("judgement") == "after-sales-deputy"
    await complaint.judge(founded=True)
    assert await complaint.refuses("intake", "contest", "customer", new_facts="Once more") == "not_unfounded"
    await complaint.find(MAKER, cause="slip")
    await complaint.conclude(MAKER, MAKERS_HEAD)
    await complaint.spare()
    await complaint.closes("resolved")
    assert complaint.went_through("complaint_closed", "classification_contested", *ALL_EIGHT[1:])
    judges = [each["ground"]["person"] for each in complaint.history("complaint_classified")]
    assert (judges[0], judges[-1]) == (None, "after-sales-deputy")


@rule("PRO-4", "PRO-3")
async def test_declined_twice(office: Office) -> None:
    complaint = await office.record(**goods())
    await complaint.find(MAKER, cause="seam")
    await complaint.propose("repair", 150)
    await complaint.answer("declined")
    await complaint.propose("apology")
    await complaint.answer("countered")
    settling = ("resolution", "proposals/2/settlement")
    assert await complaint.refuses(*settling, HANDLER, reason="I say so") == "not_the_adjudicator"
    await complaint.settle("deputy-general-manager")
    await complaint.execute()
    await complaint.waive(MAKER, MAKERS_HEAD)
    await complaint.spare()
    await complaint.closes("resolved")
    assert [each["answer"] for each in complaint.history("customer_answered")] == ["declined", "countered"]
    assert complaint.went_through("customer_answered", "customer_answered", "dispute_settled")
    assert len(await complaint.notices("solution")) == 2


@rule("PRO-3", "NTF-1")
async def test_return_with_general_manager(office: Office) -> None:
    complaint = await office.record(**goods())
    await complaint.find(MAKER, cause="seam")
    standing = await complaint.propose("return_and_refund", 2600)
    assert {each["person"] for each in standing["solution"]["waiting_for"]} == {
        "general-manager",
        "after-sales-head",
    }
    answering = ("resolution", "proposals/1/answers")
    assert await complaint.refuses(*answering, "customer", answer="accepted") == "not_yet_offered"
    await complaint.approve("after-sales-head")
    assert await complaint.missing() != []
    assert await complaint.owed_by("approval") == "general-manager"
    assert complaint.history("notice_written", kind="solution") == []
    await complaint.approve("general-manager")
    await complaint.notices("solution")
    await complaint.answer("accepted")
    await complaint.execute()
    await complaint.waive(MAKER, MAKERS_HEAD)
    await complaint.spare()
    await complaint.closes("resolved")
    assert [each["complete"] for each in complaint.history("solution_approved")] == [False, True]


@rule("ASG-1", "INV-5")
async def test_supplier_caused(office: Office) -> None:
    complaint = await office.record(**goods(part_number=f"BAT-{os.urandom(4).hex()}"))
    await complaint.examine()
    assert await complaint.owed_by("finding") == "procurement-officer"
    noticed = await complaint.post(
        "investigation",
        "supplier-notices",
        "procurement-officer",
        supplier="battery-supplier",
        problem="Cells leak",
        model="BAT-48V",
        quantity=3,
        place="Warehouse 1",
        contact="示例联系人",
        phone="000-1",
        cost=money(500),
    )
    assert noticed["supplier_notices"] == [1]
    await complaint.find("procurement-officer", cause="cells")
    await complaint.conclude("procurement-officer", "procurement-head")
    await complaint.spare()
    solved = await complaint.post("investigation", "supplier-notices/1/solution", "procurement-officer")
    assert solved["supplier_notices"] == []
    await complaint.closes("resolved")
    await complaint.happened("supplier_solved", notice=1)
    [notified] = complaint.history("supplier_notified")
    assert notified["supplier"] == "battery-supplier"
    assert notified["due_at"] > notified["notified_at"]


@rule("ASG-4", "PEN-3")
async def test_supervisor_complained_of(office: Office) -> None:
    about = {"respondent": {"kind": "person", "reference": "after-sales-head"}, "product": None}
    complaint = await office.record(**goods() | about | {"narrative": "他不理人。"})
    assigned = await complaint.happened("complaint_assigned")
    assert assigned["answerable"]["person"] == "general-manager"
    assert {each["person"] for each in assigned["passed_over"]} >= {"after-sales-officer", "after-sales-head"}
    giving = ("intake", "assignment", "general-manager")
    for person in ("after-sales-officer", "after-sales-head"):
        to = {"unit": "after-sales", "person": person, "reason": "They know the place"}
        assert await complaint.refuses(*giving, **to) == "judge_in_own_cause"
    await complaint.find("after-sales-head", cause="manner", loss=0)
    await complaint.conclude()
    sanction = await complaint.sanction("after-sales-head", "PEN-C1")
    assert sanction["way"] == "criticism"
    await complaint.spare()
    await complaint.closes("resolved")
    [imposed] = complaint.history("sanction_imposed")
    assert (imposed["imposed_by"], imposed["ground"]["clause"]) == ("general-manager", "PEN-C1")


@rule("ASG-5", "NTF-5")
async def test_buck_passing(office: Office) -> None:
    complaint = await office.record(**goods())
    await complaint.happened("complaint_assigned")
    await complaint.assign("technology-officer", by=HANDLER)
    await complaint.assign("production-officer", by="technology-officer")
    assert complaint.history("complaint_escalated") == []
    await complaint.assign("sales-officer", by="production-officer")
    escalated = await complaint.happened("complaint_escalated")
    assert (escalated["cause"], escalated["to"]["person"]) == ("buck_passing", "general-manager")
    assert await complaint.notices("escalation", "general-manager")
    await complaint.happened("case_handed_over")
    await complaint.find(MAKER, cause="seam")
    await complaint.conclude(MAKER, MAKERS_HEAD)
    await complaint.spare()
    await complaint.closes("resolved")


@rule("CLS-7", "IMP-3", "NTF-5", "PRO-3")
async def test_batch_incident(office: Office) -> None:
    """Closed but for the check of its measure: that comes after the policy's ninety days."""
    same = {name: value for name, value in goods().items() if name != "complainant"}
    complaints = [await office.record(**goods() | same) for _ in range(3)]
    for each in complaints:
        await each.happened("complaint_joined_incident")
        await each.happened("investigation_joined")
    found = await complaints[-1].find(MAKER, cause="batch-seam", loss=9000)
    assert found["incident_id"] == complaints[0].history("complaint_joined_incident")[0]["incident_id"]
    await office.happened("notice_written", kind="batch_incident", person="general-manager")
    for each in complaints:
        adopted = await each.happened("finding_recorded", complaint_id=each.id)
        assert adopted["adopted_from"] is not None
    measure = await office.measure(*complaints, owner=MAKERS_HEAD)
    await measure.complete()
    for each in complaints:
        standing = await each.propose("apology")  # what is major now, each department approves
        approvals = {wanted["office"]: wanted for wanted in standing["solution"]["waiting_for"]}
        assert approvals.keys() == {"after-sales", "quality", "technology", "production"}
        for wanted in approvals.values():
            assert wanted["clause"] == "PRO-M6"
            await each.approve(wanted["person"])
        await each.answer("accepted")
        await each.execute()
        await each.waive(MAKER, MAKERS_HEAD)
        await each.notices("solution")
        assert await each.missing() == [("verification", "general-manager")]
        assert await each.notices("improvement")


@rule("INV-6", "PEN-8")
async def test_repeat_repair(office: Office) -> None:
    unit = goods(serial_number=f"SN-{os.urandom(4).hex()}")
    first = await office.record(**unit)
    await first.find(MAKER, cause="seam")
    await first.propose("repair", 150)
    await first.answer("accepted")
    await first.execute()
    await first.waive(MAKER, MAKERS_HEAD)
    await first.spare()
    await first.closes("resolved")
    again = await office.record(**unit)
    await again.is_to_be_investigated()
    await again.find(MAKER, cause="seam")
    flagged = await again.happened("repeat_repair_flagged")
    assert flagged["earlier_complaint_id"] == first.id
    sanction = await again.sanction(MAKER, "PEN-M4")
    assert sanction["way"] == "major_demerit"
    await again.conclude(MAKERS_HEAD)
    await again.spare()
    await again.closes("resolved")


@rule("PEN-2", "PEN-3", "PEN-4", "PEN-7")
async def test_appeal_reduced(office: Office) -> None:
    complaint = await office.record(**goods())
    await complaint.find(MAKER, cause="seam", loss=4000)
    await complaint.conclude(MAKERS_HEAD)
    await complaint.spare()
    imposed = await complaint.sanction(MAKER, "PEN-L1")
    assert imposed["amount"] == money("300.00")  # 5 % of the wage that the policy assumes
    await complaint.closes("resolved")
    await complaint.appeal(imposed)
    deciding = ("resolution", "sanctions/1/appeals/decision")
    lifted = {"outcome": "lifted", "reason": "I would"}
    assert await complaint.refuses(*deciding, HANDLER, **lifted) == "judge_in_own_cause"
    assert await complaint.refuses(*deciding, "sales-head", **lifted) == "not_the_judge"
    decided = await complaint.decide_appeal(imposed, "reduced", amount=money("120.00"))
    assert (decided["amount"], decided["appeal"]) == (money("120.00"), "reduced")
    [heard] = complaint.history("appeal_decided") or [await complaint.happened("appeal_decided")]
    assert (heard["decided_by"], heard["outcome"]) == ("human-resources-head", "reduced")
    assert (await complaint.outcome())["closed"]


@rule("IMP-1", "IMP-2", "IMP-3")
async def test_ineffective_improvement(office: Office) -> None:
    """It stays open until the measure has been observed for the policy's ninety days and found effective."""
    complaint = await office.record(**goods())
    cause = f"seam-{os.urandom(4).hex()}"
    await complaint.find(MAKER, cause=cause)
    measure = await office.measure(complaint, owner=MAKERS_HEAD)
    await measure.complete()
    effective = {"effective": True, "text": "Fine"}
    assert await measure.refuses("verification", "general-manager", **effective) == "still_observed"
    assert await measure.refuses("verification", MAKERS_HEAD, **effective) == "own_measure"
    await measure.verify(effective=False)
    await measure.complete()
    again = await office.record(**goods())
    await again.find(MAKER, cause=cause)
    reopened = await again.happened("improvement_reopened")
    assert (reopened["improvement_id"], reopened["cause_code"]) == (measure.id, cause)
    await complaint.conclude(MAKER, MAKERS_HEAD)
    await complaint.notices("solution")
    assert await complaint.missing() == [("completion", MAKERS_HEAD)]
    await measure.complete()
    assert await complaint.missing() == [("verification", "general-manager")]
    await again.conclude(MAKER, MAKERS_HEAD)
    await again.notices("solution")
    assert await again.missing() == [("verification", "general-manager")]


@rule("SLA-1", "SLA-3", "SLA-4", "NTF-3", "PEN-1")
async def test_missed_first_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """On simulated time, over the same HTTP applications: a policy gives hours at least, never seconds."""
    monkeypatch.setattr(parts, "FAILING", 2.0)  # no channel works, so nothing that is written arrives
    async with offices.simulated() as (office, world):
        complaint = await office.record(**goods(delivered_on="2025-12-20"), **FIRST_DAY)
        await complaint.happened("first_reply_owed")
        await offices.live(world, timedelta(hours=25))
        missed = await complaint.happened("deadline_missed", step="notify")
        assert datetime.fromisoformat(missed["due_at"]) == START + timedelta(hours=24)
        assert missed["due_at"] == missed["missed_at"]
        assert complaint.went_through("notice_task_raised", "deadline_warned", "deadline_missed")
        assert (await complaint.happened("complaint_escalated"))["to"]["person"] == "quality-head"
        await complaint.post("notifier", "replies", HANDLER, text="We called: an engineer will come")
        await complaint.happened("first_reply_given", author=HANDLER)
        monkeypatch.setattr(parts, "FAILING", 0.0)
        sanction = await complaint.sanction(HANDLER, "PEN-F3", charge="handling")
        assert sanction["amount"] == money("50.00")
        await complaint.waive("quality-head", charge="handling")
        await complaint.find(MAKER, cause="seam")
        await complaint.conclude(MAKER, MAKERS_HEAD)
        await complaint.spare()
        await complaint.closes("resolved")
