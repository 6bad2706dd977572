"""What people do of their own accord: contest, withdraw, pass on, judge again, merge, thank, reopen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from deploy.people import owing
from deploy.people.calls import Answer, Json, money
from deploy.people.staff import Case, Mood, Staff

DESK: Final = "after-sales-officer"
CUSTOMER: Final = "customer"
SUPERIOR: Final = "after-sales-head"
ABOVE: Final = "board-chair"  # answers to nobody


async def contest(staff: Staff, case: Case) -> None:
    """A customer who was told that it is unfounded may bring new facts, once (CLS-5)."""
    unfounded = case.outcome["closed"] and case.outcome["path"] == "unfounded"
    if unfounded and case.happens("contests", 0.5) and case.once("contest"):
        body = {"new_facts": "A second lamp of the same box has failed since"}
        later(staff, case, timedelta(days=1), "intake", "contest", CUSTOMER, body)


async def pass_on(staff: Staff, case: Case) -> None:
    """A few complaints are passed from one to the next until leadership has them (ASG-5)."""
    if (person := owing_now(case, "finding")) and case.happens("passed around", 0.03):
        if case.once("passed around"):
            for to in ("after-sales-officer", "technology-officer", "after-sales-deputy"):
                body = {"unit": to.rpartition("-")[0], "person": to, "reason": "Not ours"}
                await post(staff, case, "intake", "assignment", person, body)


async def judge_again(staff: Staff, case: Case) -> None:
    """What is being looked into turns out to be of another kind, and goes to who owes that (CLS-6)."""
    if owing_now(case, "finding") and case.happens("broke on the way", 0.04) and case.once("judged again"):
        body = {
            "kind": "transport",
            "nature": "other",
            "severity": "minor",
            "founded": {"value": True, "reason": "It left us whole"},
            "demand_reasonable": {"value": True, "reason": "In proportion to what happened"},
        }
        await post(staff, case, "intake", "classification", DESK, body)


async def escalate(staff: Staff, case: Case) -> None:
    """What somebody cannot solve goes up, with what was tried (ASG-6)."""
    if (person := owing_now(case, "proposal")) and case.happens("unsolved", 0.04) and case.once("unsolved"):
        body = {"tried": "Two repairs and a call with the supplier"}
        await post(staff, case, "intake", "escalation", person, body)


async def withdraw(staff: Staff, case: Case) -> None:
    """A few customers think better of it."""
    if case.owed and case.happens("withdraws", 0.02) and case.once("withdraws"):
        body = {"reason": "It works after all"}
        later(staff, case, timedelta(hours=40), "intake", "withdrawal", CUSTOMER, body)


async def tell_apart(staff: Staff, case: Case) -> None:
    """The desk looks whether it is the same as an earlier one: or is not (REC-9)."""
    alike = staff.alike[case.complaint_id]
    if not alike or case.outcome["closed"] or not case.once("alike"):
        return
    other = {"reason": "Compared with the earlier one"}
    if case.happens("is another", 0.2):
        await post(staff, case, "intake", "separate", DESK, other | {"separate_from": alike[0]})
    elif case.happens("is the same", 0.3):
        merged = await post(staff, case, "intake", "merge", DESK, other | {"into": alike[0]})
        if merged and case.happens("was another after all", 0.4):
            body = other | {"separate_from": alike[0]}
            later(staff, case, timedelta(days=2), "intake", "separate", DESK, body)


async def tell_by_hand(staff: Staff, case: Case) -> None:
    """What reached nobody over any channel is told by hand, or sent again (NTF-3)."""
    while case.notices:
        notice_id = case.notices.pop()
        how: tuple[str, Json | None] = ("handover", {"how": "Told on the telephone"})
        if case.happens(f"sends {notice_id} again", 0.3) and case.once(f"sends {notice_id} again"):
            how = ("resend", None)
        work = partial(_tell, staff, f"/v1/notifications/{notice_id}/{how[0]}", how[1])
        staff.pace.appoint(case, staff.pace.after(timedelta(hours=2)), work)


async def _tell(staff: Staff, path: str, body: Json | None) -> None:
    """The desk does, unless it is about them or somebody they answer to (ASG-4)."""
    answer = await staff.callers.post("notifier", path, DESK, body)
    if answer.refused == "judge_in_own_cause":
        await staff.callers.post("notifier", path, ABOVE, body)


async def thank(staff: Staff, case: Case) -> None:
    """Good handling is rewarded in the same way as bad is punished (PEN-6)."""
    if _is_resolved(case) and case.happens("thanks", 0.05) and case.once("thanks"):
        known = case.memory.get("case") or {}
        person = (known.get("answerable") or {"person": DESK})["person"]
        body = {"person": person, "reason": "The customer wrote to thank them", "amount": money(200)}
        author = SUPERIOR if person != SUPERIOR else "general-manager"
        later(staff, case, timedelta(days=1), "resolution", "rewards", author, body)


async def reopen(staff: Staff, case: Case) -> None:
    """A few remedies do not hold."""
    if _is_resolved(case) and case.happens("does not hold", 0.03) and case.once("does not hold"):
        body = {"reason": "It failed again after a week"}
        later(staff, case, timedelta(days=7), "resolution", "reopening", DESK, body)


def owing_now(case: Case, what: str) -> str | None:
    """Who owes this and could do it now."""
    found = (each for each in owing.next_of(list(case.owed.values())) if each.what == what)
    return next((each.person for each in found if owing.has_begun(case.outcome, each)), None)


def _is_resolved(case: Case) -> bool:
    return bool(case.outcome["closed"]) and case.outcome["path"] == "resolved"


async def post(staff: Staff, case: Case, service: str, place: str, person: str, body: Json) -> Answer:
    """Somebody says something of the complaint."""
    return await staff.callers.post(service, f"{case.path}/{place}", person, body)


def later(
    staff: Staff, case: Case, after: timedelta, service: str, place: str, person: str, body: Json
) -> None:
    """Have somebody say something of the complaint in a while."""
    call = partial(post, staff, case, service, place, person, body)
    staff.pace.appoint(case, staff.pace.after(after), partial(_done, call))


async def _done(call: Callable[[], Awaitable[Answer]]) -> None:
    await call()


MOODS: Final[Sequence[Mood]] = (
    contest,
    pass_on,
    judge_again,
    escalate,
    withdraw,
    tell_apart,
    tell_by_hand,
    thank,
    reopen,
)
