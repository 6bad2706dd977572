"""What changes from one pack to another is said in plain words, by place, old and new."""

from __future__ import annotations

import pytest

from libs.policy.difference import differences
from tests.packs import changed, standard

ROUTE_TO_FREIGHT = """\
  - clause: ASG-R2
    title: {zh: 运输问题由货运部门处理, en: Transport goes to freight}
    source: S4·7 一(三)3.3
    when: {kind: [transport]}
    to: freight
"""
ROUTE_TO_PROCUREMENT = """\
  - clause: ASG-R3
    title: {zh: 外购外协件由采购部协调, en: Purchased parts go to procurement}
    source: S1 三.8
    when: {kind: [product_quality], purchased_part: true}
    to: procurement
"""
FREIGHT = "ASG-R2 (Transport goes to freight)"


def test_a_pack_does_not_differ_from_itself() -> None:
    assert differences(standard(), changed()) == []


@pytest.mark.rule("GOV-2")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "minor: 5 working days, serious: 3",
            "minor: 4 working days, serious: 3",
            "deadlines › steps › investigate › minor: 5 working days becomes 4 working days",
        ),
        ("reassignments_max: 2", "reassignments_max: 1", "buck passing › reassignments max: 2 becomes 1"),
        ("to: freight\n", "to: sales\n", f"routing › {FREIGHT} › to: freight becomes sales"),
        (ROUTE_TO_FREIGHT, "", f"routing: {FREIGHT} is gone"),
        (
            ROUTE_TO_FREIGHT + ROUTE_TO_PROCUREMENT,
            ROUTE_TO_PROCUREMENT + ROUTE_TO_FREIGHT,
            "routing: the order becomes ASG-R1, ASG-R3, ASG-R2, ASG-R4, ASG-R5, ASG-R6, ASG-R7",
        ),
        (
            "zh: [起火, 着火,",
            "zh: [起火, 冒烟,",
            "CLS-S2 (Somebody was or could be harmed) › when › words › zh: 着火 is gone",
        ),
        (
            'monday: &office ["08:30-12:00", "13:00-17:30"]',
            'monday: &office ["09:00-12:00", "13:00-17:30"]',
            "working time › week › monday: 08:30-12:00, 13:00-17:30 becomes 09:00-12:00, 13:00-17:30",
        ),
        (
            "- {up_to: 500, offices: []}\n        - {up_to: 5000",
            "- {up_to: 600, offices: []}\n        - {up_to: 5000",
            "PRO-M2 (Repair and replacement, minor) › brackets › no. 1 › up to: 500 becomes 600",
        ),
        (
            "single_days: []",
            "single_days: [{day: 2026-01-09, name: {zh: 停, en: off}}]",
            "working time › single days: no. 1 is new: day 2026-01-09; name zh 停; en off",
        ),
        (
            "      source: S4·7 一(三)3.6, pausable: false,",
            "      source: S4·7 一(三)3.6,",
            "pausable: no becomes yes",
        ),
        (
            "unit: sales, superior: sales-head}\n  sales-officer",
            "unit: sales, superior: sales-head, left_on: 2026-05-01}\n  sales-officer",
            "people › sales-deputy › left on: nothing becomes 2026-05-01",
        ),
    ],
)
def test_each_change_is_a_sentence(old: str, new: str, said: str) -> None:
    found = differences(standard(), changed((old, new)))
    assert any(sentence.endswith(said) for sentence in found), found


def test_what_is_new_is_said_in_full() -> None:
    found = differences(changed((ROUTE_TO_FREIGHT, "")), standard())
    assert found == [
        f"routing: {FREIGHT} is new: clause ASG-R2; title zh 运输问题由货运部门处理; "
        "en Transport goes to freight; source S4·7 一(三)3.3; to freight; when kind transport"
    ]
