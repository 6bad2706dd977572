"""When coming back means something: batch incidents, repeat repairs, measures under observation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from libs.events.contracts.values import Product, Respondent, RespondentKind
from libs.policy import incidents
from libs.policy.incidents import Likeness
from tests.packs import TODAY, standard

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LAMP = Respondent(kind=RespondentKind.PRODUCT, reference="LED-18W")


@pytest.mark.rule("CLS-7")
@pytest.mark.parametrize(
    ("product", "alike"),
    [
        (None, []),
        (Product(order_number="1"), []),
        (Product(part_number="P1"), [("respondent+part_number", "LED-18W · P1")]),
        (Product(batch="B1"), [("batch", "B1")]),
        (
            Product(part_number="P1", batch="B1"),
            [("respondent+part_number", "LED-18W · P1"), ("batch", "B1")],
        ),
    ],
)
def test_complaints_are_alike_by_part_of_a_product_or_by_batch(
    product: Product | None, alike: list[tuple[str, str]]
) -> None:
    expected = tuple(Likeness(matched_on=on, reference=reference) for on, reference in alike)
    assert incidents.likenesses(standard(), LAMP, product) == expected


def test_what_incidents_agree_in_comes_apart_again() -> None:
    odd = Respondent(kind=RespondentKind.PRODUCT, reference="A · B")
    (alike,) = incidents.likenesses(standard(), odd, Product(part_number="P · 1"))
    assert incidents.fields_of(alike.matched_on, alike.reference) == {
        "respondent": "A - B",
        "part_number": "P - 1",
    }


@pytest.mark.rule("CLS-7")
def test_three_alike_within_thirty_days_are_an_incident() -> None:
    policy = standard()
    assert incidents.counts_since(policy, NOW) == NOW - timedelta(days=30)
    assert incidents.batch_incident(policy, 2, TODAY) is None
    found = incidents.batch_incident(policy, 3, TODAY)
    assert found is not None
    assert (found.threshold, found.window_days, found.ground.clause) == (3, 30, "CLS-B1")
    assert found.leader.person == "quality-head"


@pytest.mark.rule("INV-6")
@pytest.mark.parametrize(("days", "repeated"), [(0, True), (180, True), (181, False), (-1, False)])
def test_the_same_fault_soon_after_its_repair_is_a_repeat_repair(days: int, repeated: bool) -> None:
    ground = incidents.is_repeat_repair(standard(), NOW - timedelta(days=days), NOW)
    assert (ground is not None) == repeated
    assert ground is None or ground.clause == "INV-R1"


@pytest.mark.rule("IMP-1", "IMP-2")
def test_a_measure_is_observed_for_ninety_days() -> None:
    assert incidents.observed_until(standard(), NOW) == NOW + timedelta(days=90)


@pytest.mark.rule("CLS-5")
def test_a_customer_may_contest_once() -> None:
    assert incidents.contests_max(standard()) == 1
