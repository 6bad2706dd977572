"""A pack that contradicts itself or leaves something open is refused, with file, line and reason."""

from __future__ import annotations

import pytest

from libs.policy import pack
from tests.packs import FILE, line_of, text_with

CASES = {
    "a unit's head nobody knows": (
        "head: quality-head}",
        "head: nobody-here}",
        "nobody-here",
        "there is no person",
    ),
    "a person's unit": (
        "unit: freight, superior: freight-head}",
        "unit: fright, superior: freight-head}",
        "unit: fright,",
        "there is no unit fright",
    ),
    "a superior": (
        "unit: sales, superior: general-manager}",
        "unit: sales, superior: the-boss}",
        "the-boss",
        "there is no person the-boss",
    ),
    "their own superior": (
        "unit: executive, superior: board-chair}",
        "unit: executive, superior: sales-officer}",
        "superior: sales-officer}",
        "own superior",
    ),
    "an office's holder": (
        "held_by: [quality-head, quality-deputy]}\n  technology",
        "held_by: [quality-head, gone]}\n  technology",
        "gone]",
        "there is no person gone",
    ),
    "last resort": (
        "last_resort: [board-chair, supervisory-chair, staff-congress-chair]",
        "last_resort: [board-chair, supervisory-chair, sales-head]",
        "last_resort:",
        "sales-head answers to somebody",
    ),
    "only two of last resort": (
        "last_resort: [board-chair, supervisory-chair, staff-congress-chair]",
        "last_resort: [board-chair, supervisory-chair, board-chair]",
        "last_resort:",
        "three different people",
    ),
    "a routed unit": ("to: quality\n", "to: qualty\n", "to: qualty", "there is no unit qualty"),
    "a station without region": (
        "when: {known_region: true}\n    to: station",
        "to: station",
        "ASG-R6",
        "needs the condition known_region",
    ),
    "a routing gap": (
        "source: S4·6 二(三)1\n    to: after-sales",
        "source: S4·6 二(三)1\n    when: {kind: [suggestion]}\n    to: after-sales",
        "routing:",
        "there is a gap",
    ),
    "a route never reached": (
        "when: {kind: [product_quality], purchased_part: true}",
        "when: {kind: [transport], purchased_part: true}",
        "ASG-R3",
        "ASG-R3 is never reached: ASG-R2 overlaps it",
    ),
    "a word for two kinds": (
        "zh: [合同, 违约,",
        "zh: [合同, 快递,",
        "zh: [合同, 快递,",
        'the word "快递" overlaps CLS-K2',
    ),
    "the same clause twice": (
        "clause: CLS-N2",
        "clause: CLS-K1",
        "clause: CLS-K1\n      title: {zh: 非",
        "clause CLS-K1 is given twice",
    ),
    "a region's station": (
        "station: station-east,",
        "station: station-west,",
        "station: station-west,",
        "there is no unit station-west",
    ),
    "a place in two regions": (
        "places: [上海,",
        "places: [北京,",
        "places: [北京, 江苏",
        "overlaps region north",
    ),
    "a part of two suppliers": (
        'part_numbers: ["TYR-*",',
        'part_numbers: ["BAT-*",',
        'part_numbers: ["BAT-*", "TIRE*"',
        "overlaps supplier battery-supplier",
    ),
    "no such rung": ("buck_passing: 3}", "buck_passing: 4}", "buck_passing: 4}", "the ladder has no level 4"),
    "a rung without office": (
        "to: general-manager}",
        "to: the-top}",
        "to: the-top}",
        "there is no office the-top",
    ),
    "no deadline for a step": (
        "    investigate:\n      {clause: SLA-S4,",
        "    inspect:\n      {clause: SLA-S4,",
        "steps:",
        "investigate: Field required",
    ),
    "a step before the one it waits for": (
        "minor: 8 working days, serious: 5",
        "minor: 4 working days, serious: 5",
        "minor: 4 working days",
        "propose would be due (4 working days) before investigate (5 working days)",
    ),
    "an odd time": (
        "minor: 5 working days, serious: 3",
        "minor: 5 days, serious: 3",
        "minor: 5 days",
        'a time is written like "3 working days"',
    ),
    "no time at all": (
        "minor: 5 working days, serious: 3",
        "minor: 0 working days, serious: 3",
        "minor: 0 working days",
        "a time is written like",
    ),
    "overlapping hours": (
        '"08:30-12:00", "13:00-17:30"',
        '"08:30-13:00", "12:00-17:30"',
        "working_time:",
        "working hours from 12:00 overlap",
    ),
    "odd hours": (
        '"08:30-12:00", "13:00-17:30"',
        '"8.30 to 12", "13:00-17:30"',
        '"8.30 to 12"',
        "hours are written like",
    ),
    "a day twice": (
        "single_days: []",
        "single_days: [{day: 2026-01-09, name: {zh: 一, en: a}}, {day: 2026-01-09, name: {zh: 一, en: a}}]",
        "single_days:",
        "2026-01-09 is given twice",
    ),
    "falling brackets": (
        "- {up_to: 5000, offices: [after-sales]}",
        "- {up_to: 400, offices: [after-sales]}",
        "up_to: 400",
        "overlaps the bracket before, which goes to 500",
    ),
    "a bracket after the last": (
        "        - {offices: [after-sales]}\n    - clause: PRO-M2",
        "        - {offices: [after-sales]}\n        - {up_to: 1, offices: []}\n    - clause: PRO-M2",
        "{up_to: 1, offices: []}",
        "overlaps the bracket before, which has no limit",
    ),
    "no last bracket": (
        "        - {offices: [after-sales, quality, technology, production, general-manager]}\n",
        "",
        "brackets:\n        - {up_to: 200, offices: []}\n        - {up_to: 5000, offices: [after-sales, q",
        "nothing is said about amounts above 5000",
    ),
    "two clauses for a remedy": (
        "remedies: [return_and_refund]\n      severities",
        "remedies: [return_and_refund, repair]\n      severities",
        "PRO-M5",
        "PRO-M5 overlaps PRO-M2 in repair, minor",
    ),
    "a remedy nobody approves": (
        "remedies: [credit, compensation, discount, goodwill]",
        "remedies: [credit, compensation, discount]",
        "matrix:",
        "nobody approves goodwill, minor",
    ),
    "an approving office": (
        "offices: [after-sales, quality, technology, production]}",
        "offices: [after-sales, qa, technology, production]}",
        "qa, technology",
        "there is no office qa",
    ),
    "no term for all": (
        'part_numbers: ["*"]',
        'part_numbers: ["L*"]',
        "terms:",
        "the last term must hold for every part number",
    ),
    "a sanction without clause": (
        "    - clause: PEN-C1\n      title",
        "    - title",
        "title: {zh: 批评",
        "clause: Field required",
    ),
    "a fine without sum": (
        "      way: fine\n      amount: 200",
        "      way: fine",
        "PEN-C2",
        "fine does not say how much",
    ),
    "a demerit with a sum": (
        "      way: demerit\n",
        "      way: demerit\n      amount: 5\n",
        "PEN-E1",
        "says more than one way to reckon",
    ),
    "overlapping losses": (
        "{loss_up_to: 10000, direct: 0.05,",
        "{loss_up_to: 900, direct: 0.05,",
        "loss_up_to: 900",
        "overlaps the bracket before, which goes to 1000",
    ),
    "no consultation before": (
        "consulted_on: 2025-12-01",
        "consulted_on: 2026-12-01",
        "consulted_on",
        "consultation must come before",
    ),
    "minimum wages out of order": (
        "since: 2025-07-01",
        "since: 2023-07-01",
        "amount: 2740",
        "overlaps the entry before",
    ),
    "an unknown field": (
        'subject: "投诉 {number} 的进展"',
        'subject: "投诉 {nummer} 的进展"',
        "{nummer}",
        "unknown field {nummer}",
    ),
    "a field with more to it": (
        'subject: "投诉 {number} 的进展"',
        'subject: "投诉 {number.real} 的进展"',
        "{number.real}",
        "{number.real} is more than a field's name",
    ),
    "an open brace": (
        'subject: "投诉 {number} 的进展"',
        'subject: "投诉 {number 的进展"',
        "{number 的进展",
        "expected '}'",
    ),
    "a language missing": (
        '      en:\n        subject: "What your complaint',
        '      de:\n        subject: "What your complaint',
        "    improvement:\n      zh-CN",
        "improvement.en: Field required",
    ),
    "a name in one language": (
        "{zh: 货运部, en: Freight}",
        "{zh: 货运部}",
        "{zh: 货运部}",
        "title.en: Field required",
    ),
    "too few pauses": (
        "wait_minutes: [1, 5, 15]",
        "wait_minutes: [1]",
        "wait_minutes: [1]",
        "3 attempts need 2 pauses",
    ),
    "nobody to tell": (
        "batch_incident: [general-manager, after-sales,",
        "batch_incident: [general-manager, aftersales,",
        "aftersales,",
        "there is no person or office aftersales",
    ),
    "nobody to take over": (
        "failed_notice: after-sales-officer",
        "failed_notice: whoever",
        "failed_notice: whoever",
        "there is no person or office whoever",
    ),
    "an incident's leader": (
        "led_by: incident-leader",
        "led_by: the-leader",
        "led_by: the-leader",
        "there is no office the-leader",
    ),
    "a judge": (
        "judges_contests: contest-judge",
        "judges_contests: judge",
        "judges_contests: judge",
        "there is no office judge",
    ),
    "a contributing unit": (
        "    unit: sales\n",
        "    unit: seles\n",
        "    unit: seles",
        "there is no unit seles",
    ),
    "a date that is none": (
        "effective_from: 2026-01-01",
        "effective_from: 2026-13-01",
        "effective_from",
        "month value is outside expected range",
    ),
    "an unknown time zone": (
        "time_zone: Asia/Shanghai",
        "time_zone: Asia/Shangri-La",
        "time_zone:",
        "is no time zone",
    ),
}


@pytest.mark.rule("GOV-2")
@pytest.mark.parametrize(("old", "new", "at", "reason"), CASES.values(), ids=CASES.keys())
def test_a_fault_is_refused_with_its_place_and_reason(old: str, new: str, at: str, reason: str) -> None:
    text = text_with((old, new))
    found = faults(text)
    first_line = text[: text.index(at)].count("\n") + 1
    there = [fault.reason for fault in found if fault.line == first_line]
    assert any(reason in given for given in there), "\n".join(map(str, found))
    assert all(str(fault).startswith(f"{FILE}:{fault.line}: ") for fault in found)


@pytest.mark.rule("GOV-2")
def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    text = text_with(
        ("head: quality-head}", "head: nobody-here}"),
        ("minor: 5 working days, serious: 3", "minor: 5 days, serious: 3"),
        ("to: quality\n", "to: qualty\n"),
        ('subject: "投诉 {number} 的进展"', 'subject: "投诉 {nummer} 的进展"'),
        ("name: standard", "nome: standard"),
    )
    found = faults(text)
    for words in ("nobody-here", "to: qualty", "minor: 5 days", "{nummer}", "nome:"):
        assert line_of(text, words) in [fault.line for fault in found]
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)


@pytest.mark.parametrize(
    "text", ["", "[]", "- a", "name: standard", "\x00", "a: &a [*a]", "? [a, b]\n: c", "a: b: c"]
)
def test_what_is_no_pack_at_all_is_refused_too(text: str) -> None:
    assert faults(text)


def test_a_word_like_no_is_a_word() -> None:
    assert "no" in pack.load("standard").classification.negations.en
    words = ("en: [fire, fires,", "en: [off, true story, fires,")
    harm = pack.parse(text_with(words), FILE).classification.severities[1].when.words
    assert harm is not None
    assert harm.en[:2] == ("off", "true story")


def faults(text: str) -> tuple[pack.Fault, ...]:
    with pytest.raises(pack.WrongPack) as caught:
        pack.parse(text, FILE)
    return caught.value.faults
