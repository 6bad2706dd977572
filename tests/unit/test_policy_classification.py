"""The policy's judgement of a complaint, and the clause behind every part of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from libs.events.contracts.handling import Ground, Kind, Nature, Severity
from libs.events.contracts.values import (
    DemandKind,
    Detail,
    Language,
    Money,
    Product,
    RespondentKind,
)
from libs.policy.citations import Citation, cite
from libs.policy.classification import classify
from libs.policy.facts import Facts
from tests.packs import about_product, facts, standard


@pytest.mark.rule("CLS-1")
@pytest.mark.parametrize(
    ("complaint", "kind", "clause"),
    [
        (about_product(), Kind.PRODUCT_QUALITY, "CLS-K5"),
        (facts(RespondentKind.SERVICE, "repair"), Kind.SERVICE, "CLS-K6"),
        (facts(RespondentKind.SERVICE, "hotline", demand=DemandKind.IMPROVEMENT), Kind.SUGGESTION, "CLS-K4"),
        (about_product(narrative="外箱在运输中压坏"), Kind.TRANSPORT, "CLS-K2"),
        (about_product(narrative="It was damaged in transit."), Kind.TRANSPORT, "CLS-K2"),
        (facts(RespondentKind.UNIT, "sales", narrative="贵司违约"), Kind.CONTRACT_DISPUTE, "CLS-K3"),
        (
            facts(RespondentKind.PERSON, "p", narrative="He asked me for money, a kickback."),
            Kind.PERSONNEL_MISCONDUCT,
            "CLS-K1",
        ),
        (
            facts(RespondentKind.PERSON, "p", narrative="服务人员索要红包"),
            Kind.PERSONNEL_MISCONDUCT,
            "CLS-K1",
        ),
    ],
)
def test_the_kind_follows_from_what_is_complained_of_and_said(
    complaint: Facts, kind: Kind, clause: str
) -> None:
    found = classify(standard(), complaint)
    assert (found.kind, found.because[0].clause) == (kind, clause)


@pytest.mark.rule("CLS-2")
@pytest.mark.parametrize(
    ("complaint", "nature"),
    [
        (about_product(), Nature.QUALITY_ANOMALY),
        (facts(RespondentKind.SERVICE, "repair"), Nature.HUMAN_FACTORS),
        (about_product(narrative="物流把箱子弄丢了"), Nature.OTHER),
    ],
)
def test_the_nature_follows_from_the_kind(complaint: Facts, nature: Nature) -> None:
    assert classify(standard(), complaint).nature is nature


@pytest.mark.rule("CLS-3")
@pytest.mark.parametrize(
    ("complaint", "severity", "clause"),
    [
        (about_product(), Severity.MINOR, "CLS-S9"),
        (about_product(product=Product(defective_quantity=10)), Severity.SERIOUS, "CLS-S6"),
        (about_product(product=Product(defective_quantity=100)), Severity.MAJOR, "CLS-S3"),
        (about_product(demand=DemandKind.REFUND), Severity.SERIOUS, "CLS-S7"),
        (about_product(narrative="设备停机，无法使用"), Severity.SERIOUS, "CLS-S8"),
        (about_product(narrative="It exploded and my hand was burnt."), Severity.MAJOR, "CLS-S2"),
        (about_product(narrative="插座漏电"), Severity.MAJOR, "CLS-S2"),
        (about_product(repeat_repair=True), Severity.SERIOUS, "CLS-S5"),
        (about_product(batch_incident=True), Severity.MAJOR, "CLS-S1"),
        (facts(RespondentKind.UNIT, "sales", narrative="合同条款"), Severity.SERIOUS, "CLS-S4"),
    ],
)
def test_the_severity_follows_from_facts_and_words(complaint: Facts, severity: Severity, clause: str) -> None:
    found = classify(standard(), complaint)
    assert (found.severity, found.because[2].clause) == (severity, clause)


@pytest.mark.parametrize(
    "narrative",
    [
        "There was no fire.",
        "Nobody was hurt, there was no crash.",
        "It stopped without any injuries.",
        "The firewall came loose; a misfire at times.",
        "没有起火",
        "未受伤",
    ],
)
def test_a_word_denied_or_inside_another_does_not_count(narrative: str) -> None:
    assert classify(standard(), about_product(narrative=narrative)).severity is Severity.MINOR


def test_a_word_denied_once_and_then_said_counts() -> None:
    found = classify(
        standard(), about_product(narrative="There was no fire at first. Then a fire broke out.")
    )
    assert found.severity is Severity.MAJOR
    assert found.because[2].reason == "Somebody was or could be harmed (fire)"


@pytest.mark.rule("REC-2", "CLS-4")
def test_while_details_are_missing_nothing_is_judged() -> None:
    found = classify(standard(), about_product(missing_details=(Detail.ORDER_NUMBER,)))
    assert (found.founded, found.demand_reasonable) == (None, None)
    assert found.kind is Kind.PRODUCT_QUALITY


@pytest.mark.rule("CLS-4")
@pytest.mark.parametrize(
    ("complaint", "value", "clause"),
    [
        (about_product(), True, "CLS-F3"),
        (about_product(product=Product(defective_quantity=0)), False, "CLS-F1"),
        (
            about_product(
                product=Product(delivered_on=date(2026, 5, 2)), occurred_at=datetime(2026, 5, 1, tzinfo=UTC)
            ),
            False,
            "CLS-F2",
        ),
    ],
)
def test_founded_or_not_comes_with_its_reason(complaint: Facts, value: bool, clause: str) -> None:
    found = classify(standard(), complaint)
    assert found.founded is not None
    assert (found.founded.value, found.because[3].clause) == (value, clause)
    assert found.founded.reason == found.because[3].reason != ""


@pytest.mark.rule("CLS-4")
def test_a_demand_beyond_what_is_customary_is_not_reasonable() -> None:
    asked = [
        about_product(demand=DemandKind.COMPENSATION, money=Money(amount=Decimal(sum), currency="CNY"))
        for sum in ("50000", "50000.01")
    ]
    judged = [classify(standard(), complaint).demand_reasonable for complaint in asked]
    assert [each and each.value for each in judged] == [True, False]


def test_a_sum_in_another_currency_is_not_held_against_the_figure() -> None:
    asked = about_product(demand=DemandKind.COMPENSATION, money=Money(amount=Decimal(60000), currency="JPY"))
    judged = classify(standard(), asked).demand_reasonable
    assert judged is not None
    assert judged.value


@pytest.mark.rule("CLS-6", "GOV-1")
def test_the_ground_names_the_policy_version_and_every_clause() -> None:
    found = classify(standard(), about_product())
    assert found.ground.policy == "standard@1"
    assert found.ground.clause == "CLS-K5, CLS-N1, CLS-S9, CLS-F3, CLS-D2"
    assert found.ground.person is None


@pytest.mark.rule("CLS-6")
def test_a_ground_can_be_read_as_the_clauses_it_names() -> None:
    ground = classify(standard(), about_product()).ground
    assert cite(standard(), ground, Language.ENGLISH)[0] == Citation(
        clause="CLS-K5", title="Product quality", source="S4·7 一(一)1.1"
    )
    assert [each.title for each in cite(standard(), ground)][:2] == ["产品质量", "质量异常"]
    assert cite(standard(), Ground(policy="standard@1", person="quality-head")) == ()
    gone = Citation(clause="OLD-1", title="OLD-1", source="standard@1")
    assert cite(standard(), Ground(policy="standard@0", clause="OLD-1")) == (gone,)


def test_reasons_are_in_the_language_of_the_complainant() -> None:
    chinese = classify(standard(), about_product(language=Language.CHINESE))
    english = classify(standard(), about_product(language=Language.ENGLISH))
    assert chinese.because[0].reason == "产品质量"
    assert english.because[0].reason == "Product quality"
