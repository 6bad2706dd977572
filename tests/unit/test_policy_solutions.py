"""Who approves a solution, and what is in warranty."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from libs.events.contracts.handling import Severity
from libs.events.contracts.propose import RemedyKind
from libs.events.contracts.values import Language, Money, Product
from libs.policy.approvals import approvals_needed, settles_dispute
from libs.policy.warranty import decide_warranty, months_after
from tests.packs import TODAY, standard

# Those that find the cause and propose what is done about it (S4·6 二(二)3, 二(三)).
DEPARTMENTS = ["after-sales", "quality", "technology", "production"]
Remedies = list[tuple[RemedyKind, Money | None]]


def yuan(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="CNY")


def asked(
    remedies: Remedies,
    severity: Severity = Severity.MINOR,
    proposer: str = "quality-officer",
    about: str | None = None,
) -> list[tuple[str, str, str]]:
    found = approvals_needed(standard(), remedies, severity, proposer, TODAY, about)
    return [(each.office, each.person, each.clause) for each in found.needed]


@pytest.mark.rule("PRO-7")
@pytest.mark.parametrize("amount", [None, yuan("0"), yuan("500"), yuan("500.00")])
def test_below_the_limit_the_handler_decides_alone(amount: Money | None) -> None:
    assert asked([(RemedyKind.REPAIR, amount)]) == []
    ground = approvals_needed(
        standard(), [(RemedyKind.REPAIR, amount)], Severity.MINOR, "quality-officer", TODAY
    ).ground
    assert (ground.policy, ground.clause) == ("standard@1", "PRO-M2")


@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize(
    ("amount", "severity", "offices"),
    [
        ("500.01", Severity.MINOR, ["after-sales"]),
        ("5000", Severity.MINOR, ["after-sales"]),
        ("5000.01", Severity.MINOR, ["after-sales", "general-manager"]),
        ("200", Severity.SERIOUS, []),
        ("201", Severity.SERIOUS, DEPARTMENTS),
        ("5001", Severity.SERIOUS, [*DEPARTMENTS, "general-manager"]),
        ("0", Severity.MAJOR, DEPARTMENTS),
        ("5001", Severity.MAJOR, [*DEPARTMENTS, "general-manager"]),
    ],
)
def test_approvals_follow_remedy_amount_and_severity(
    amount: str, severity: Severity, offices: list[str]
) -> None:
    assert [office for office, _, _ in asked([(RemedyKind.REPAIR, yuan(amount))], severity)] == offices


@pytest.mark.rule("CLS-3", "PRO-3", "PRO-7")
@pytest.mark.parametrize("severity", [Severity.SERIOUS, Severity.MAJOR])
@pytest.mark.parametrize("kind", RemedyKind)
def test_beyond_the_handlers_limit_each_department_approves_what_is_not_minor(
    kind: RemedyKind, severity: Severity
) -> None:
    """Whatever the remedy: work on goods, money, goods taken back, words."""
    offices = [office for office, _, _ in asked([(kind, yuan("900"))], severity)]
    assert set(DEPARTMENTS) <= set(offices)
    minor = [office for office, _, _ in asked([(kind, yuan("900"))], Severity.MINOR)]
    assert set(minor) <= {"after-sales", "general-manager"}


@pytest.mark.rule("PRO-3")
def test_splitting_a_sum_over_remedies_saves_no_approval() -> None:
    split: Remedies = [(RemedyKind.REPAIR, yuan("400")), (RemedyKind.PART_REPLACEMENT, yuan("400"))]
    assert [office for office, _, _ in asked(split)] == ["after-sales"]


@pytest.mark.rule("PRO-3")
def test_a_sum_in_another_currency_needs_the_highest_approval() -> None:
    foreign: Remedies = [(RemedyKind.REPAIR, Money(amount=Decimal(1), currency="EUR"))]
    assert [office for office, _, _ in asked(foreign)] == ["after-sales", "general-manager"]


@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("amount", [None, yuan("1"), yuan("100000")])
def test_a_return_always_needs_the_general_manager(severity: Severity, amount: Money | None) -> None:
    needed = asked([(RemedyKind.RETURN_AND_REFUND, amount), (RemedyKind.APOLOGY, None)], severity)
    assert ("general-manager", "general-manager", "PRO-A1") in needed


@pytest.mark.rule("PRO-3")
def test_nobody_approves_their_own_proposal_nor_that_of_their_superior() -> None:
    remedies: Remedies = [(RemedyKind.REPAIR, yuan("1000"))]
    assert asked(remedies, proposer="after-sales-head") == [("after-sales", "general-manager", "PRO-M2")]
    back: Remedies = [(RemedyKind.RETURN_AND_REFUND, None)]
    assert asked(back, proposer="general-manager")[0] == ("general-manager", "board-chair", "PRO-A1")


@pytest.mark.rule("PRO-3", "ASG-4")
def test_who_is_complained_of_approves_nothing() -> None:
    remedies: Remedies = [(RemedyKind.REPAIR, yuan("1000"))]
    assert asked(remedies, about="after-sales-head") == [("after-sales", "general-manager", "PRO-M2")]


@pytest.mark.rule("PRO-4")
def test_a_dispute_is_settled_by_the_designated_person_unless_they_proposed() -> None:
    assert settles_dispute(standard(), TODAY, frozenset()).person == "deputy-general-manager"
    again = settles_dispute(standard(), TODAY, frozenset({"deputy-general-manager"}))
    assert again.person == "general-manager"


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    ("on", "in_warranty"),
    [(date(2026, 1, 31), True), (date(2027, 1, 31), True), (date(2027, 2, 1), False)],
)
def test_warranty_runs_from_delivery(on: date, in_warranty: bool) -> None:
    found = decide_warranty(standard(), Product(delivered_on=date(2026, 1, 31)), on, Language.ENGLISH)
    assert found is not None
    assert (found.in_warranty, found.clause) == (in_warranty, "WAR-T1")
    assert found.reason == "Twelve months from delivery: 2026-01-31 – 2027-01-31"


@pytest.mark.rule("PRO-2")
def test_where_nobody_knows_the_delivery_the_customer_has_the_benefit() -> None:
    found = decide_warranty(standard(), Product(part_number="X"), TODAY)
    assert found is not None
    assert (found.in_warranty, found.clause) == (True, "WAR-T2")
    assert found.reason.startswith("交货日期")
    assert decide_warranty(standard(), None, TODAY) is None


def test_a_month_without_that_day_ends_earlier() -> None:
    assert months_after(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert months_after(date(9990, 1, 1), 600) == date.max
