"""What staff know of the schedule of sanctions: which clauses for whom, and since when."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Final

from deploy.people import policies
from deploy.people.owing import Owed
from deploy.people.staff import Case
from libs.policy import pack

NOT_BINDING: Final = ("rules_not_in_force", "rules_not_acknowledged")
FORGETFUL: Final = 0.06  # of those who decide: they have not looked who read the rules
CARELESS: Final = 0.04  # and which clause is meant for what
OF_HEADS: Final = {"complaint": ("PEN-L1", "PEN-L1", "PEN-C1"), "handling": ("PEN-L2", "PEN-C1")}
OF_OTHERS: Final = {
    "complaint": ("PEN-L1", "PEN-L1", "PEN-C1", "PEN-M3", "PEN-F2"),
    "handling": ("PEN-L2", "PEN-C1", "PEN-F4", "PEN-M3"),
}
OF_REPEAT_REPAIRS: Final = "PEN-M4"


def clause(case: Case, owed: Owed) -> str | None:
    """By which clause a person is sanctioned; None where no rules bind them."""
    person, charge = str(owed.about), str(owed.charge)
    name = f"{person} {charge} {owed.rests_on} {case.times[owed.key]}"
    again = acted_at(case, owed) is None or before_any_rules(case, owed)
    if again and person in policies.NEVER_READ and not case.happens(f"forgets {name}", FORGETFUL):
        return None
    if charge == "complaint" and case.happens(f"careless {name}", CARELESS):
        return OF_REPEAT_REPAIRS
    choice = OF_HEADS if person.endswith("-head") else OF_OTHERS
    applicable = [each for each in choice[charge] if each != "PEN-F2" or _about_goods(case)]
    return str(case.choose(f"clause {name}", applicable))


def before_any_rules(case: Case, owed: Owed) -> bool:
    """Whether what they did was done before the first policy began to bind anybody (PEN-3)."""
    done = acted_at(case, owed)
    return done is not None and done.date() < _rules_since()


def acted_at(case: Case, owed: Owed) -> datetime | None:
    """When they did what the complaint is about; None of late handling, which was only just now."""
    if owed.charge != "complaint":
        return None
    return datetime.fromisoformat(case.request["occurred_at"] or case.request["received_at"])


def _about_goods(case: Case) -> bool:
    return bool(case.request["respondent"]["kind"] == "product")


@cache
def _rules_since() -> date:
    return pack.load("standard").effective_from
