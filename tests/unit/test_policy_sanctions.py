"""Which clauses of the schedule apply to whom, what they come to, and what a month's wage can bear."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.contracts.handling import Answerable, Kind
from libs.events.contracts.penalize import Charge, SanctionWay
from libs.events.contracts.values import Channel, Language, Money
from libs.policy import sanctions, wages
from libs.policy.facts import Facts
from libs.policy.sanctions import Earnings, Sanction
from libs.policy.schema.sanctions import Bears
from tests.packs import TODAY, about_product, changed, standard

MARCH = date(2026, 3, 17)


def applicable(
    complaint: Facts,
    charge: Charge = Charge.COMPLAINT,
    bears: Bears = "direct",
    earnings: Earnings = sanctions.UNKNOWN,
) -> dict[str, Sanction]:
    found = sanctions.applicable(standard(), complaint, charge, bears, earnings, Language.ENGLISH)
    return {each.clause: each for each in found}


@pytest.mark.rule("PEN-1")
def test_who_did_it_and_the_head_of_their_unit_answer_each_once() -> None:
    responsible = [
        Answerable(unit="quality", person="quality-officer"),
        Answerable(unit="quality", person="inspector-7"),
        Answerable(unit="production", person="production-head"),
        Answerable(unit="supplier-1", person="their-foreman"),
    ]
    answers = sanctions.borne_by(standard(), responsible)
    assert [(each.answerable.unit, each.answerable.person, each.bears) for each in answers] == [
        ("quality", "quality-officer", "direct"),
        ("quality", "inspector-7", "direct"),
        ("production", "production-head", "direct"),
        ("supplier-1", "their-foreman", "direct"),
        ("quality", "quality-head", "head"),
    ]


@pytest.mark.rule("PEN-2")
@pytest.mark.parametrize(
    ("loss", "direct", "head"),
    [
        (None, "0.02", "0.01"),
        ("1000", "0.02", "0.01"),
        ("1000.01", "0.05", "0.02"),
        ("10000", "0.05", "0.02"),
        ("50000", "0.10", "0.05"),
        ("50000.01", "0.20", "0.10"),
    ],
)
def test_the_share_of_wage_follows_the_loss(loss: str | None, direct: str, head: str) -> None:
    complaint = about_product(kind=Kind.PRODUCT_QUALITY, loss=None if loss is None else Decimal(loss))
    wage = Earnings(month_wage=Decimal(8000))
    mine = applicable(complaint, earnings=wage)["PEN-L1"]
    theirs = applicable(complaint, bears="head", earnings=wage)["PEN-L1"]
    assert (mine.share, theirs.share) == (Decimal(direct), Decimal(head))
    assert mine.amount == Money(amount=Decimal(direct) * 8000, currency="CNY")
    assert (mine.way, mine.ground.policy, mine.ground.clause) == (
        SanctionWay.PAY_SHARE,
        "standard@1",
        "PEN-L1",
    )


@pytest.mark.rule("PEN-2")
def test_each_charge_has_its_clauses() -> None:
    complaint = about_product(kind=Kind.PRODUCT_QUALITY)
    assert "PEN-L1" not in applicable(complaint, Charge.HANDLING)
    assert set(applicable(complaint, Charge.HANDLING, "head")) == {"PEN-L2", "PEN-C1"}


@pytest.mark.rule("PEN-2", "INV-6")
def test_a_repeat_repair_may_cost_a_major_demerit() -> None:
    assert "PEN-M4" not in applicable(about_product(kind=Kind.PRODUCT_QUALITY))
    again = applicable(about_product(kind=Kind.PRODUCT_QUALITY, repeat_repair=True))["PEN-M4"]
    assert (again.way, again.share, again.amount) == (SanctionWay.MAJOR_DEMERIT, None, None)
    assert "major demerit" in again.text


@pytest.mark.rule("PEN-2")
def test_a_fixed_fine_is_what_the_clause_says() -> None:
    fine = applicable(about_product(kind=Kind.SERVICE))["PEN-F2"]
    assert (fine.way, fine.amount) == (SanctionWay.FINE, Money(amount=Decimal("50.00"), currency="CNY"))


@pytest.mark.rule("PEN-2")
def test_a_multiple_of_the_goods_waits_for_their_value() -> None:
    dealers = changed(("      way: fine\n      amount: 200", "      way: goods_multiple\n      multiple: 2"))
    complaint = about_product(kind=Kind.SERVICE)

    def amount(goods_value: Decimal | None) -> Money | None:
        found = sanctions.applicable(
            dealers, complaint, Charge.COMPLAINT, "direct", Earnings(goods_value=goods_value)
        )
        return next(each.amount for each in found if each.way is SanctionWay.GOODS_MULTIPLE)

    assert amount(None) is None
    assert amount(Decimal("12.345")) == Money(amount=Decimal("24.69"), currency="CNY")


@pytest.mark.rule("PEN-2")
def test_the_standard_schedule_has_a_clause_for_every_way_to_fix_a_sanction() -> None:
    assert {each.way for each in standard().sanctions.clauses} == set(SanctionWay)


@pytest.mark.rule("PEN-2")
def test_goods_that_a_dealer_damaged_cost_twice_their_value_or_the_dealership() -> None:
    sent_back = about_product(kind=Kind.PRODUCT_QUALITY, channel=Channel.DEALER)
    found = applicable(sent_back, earnings=Earnings(goods_value=Decimal("1500")))
    assert found["PEN-D1"].amount == Money(amount=Decimal("3000.00"), currency="CNY")
    assert (found["PEN-D2"].way, found["PEN-D2"].amount) == (SanctionWay.DEALER_CANCELLATION, None)
    not_theirs = (
        applicable(sent_back, bears="head"),
        applicable(about_product(kind=Kind.PRODUCT_QUALITY, channel=Channel.PHONE)),
        applicable(about_product(kind=Kind.SERVICE, channel=Channel.DEALER)),
    )
    assert all(not {"PEN-D1", "PEN-D2"} & set(each) for each in not_theirs)


@pytest.mark.rule("PEN-4")
def test_an_appeal_is_decided_by_another_who_answers_neither_to_the_judge_nor_to_the_judged() -> None:
    pack = standard()
    assert sanctions.decides_appeal(pack, TODAY, "after-sales-head", "quality-officer").person == (
        "human-resources-head"
    )
    assert sanctions.decides_appeal(pack, TODAY, "human-resources-head", "quality-officer").person == (
        "deputy-general-manager"
    )
    assert sanctions.decides_appeal(pack, TODAY, "general-manager", "quality-officer").person == "board-chair"
    assert sanctions.decides_appeal(pack, TODAY, "board-chair", "general-manager").person == (
        "supervisory-chair"
    )


@pytest.mark.rule("LAW-1")
def test_a_month_bears_a_fifth_of_its_wage_and_the_rest_is_carried_on() -> None:
    found = wages.installments(standard(), Decimal("2500.50"), MARCH, Decimal(5000))
    assert [(each.month, each.money.amount) for each in found.installments] == [
        (date(2026, 3, 1), Decimal("1000.00")),
        (date(2026, 4, 1), Decimal("1000.00")),
        (date(2026, 5, 1), Decimal("500.50")),
    ]
    assert found.beyond.amount == 0
    assert found.ground.clause == "LAW-D1"


@pytest.mark.rule("LAW-1")
def test_nobody_is_left_with_less_than_the_minimum_wage() -> None:
    found = wages.installments(standard(), Decimal(250), MARCH, Decimal(2840))
    assert [each.money.amount for each in found.installments] == [100, 100, 50]
    nothing = wages.installments(standard(), Decimal(250), MARCH, Decimal(2740))
    assert nothing.installments == ()
    assert nothing.beyond.amount == 250


@pytest.mark.rule("LAW-1")
def test_what_other_sanctions_take_from_a_month_counts() -> None:
    taken = {date(2026, 3, 1): Decimal(900), date(2026, 4, 1): Decimal(2000)}
    found = wages.installments(standard(), Decimal(500), MARCH, Decimal(5000), taken)
    assert {each.month.month: int(each.money.amount) for each in found.installments} == {3: 100, 5: 400}


@pytest.mark.rule("LAW-1")
def test_the_minimum_wage_is_that_of_the_month() -> None:
    months = [date(2020, 1, 1), date(2025, 6, 1), date(2025, 7, 1)]
    assert [wages.minimum_wage(standard(), month) for month in months] == [2690, 2690, 2740]


money = st.decimals(0, 200_000, places=2)


@pytest.mark.rule("LAW-1")
@given(amount=money, wage=money, taken=st.dictionaries(st.sampled_from([MARCH.replace(day=1)]), money))
def test_no_sum_is_lost_and_no_month_overburdened(
    amount: Decimal, wage: Decimal, taken: dict[date, Decimal]
) -> None:
    found = wages.installments(standard(), amount, MARCH, wage, taken)
    shares = [each.money.amount for each in found.installments]
    assert sum(shares, found.beyond.amount) == amount
    months = [each.month for each in found.installments]
    assert months == sorted(set(months))
    for each in found.installments:
        borne = each.money.amount + taken.get(each.month, Decimal(0))
        assert 0 < borne <= wage / 5
        assert wage - borne >= wages.minimum_wage(standard(), each.month)
