"""Who answers for a complaint, who takes it when they cannot, and where it goes from there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.handling import Answerable, Kind
from libs.events.contracts.values import Language, Product, RespondentKind
from libs.policy import people
from libs.policy.escalation import escalate
from libs.policy.facts import Facts
from libs.policy.incidents import judges_contest
from libs.policy.routing import Routed, located, reassignments_max, route, supplier_of
from libs.policy.sanctions import decides_appeal
from tests.packs import TODAY, about_person, about_product, changed, facts, standard


def routed(complaint: Facts, address: str | None = None) -> Routed:
    return route(standard(), located(standard(), complaint, address), TODAY)


def passed_over(found: Routed) -> list[tuple[str, str]]:
    return [(each.person, each.why) for each in found.passed_over]


@pytest.mark.rule("ASG-1", "ASG-2")
@pytest.mark.parametrize(
    ("kind", "unit", "person", "clause"),
    [
        (Kind.CONTRACT_DISPUTE, "executive", "deputy-general-manager", "ASG-R1"),
        (Kind.TRANSPORT, "freight", "freight-officer", "ASG-R2"),
        (Kind.PRODUCT_QUALITY, "quality", "quality-officer", "ASG-R4"),
        (Kind.PERSONNEL_MISCONDUCT, "human-resources", "human-resources-officer", "ASG-R5"),
        (Kind.SERVICE, "after-sales", "after-sales-officer", "ASG-R7"),
        (Kind.SUGGESTION, "after-sales", "after-sales-officer", "ASG-R7"),
    ],
)
def test_every_kind_goes_to_a_unit_and_a_person_in_it(
    kind: Kind, unit: str, person: str, clause: str
) -> None:
    found = routed(about_product(kind=kind))
    assert found.answerable == Answerable(unit=unit, person=person)
    assert (found.ground.policy, found.ground.clause) == ("standard@1", clause)


@pytest.mark.rule("ASG-1", "INV-5")
@pytest.mark.parametrize("part_number", ["BAT-12V", "battery 60Ah", "wheel bearing"])
def test_purchased_parts_go_to_procurement(part_number: str) -> None:
    found = routed(about_product(kind=Kind.PRODUCT_QUALITY, product=Product(part_number=part_number)))
    assert (found.answerable.unit, found.ground.clause) == ("procurement", "ASG-R3")
    assert supplier_of(standard(), part_number) is not None


@pytest.mark.rule("ASG-3")
@pytest.mark.parametrize(
    ("address", "unit"),
    [
        ("广东省深圳市南山区", "station-south"),
        ("12 Nanjing Road, Shanghai", "station-east"),
        ("北京市海淀区", "station-north"),
        ("Ohio", "after-sales"),
        (None, "after-sales"),
    ],
)
def test_a_station_owns_its_region(address: str | None, unit: str) -> None:
    assert routed(facts(RespondentKind.SERVICE, "repair", kind=Kind.SERVICE), address).answerable.unit == unit


@pytest.mark.rule("ASG-4")
def test_nobody_handles_a_complaint_about_themselves() -> None:
    found = routed(about_person("after-sales-officer"))
    assert found.answerable.person == "after-sales-deputy"
    assert passed_over(found) == [("after-sales-officer", "is complained of")]


@pytest.mark.rule("ASG-4")
def test_a_complaint_about_a_supervisor_goes_one_level_above() -> None:
    found = routed(about_person("after-sales-head"))
    assert found.answerable == Answerable(unit="executive", person="general-manager")
    assert passed_over(found) == [
        ("after-sales-officer", "answers to the person complained of"),
        ("after-sales-deputy", "answers to the person complained of"),
        ("after-sales-head", "is complained of"),
    ]


@pytest.mark.rule("ASG-4")
@pytest.mark.parametrize(
    ("about", "taken_by"), [("general-manager", "board-chair"), ("board-chair", "supervisory-chair")]
)
def test_even_a_complaint_about_the_top_finds_somebody(about: str, taken_by: str) -> None:
    assert routed(about_person(about)).answerable.person == taken_by


@pytest.mark.rule("ASG-4")
def test_a_unit_does_not_judge_itself() -> None:
    found = routed(facts(RespondentKind.UNIT, "after-sales", kind=Kind.SERVICE))
    assert found.answerable.person == "general-manager"


@pytest.mark.rule("ASG-2")
def test_the_work_of_who_left_falls_to_the_deputy_then_to_the_head() -> None:
    officer, deputy = "unit: quality, superior: quality-head}", "unit: quality, superior: quality-head}"
    left = f"quality-officer: {{name: {{zh: 质量工程师, en: Quality engineer}}, {officer}"
    gone = changed((left, left[:-1] + ", left_on: 2026-07-01}"))
    complaint = about_product(kind=Kind.PRODUCT_QUALITY)
    assert route(gone, complaint, date(2026, 6, 30)).answerable.person == "quality-officer"
    found = route(gone, complaint, date(2026, 7, 1))
    assert found.answerable.person == "quality-deputy"
    assert passed_over(found) == [("quality-officer", "left on 2026-07-01")]

    also = f"quality-deputy: {{name: {{zh: 质量副经理, en: Deputy quality manager}}, {deputy}"
    both = changed((left, left[:-1] + ", left_on: 2026-07-01}"), (also, also[:-1] + ", left_on: 2026-01-01}"))
    assert route(both, complaint, date(2026, 7, 1)).answerable.person == "quality-head"


@pytest.mark.rule("CLS-5")
def test_a_contest_goes_to_a_judge_whom_no_superior_has_overruled_already() -> None:
    pack = standard()
    assert judges_contest(pack, TODAY, frozenset()).person == "after-sales-deputy"
    assert judges_contest(pack, TODAY, frozenset({"after-sales-deputy"})).person == "after-sales-head"
    assert judges_contest(pack, TODAY, frozenset({"after-sales-head"})).person == "quality-head"
    everybody = frozenset(pack.people)
    assert judges_contest(pack, TODAY, everybody, about="board-chair").person == "staff-congress-chair"


@pytest.mark.rule("PEN-4")
def test_somebody_is_left_to_judge_what_one_of_the_last_resort_imposed_on_another() -> None:
    pack = standard()
    top = pack.leadership.last_resort
    for sanctioned, imposed_by in permutations(top, 2):
        judge = decides_appeal(pack, TODAY, imposed_by, sanctioned).person
        assert judge not in {sanctioned, imposed_by}


@pytest.mark.rule("ASG-5")
def test_the_policy_says_how_often_a_complaint_may_be_passed_on() -> None:
    assert reassignments_max(standard()) == 2


@pytest.mark.rule("SLA-3", "ASG-6")
def test_escalation_climbs_the_ladder_and_stays_at_its_top() -> None:
    owed_by = Answerable(unit="quality", person="quality-officer")
    levels = [
        escalate(standard(), EscalationCause.OVERDUE, TODAY, owed_by, level) for level in (0, 1, 2, 3, 9)
    ]
    assert [(each.level, each.to.person) for each in levels] == [
        (1, "quality-head"),
        (2, "general-manager"),
        (3, "general-manager"),
        (3, "general-manager"),
        (3, "general-manager"),
    ]
    assert levels[0].ground.clause == "ESC-1"


@pytest.mark.rule("ASG-5")
def test_buck_passing_goes_to_leadership_at_once() -> None:
    owed_by = Answerable(unit="quality", person="quality-officer")
    found = escalate(standard(), EscalationCause.BUCK_PASSING, TODAY, owed_by)
    assert (found.level, found.to.person) == (3, "general-manager")
    assert found.ground.clause == "ASG-B1, ESC-3"


@pytest.mark.rule("SLA-3")
def test_what_nobody_was_assigned_is_escalated_too() -> None:
    found = escalate(standard(), EscalationCause.OVERDUE, TODAY)
    assert found.to == Answerable(unit="after-sales", person="after-sales-head")


@pytest.mark.rule("SLA-3")
def test_what_a_unit_owed_that_is_no_more_falls_to_where_all_else_goes() -> None:
    owed_by = Answerable(unit="closed-down", person="somebody")
    found = escalate(standard(), EscalationCause.OVERDUE, TODAY, owed_by)
    assert found.to.person == "after-sales-head"
    assert people.in_unit(standard(), "closed-down")[0] == "after-sales-officer"
    lost = replace(about_product(), kind=Kind.SERVICE, region="atlantis")
    assert route(standard(), lost, TODAY).answerable.unit == "after-sales"


@pytest.mark.rule("SLA-3")
def test_nothing_is_escalated_to_who_owes_it() -> None:
    owed_by = Answerable(unit="quality", person="quality-head")
    found = escalate(standard(), EscalationCause.OVERDUE, TODAY, owed_by)
    assert found.to.person == "general-manager"
    assert found.passed_over[0].why == "has dealt with it before"


@pytest.mark.rule("ASG-4", "ASG-6")
def test_escalation_passes_over_who_is_complained_of() -> None:
    owed_by = Answerable(unit="after-sales", person="after-sales-officer")
    found = escalate(standard(), EscalationCause.OVERDUE, TODAY, owed_by, about="after-sales-head")
    assert found.to.person == "general-manager"


def test_people_and_units_have_names_in_both_languages() -> None:
    complaint = replace(about_product(), kind=Kind.SERVICE)
    who = route(standard(), complaint, TODAY).answerable
    names = [people.name_of(standard(), who.person, language) for language in Language]
    assert names == ["客户主管", "Customer service officer"]
    assert people.unit_title(standard(), "nowhere", complaint.language) == "nowhere"
