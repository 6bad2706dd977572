"""Whatever happens, a checked pack has an answer: evaluation is total, deterministic and never raises."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.handling import Answerable, Kind, Severity, Step
from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.penalize import Charge
from libs.events.contracts.propose import RemedyKind
from libs.events.contracts.values import (
    Channel,
    Demand,
    DemandKind,
    Detail,
    Language,
    Money,
    Product,
    Respondent,
    RespondentKind,
)
from libs.policy import (
    approvals,
    classification,
    contributions,
    deadlines,
    escalation,
    incidents,
    notices,
    people,
    routing,
    sanctions,
    warranty,
)
from libs.policy.calendar import Span
from libs.policy.facts import Facts
from libs.policy.pack import Pack, WrongPack, parse
from libs.policy.schema.deadlines import Errand
from tests.packs import STANDARD_TEXT, TODAY, about_person, about_product, standard

SOME = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)

persons = st.sampled_from([*standard().people, "somebody-else"])
days = st.dates(date(2020, 1, 1), date(2040, 1, 1))
EPOCH = datetime(2004, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
moments = st.integers(0, 36 * 365 * 24 * 60).map(lambda minutes: EPOCH + minutes * MINUTE)
amounts = st.decimals(0, 1_000_000, places=2)
money = st.none() | st.builds(Money, amount=amounts, currency=st.sampled_from(["CNY", "EUR"]))
texts = st.text(max_size=40) | st.sampled_from(
    ["起火", "no fire", "fire", "违约", "运输", "索要", "damaged in transit", "没有爆炸，但冒烟"]
)
respondents = st.builds(
    Respondent,
    kind=st.sampled_from(RespondentKind),
    reference=persons | st.sampled_from([*standard().units]) | st.text(max_size=8),
)
products = st.none() | st.builds(
    Product,
    part_number=st.none() | st.sampled_from(["BAT-1", "X"]) | st.text(max_size=8),
    batch=st.none() | st.text(max_size=4),
    delivered_on=st.none() | days,
    quantity=st.none() | st.integers(0, 500),
    defective_quantity=st.none() | st.integers(0, 500),
)
complaints = st.builds(
    Facts,
    respondent=respondents,
    product=products,
    narrative=texts,
    demand=st.builds(Demand, kind=st.sampled_from(DemandKind), money=money),
    channel=st.none() | st.sampled_from(Channel),
    language=st.sampled_from(Language),
    occurred_at=st.none() | moments,
    missing_details=st.just(()) | st.just((Detail.QUANTITY,)),
    batch_incident=st.booleans(),
    repeat_repair=st.booleans(),
    kind=st.none() | st.sampled_from(Kind),
    severity=st.none() | st.sampled_from(Severity),
    loss=st.none() | amounts,
)
addresses = st.none() | texts | st.sampled_from(["广东", "Shanghai"])
excluded = st.frozensets(persons) | st.just(frozenset(standard().people))


@pytest.mark.rule("CLS-6")
@SOME
@given(complaint=complaints)
def test_every_complaint_is_classified_the_same_each_time(complaint: Facts) -> None:
    first = classification.classify(standard(), complaint)
    assert first == classification.classify(standard(), complaint)
    assert (first.founded is None) == bool(complaint.missing_details)
    assert plain(first)
    assert len(first.because) == (3 if complaint.missing_details else 5)


@pytest.mark.rule("ASG-2", "ASG-4")
@SOME
@given(complaint=complaints, address=addresses, on=days, others=excluded)
def test_every_complaint_finds_somebody_who_is_no_judge_in_their_own_cause(
    complaint: Facts, address: str | None, on: date, others: frozenset[str]
) -> None:
    pack = standard()
    located = routing.located(pack, complaint, address)
    found = routing.route(pack, located, on, others)
    assert found == routing.route(pack, located, on, others)
    assert plain(found)
    about = people.complained_of(pack, complaint.respondent)
    assert_fits(found.answerable, about)
    assert found.answerable.person not in [each.person for each in found.passed_over] or others


@pytest.mark.rule("SLA-3", "ASG-6")
@SOME
@given(
    cause=st.sampled_from(EscalationCause),
    on=days,
    owed_by=st.none() | st.builds(Answerable, unit=st.sampled_from([*standard().units, "x"]), person=persons),
    level=st.integers(0, 20),
    about=st.none() | persons,
)
def test_every_escalation_reaches_somebody(
    cause: EscalationCause, on: date, owed_by: Answerable | None, level: int, about: str | None
) -> None:
    found = escalation.escalate(standard(), cause, on, owed_by, level, about)
    assert 1 <= found.level <= len(standard().escalation.ladder)
    assert found.level > level or level >= len(standard().escalation.ladder)
    assert_fits(found.to, about)
    assert plain(found)


pauses = st.lists(st.tuples(moments, st.integers(-5, 9000)).map(lambda p: Span(p[0], p[0] + p[1] * MINUTE)))
whats = st.sampled_from([*set(Step) - {Step.RECORD}, *Errand])


@pytest.mark.rule("SLA-2", "SLA-4", "SLA-9")
@SOME
@given(what=whats, severity=st.sampled_from(Severity), start=moments, waits=pauses)
def test_every_deadline_lies_ahead_and_its_explanation_adds_up(
    what: Step | Errand, severity: Severity, start: datetime, waits: list[Span]
) -> None:
    pack = standard()
    due = deadlines.due(pack, what, severity, start, waits)
    assert start < due.warn_at <= due.due_at
    assert due.due_at >= deadlines.due(pack, what, severity, start).due_at, "a pause never brings it forward"
    explained = deadlines.explain(pack, what, severity, start, waits)
    assert explained.due == due
    assert plain(explained)
    counted = sum((share.counted for share in explained.days), timedelta())
    if "days" not in due.allowed:
        unit = MINUTE if "minutes" in due.allowed else 60 * MINUTE
        assert counted == int(due.allowed.split()[0]) * unit


@pytest.mark.rule("PRO-3", "PRO-7")
@SOME
@given(
    remedies=st.lists(st.tuples(st.sampled_from(RemedyKind), money), max_size=4),
    severity=st.sampled_from(Severity),
    proposer=persons,
    on=days,
    about=st.none() | persons,
)
def test_approvals_are_others_and_a_return_has_the_general_managers_office(
    remedies: list[tuple[RemedyKind, Money | None]],
    severity: Severity,
    proposer: str,
    on: date,
    about: str | None,
) -> None:
    found = approvals.approvals_needed(standard(), remedies, severity, proposer, on, about)
    assert plain(found)
    for each in found.needed:
        assert each.person != about
        assert each.person != proposer or {proposer, about} == set(standard().leadership.last_resort)
    if RemedyKind.RETURN_AND_REFUND in dict(remedies):
        assert "general-manager" in [each.office for each in found.needed]


@SOME
@given(complaint=complaints, charge=st.sampled_from(Charge), head=st.booleans(), wage=st.none() | amounts)
def test_every_sanction_says_how_much_or_has_a_way_without_money(
    complaint: Facts, charge: Charge, head: bool, wage: Decimal | None
) -> None:
    bears = "head" if head else "direct"
    earnings = sanctions.Earnings(month_wage=wage)
    found = sanctions.applicable(standard(), complaint, charge, bears, earnings)  # type: ignore[arg-type] # one of two
    assert found, "somebody answers for every charge"
    for each in found:
        assert plain(each)
        assert each.ground.clause == each.clause


@SOME
@given(complaint=complaints, on=days, severity=st.sampled_from(Severity), at=moments, count=st.integers(0, 9))
def test_all_else_has_an_answer_too(
    complaint: Facts, on: date, severity: Severity, at: datetime, count: int
) -> None:
    pack = standard()
    decided = warranty.decide_warranty(pack, complaint.product, on, complaint.language)
    assert (decided is None) == (complaint.product is None)
    for kind in Kind:
        assert contributions.duties(pack, kind, severity, at, complaint.language)
    assert all(plain(each) for each in incidents.likenesses(pack, complaint.respondent, complaint.product))
    found = incidents.batch_incident(pack, count, on, complaint.respondent.reference)
    assert (found is None) == (count < 3)
    first = deadlines.first_reply(pack, at)
    assert first.due_at - at == timedelta(hours=24)


@SOME
@given(
    kind=st.sampled_from(NoticeKind),
    recipient=st.sampled_from(Recipient),
    language=st.sampled_from(Language),
    values=st.dictionaries(st.sampled_from(sorted(notices.fields(NoticeKind.SOLUTION))), st.text(max_size=9)),
    on=days,
    about=st.none() | persons,
)
def test_every_notice_can_be_written(
    kind: NoticeKind,
    recipient: Recipient,
    language: Language,
    values: dict[str, str],
    on: date,
    about: str | None,
) -> None:
    written = notices.render(standard(), kind, recipient, language, values)
    assert written == notices.render(standard(), kind, recipient, language, values)
    assert plain(written)
    assert all(each.person != about for each in notices.told(standard(), kind, on, about))


lines = STANDARD_TEXT.splitlines()
places = st.integers(0, len(lines) - 1)
words = st.sampled_from(["0", "-1", "99999", ".nan", "null", "[]", "true", "x", "quality", "后"])


@pytest.mark.rule("GOV-2")
@SOME
@given(at=places, other=places, word=words, how=st.sampled_from(["drop", "double", "swap", "replace"]))
def test_a_damaged_pack_is_refused_with_a_place_or_evaluates(
    at: int, other: int, word: str, how: str
) -> None:
    damaged = list(lines)
    match how:
        case "drop":
            del damaged[at]
        case "double":
            damaged.insert(at, damaged[at])
        case "swap":
            damaged[at], damaged[other] = damaged[other], damaged[at]
        case _:
            damaged[at] = re.sub(r"[A-Za-z0-9_.-]+(?=[^A-Za-z0-9_.-]*$)", word, damaged[at])
    found = read("\n".join(damaged))
    if isinstance(found, WrongPack):
        assert all(1 <= fault.line <= len(damaged) + 1 for fault in found.faults)
    else:
        decide_everything(found)


def read(text: str) -> Pack | WrongPack:
    try:
        return parse(text, "damaged.yaml")
    except WrongPack as wrong:
        return wrong


def decide_everything(pack: Pack) -> None:
    for severity in Severity:
        for what in (*set(Step) - {Step.RECORD}, *Errand):
            deadlines.due(pack, what, severity, EPOCH)
        for kind in RemedyKind:
            approvals.approvals_needed(pack, [(kind, None)], severity, "quality-officer", TODAY)
    for complaint in (about_product(narrative="fire 合同"), about_person("after-sales-head")):
        kind_found = classification.classify(pack, complaint).kind
        routing.route(pack, routing.located(pack, replace(complaint, kind=kind_found), "上海"), TODAY)
    for notice in NoticeKind:
        notices.render(pack, notice, Recipient.CUSTOMER, Language.CHINESE, {})


def assert_fits(who: Answerable, about: str | None) -> None:
    pack = standard()
    assert who.unit == pack.people[who.person].unit
    assert who.person != about
    assert about is None or about not in people.superiors(pack, who.person)


def plain(value: Any) -> bool:
    """Results may go into events: dataclasses, tuples and values all the way down, no part of the pack."""
    if is_dataclass(value) and not isinstance(value, type):
        return all(plain(getattr(value, each.name)) for each in fields(value))
    if isinstance(value, tuple):
        return all(map(plain, value))
    return not isinstance(value, BaseModel | list | dict)
