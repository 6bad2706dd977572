"""What people do about what they owe: one small rule for each thing that can be missing of a complaint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from deploy.people import moods, settlements
from deploy.people.calls import Answer, Json, money
from deploy.people.owing import Owed
from deploy.people.staff import Case, Mood, Rule, Staff

FAULTS: Final = ("solder", "seal", "driver", "packing", "wiring", "assembly")
CONTRIBUTING: Final = 0.6  # of the units that are asked; a finding does not wait for the others
MAKERS: Final = ("production-officer", "technology-officer", "sales-officer", "quality-officer")

# ── Steps 2 and 3 ─────────────────────────────────────────────────────────────────────────────────


async def supply_details(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """The customer sends what was missing, or some of it cannot be had (REC-2)."""
    happened = datetime.fromisoformat(case.request["occurred_at"] or case.request["received_at"])
    before = timedelta(days=-20 if case.happens("before delivery", 0.04) else 120)
    known: Json = {
        "order_number": f"SO-{case.number}",
        "part_number": "LED-T8-18W",
        "delivered_on": min(happened - before, staff.pace.now()).date().isoformat(),
        "quantity": 1,
        "defective_quantity": 1,
        "requirement": "as ordered",
    }
    body: Json = {"reason": "The customer called back"}
    if case.happens("details", 0.7):
        body["product"] = {name: known[name] for name in case.missing_details}
        if case.happens("nothing defective", 0.06):
            body["product"]["defective_quantity"] = 0
    else:
        body["unavailable_details"] = list(case.missing_details)
    return await staff.callers.post("intake", f"{case.path}/amendments", owed.person, body)


async def judge(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """Another judge judges what was contested (CLS-5); all else the policy judges by itself."""
    if not case.times["contest"]:
        return None
    return await classify(staff, case, owed.person, founded=case.happens("contest upheld", 0.6))


async def classify(staff: Staff, case: Case, person: str, *, founded: bool) -> Answer:
    """A judgement in words (CLS-4)."""
    body = {
        "kind": "product_quality" if case.request["respondent"]["kind"] == "product" else "service",
        "nature": "quality_anomaly" if case.request["respondent"]["kind"] == "product" else "human_factors",
        "severity": case.choose("severity", ("minor", "minor", "serious")),
        "founded": {"value": founded, "reason": "Looked at again by another person"},
        "demand_reasonable": {"value": True, "reason": "In proportion to what happened"},
    }
    return await staff.callers.post("intake", f"{case.path}/classification", person, body)


async def reply(staff: Staff, case: Case, owed: Owed) -> Answer:
    """An enquiry is answered, or turns out to be a complaint (REC-4, SLA-1)."""
    if case.happens("is a complaint", 0.5):
        said = {"reason": "The lamp they ask about does not work"}
        return await staff.callers.post("intake", f"{case.path}/conversion", owed.person, said)
    said = {"text": "We called back and explained how to mount it"}
    return await staff.callers.post("notifier", f"{case.path}/replies", owed.person, said)


# ── Step 4 ────────────────────────────────────────────────────────────────────────────────────────


async def investigate(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """Evidence, what the units owe, sometimes a visit or a supplier, and then the finding (INV)."""
    post = partial(staff.callers.post, "investigation")
    answer = await post(f"{case.path}/evidence", owed.person, {"text": "Examined; photos are on file"})
    if answer.refused:
        return answer
    incident_id = answer.content["incident_id"]
    if answer.content["status"] != "investigating" or incident_id in staff.incidents:
        return None  # one investigation is for all complaints of an incident, and all hear of its finding
    if incident_id:
        staff.incidents.add(incident_id)
    for unit in answer.content["contributions_owed"]:
        said = {"unit": unit, "text": f"What {unit} knows of {case.number}"}
        if case.happens(f"contributes {unit}", CONTRIBUTING):
            await post(f"{case.path}/contributions", f"{unit}-officer", said)
    if case.happens("visit", 0.12):
        await visit(staff, case, owed)
    if case.happens("supplier", 0.08):
        await notify_supplier(staff, case, owed)
    found = finding(case)
    case.memory["cause"] = found["cause"]["code"]
    answer = await post(f"{case.path}/findings", owed.person, found)
    if answer.refused:
        staff.incidents.discard(incident_id)
    return answer


def finding(case: Case) -> Json:
    """What came out: mostly the company is the cause, and one or two people answer for it (INV-1, INV-4)."""
    about = re.sub(r"[^A-Za-z0-9]+", "-", case.request["respondent"]["reference"]).strip("-")[:20]
    code = f"{about or 'X'}.{case.choose(f'fault {case.round}', FAULTS)}"
    cause = {"code": code, "text": "As the examination showed"}
    if case.happens("not our fault", 0.12):
        return {
            "cause": cause,
            "company_is_cause": False,
            "appraisal": "The goods are as specified",
            "appraisal_basis": "Measured against the drawing",
            "possible_causes": ["Overload", "Installation"],
        }
    makers = case.choose("makers", (MAKERS[:1], MAKERS[1:2], MAKERS[:2], MAKERS[2:3], MAKERS[3:]))
    return {
        "cause": cause,
        "responsible": [
            {
                "unit": maker.removesuffix("-officer"),
                "person": maker,
                "share": "0.5" if len(makers) > 1 else "1",
            }
            for maker in makers
        ],
        "company_is_cause": True,
        "loss": money(case.choose("loss", (60, 400, 1500, 12000))) | {"basis": "Parts and travel"},
        "design_defect": "The seat is too narrow" if case.happens("design", 0.03) else None,
    }


async def visit(staff: Staff, case: Case, owed: Owed) -> None:
    """Agreed, made, reported (INV-3)."""
    on_the_way = staff.pace.after(timedelta(hours=1))
    agreed = {"person": owed.person, "agreed_for": (staff.pace.now() + on_the_way).isoformat()}
    answer = await staff.callers.post("investigation", f"{case.path}/field-visits", owed.person, agreed)
    if number := answer.content.get("field_visit"):
        report = {
            "arrived_at": agreed["agreed_for"],
            "found": "As described",
            "solved_on_the_spot": case.happens("solved", 0.5),
            "signed_by_customer": True,
        }
        path = f"{case.path}/field-visits/{number}/report"
        staff.pace.appoint(case, on_the_way, partial(_reported, staff, path, owed.person, report))


async def _reported(staff: Staff, path: str, person: str, report: Json) -> None:
    await staff.callers.post("investigation", path, person, report)


async def notify_supplier(staff: Staff, case: Case, owed: Owed) -> None:
    """Written, and solved sooner or later (INV-5)."""
    body = {
        "supplier": "battery-supplier",
        "problem": "Cells leak",
        "model": "BAT-48V",
        "quantity": 3,
        "place": "Warehouse 1",
        "contact": "Procurement",
        "phone": "000-1",
        "cost": money(500),
    }
    answer = await staff.callers.post("investigation", f"{case.path}/supplier-notices", owed.person, body)
    for number in answer.content.get("supplier_notices", ()):
        path = f"{case.path}/supplier-notices/{number}/solution"
        after = staff.pace.after(timedelta(days=case.choose("supplier takes", (1, 3, 20))))
        staff.pace.appoint(case, after, partial(_solved, staff, path, owed.person))


async def _solved(staff: Staff, path: str, person: str) -> None:
    await staff.callers.post("investigation", path, person)


RULES: Final[Mapping[str, Rule]] = {
    "details": supply_details,
    "judgement": judge,
    "reply": reply,
    "finding": investigate,
    **settlements.RULES,
}
MOODS: Final[Sequence[Mood]] = moods.MOODS
