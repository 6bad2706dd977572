"""What people do about the last steps: solutions, approvals, the customer's answer, sanctions, measures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from deploy.people import schedule
from deploy.people.calls import Answer, Json, money
from deploy.people.owing import Owed
from deploy.people.staff import Case, Rule, Staff

RESOLUTION: Final = "resolution"
STAGES: Final = ("started", "done", "tested", "certified", "signed_for")
DEALS: Final = (
    ("repair", 150),
    ("part_replacement", 320),
    ("unit_replacement", 900),
    ("exchange", 1200),
    ("return_and_refund", 2600),
    ("compensation", 180),
    ("apology", None),
    ("goodwill", 1500),
)
ADJUDICATOR: Final = "deputy-general-manager"
MILDER: Final = "criticism"
HASTY: Final = 0.05  # of those who check a measure: before it was observed long enough


# ── Step 5 ───────────────────────────────────────────────────────────────────────────────────────────────


async def propose(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """What answers the demand; another one each time it was turned down, and a dispute settled in the end."""
    number = case.times["proposals"]
    kind, amount = case.choose(f"deal {number}", DEALS)
    if case.memory.get("declined", 0) >= 2:
        case.memory["declined"] = 0  # once it is settled; whatever is reopened may come to that again
        answer = await settle(staff, case)
        if answer.refused != "quote_not_accepted":
            return answer
        case.memory["declined"] = 1  # should they not like that either, it can be settled
        kind, amount = "apology", None
    cost = money(amount) if amount is not None else None
    body: Json = {"remedies": [{"kind": kind, "text": "As agreed by telephone", "money": cost}]}
    answer = await post(staff, case, "proposals", owed.person, body)
    if answer.refused == "quote_needed":
        body |= {"cost_bearer": "customer", "quote": money(260)}
        answer = await post(staff, case, "proposals", owed.person, body)
    if answer:
        case.times["proposals"] += 1
    return answer


async def settle(staff: Staff, case: Case) -> Answer:
    """Whom the policy designates decides under the contract what the customer would not accept."""
    number = case.memory["case"]["solution"]["proposal"]
    body = {"reason": "The offer is what the contract provides for"}
    place = f"proposals/{number}/settlement"
    answer = await post(staff, case, place, ADJUDICATOR, body)
    if answer.refused == "not_the_adjudicator":
        return await post(staff, case, place, answer.content["adjudicator"], body)
    return answer


async def approve(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """Mostly yes (PRO-3)."""
    yes = not case.happens(f"rejects {owed.person} {owed.about}", 0.05)
    body = {"approved": yes, "reason": "As it should be" if yes else "Too dear for what it is"}
    return await post(staff, case, f"proposals/{owed.about}/approvals", owed.person, body)


async def answer_offer(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """The customer accepts, declines or counters (PRO-4); some never like anything."""
    name = f"answer {owed.about}"
    liked = not case.happens("hard to please", 0.05) and not case.happens(name, 0.15)
    said = "accepted" if liked else case.choose(f"{name} no", ("declined", "countered"))
    if not liked:
        case.memory["declined"] = case.memory.get("declined", 0) + 1
    body = {"answer": said, "text": None if liked else "I had hoped for more"}
    return await post(staff, case, f"proposals/{owed.about}/answers", "customer", body)


async def execute(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """Stage by stage, until nothing is left (PRO-5)."""
    answer = await post(staff, case, f"proposals/{owed.about}/execution", owed.person, {"stage": STAGES[0]})
    while answer and (stage := answer.content["solution"]["next_stage"]):
        path = f"proposals/{owed.about}/execution"
        answer = await post(staff, case, path, owed.person, {"stage": stage, "note": "Done today"})
    return answer


# ── Step 7 ───────────────────────────────────────────────────────────────────────────────────────────────


async def decide(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """A sanction, a reasoned waiver, or no fault, for whoever is responsible (PEN-1, PEN-5)."""
    if owed.about is None:
        return None  # what was verified is put to somebody by itself
    tried = case.times[owed.key]
    body = {"person": owed.about, "charge": owed.charge, "rests_on": owed.rests_on}
    body["reason"] = "Verified by the investigation"
    name = f"decision {owed.about} {owed.charge} {tried}"
    if case.happens(name, 0.25):
        return await post(staff, case, "no-fault", owed.person, body)
    clause = schedule.clause(case, owed)
    if clause is None or case.happens(name, 0.5):
        return await post(staff, case, "waivers", owed.person, body)
    sanction: Json = body | {"clause": clause}
    if schedule.before_any_rules(case, owed):  # they did it before there were rules, and again since
        sanction["acted_at"] = staff.pace.now().isoformat()
    answer = await post(staff, case, "sanctions", owed.person, sanction)
    if answer.refused == "clause_does_not_apply":
        sanction["clause"] = answer.content["applicable"][0]
        answer = await post(staff, case, "sanctions", owed.person, sanction)
    if answer.refused in schedule.NOT_BINDING:
        return await post(staff, case, "waivers", owed.person, body)
    if answer:
        await speak(staff, case, answer.content["sanctions"][-1])
    return answer


async def speak(staff: Staff, case: Case, sanction: Json) -> None:
    """Who was sanctioned states their case, or appeals (PEN-4)."""
    number, person = sanction["sanction"], sanction["person"]
    words = {"text": "I had told the planner of it the day before"}
    if case.happens(f"states {number}", 0.3):
        await post(staff, case, f"sanctions/{number}/statements", person, words)
    if case.happens(f"appeals {number}", 0.3):
        appeal = partial(_post, staff, case, f"sanctions/{number}/appeals", person, words)
        staff.pace.appoint(case, staff.pace.after(timedelta(days=2)), appeal)


async def decide_appeal(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """Upheld, reduced or lifted (PEN-4)."""
    sanction = next(each for each in case.memory["case"]["sanctions"] if str(each["sanction"]) == owed.about)
    outcome = case.choose(f"appeal {owed.about}", ("upheld", "reduced", "lifted"))
    body: Json = {"outcome": outcome, "reason": "Heard again, with both sides"}
    if outcome == "reduced":
        amount = sanction["amount"]
        if amount is None and sanction["way"] == MILDER:
            body["outcome"] = "lifted"
        elif amount is None:
            body["way"] = MILDER
        else:
            body["amount"] = money(f"{float(amount['amount']) / 2:.2f}")
    return await post(staff, case, f"sanctions/{owed.about}/appeals/decision", owed.person, body)


# ── Step 8 ───────────────────────────────────────────────────────────────────────────────────────────────


async def improve(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """A measure against the cause, one that there is already, or a reason for none (IMP-1, IMP-3)."""
    cause = case.memory.get("cause", "unknown")
    if not case.happens("measure", 0.35):
        return await post(staff, case, "improvement-waiver", owed.person, {"reason": "A single case"})
    if cause in staff.measures and case.once("joins"):
        path = f"/v1/improvements/{staff.measures[cause]}/complaints"
        return await on_measure(staff, case, path, owed.person, {"complaint_id": str(case.complaint_id)})
    owner = case.choose("owner", ("production-head", "quality-head", "technology-head"))
    body = {
        "complaint_ids": [str(case.complaint_id)],
        "lesson": "The step was not checked",
        "measure": "Check every tenth piece",
        "owner": owner,
    }
    answer = await on_measure(staff, case, "/v1/improvements", owed.person, body)
    if answer:
        staff.measures[cause] = answer.content["improvement_id"]
    return answer


async def complete(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """Its owner says how far it is, then that it is in place."""
    path = f"/v1/improvements/{owed.about}"
    if case.happens(f"progress {owed.about}", 0.5):
        await staff.callers.post(RESOLUTION, f"{path}/progress", owed.person, {"text": "Half of it is done"})
    return await on_measure(staff, case, f"{path}/completion", owed.person)


async def verify(staff: Staff, case: Case, owed: Owed) -> Answer | None:
    """Another person looks whether it had its effect, once it was observed long enough (IMP-1)."""
    effective = not case.happens(f"ineffective {case.times[owed.key]}", 0.15)
    until = staff.observed_until.get(owed.about or "", staff.pace.now())
    hasty = case.happens(f"hasty {owed.about}", HASTY) and case.once(f"hasty {owed.about}")
    if effective and until > staff.pace.now() and not hasty:
        put_off(staff, case, owed, until - staff.pace.now())
        return None
    body = {"effective": effective, "text": "Looked at the last hundred pieces"}
    path = f"/v1/improvements/{owed.about}/verification"
    answer = await on_measure(staff, case, path, owed.person, body)
    if answer.refused == "still_observed":
        put_off(staff, case, owed, until - staff.pace.now())
        return None
    return answer


def put_off(staff: Staff, case: Case, owed: Owed, time: timedelta) -> None:
    """It is seen to then."""
    staff.keep(case, owed)
    staff.pace.appoint(case, time, partial(staff.act, case, owed))


async def on_measure(staff: Staff, case: Case, path: str, person: str, body: Json | None = None) -> Answer:
    """Say something of a measure, and know what it owes next."""
    answer = await staff.callers.post(RESOLUTION, path, person, body)
    if answer:
        staff.learn_of_measure(case, answer.content)
    return answer


async def post(staff: Staff, case: Case, place: str, person: str, body: Json) -> Answer:
    """Say something of a case, and remember how it then stands."""
    answer = await staff.callers.post(RESOLUTION, f"{case.path}/{place}", person, body)
    if answer:
        case.memory["case"] = answer.content
        staff.learn(case, answer.content)
    return answer


async def _post(staff: Staff, case: Case, place: str, person: str, body: Json) -> None:
    await post(staff, case, place, person, body)


RULES: Final[Mapping[str, Rule]] = {
    "proposal": propose,
    "approval": approve,
    "customer_answer": answer_offer,
    "execution": execute,
    "decision": decide,
    "appeal_decision": decide_appeal,
    "measure": improve,
    "completion": complete,
    "verification": verify,
}
