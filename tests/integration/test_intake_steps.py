"""Steps 2 and 3 on real servers: what was recorded is judged, assigned, grouped, escalated by itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from libs.events.contracts import assign, classify
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step
from libs.events.contracts.policy import PolicyPublished
from libs.events.contracts.term import DeadlinesRecomputed
from libs.service import policies
from services.intake.app import SERVICE
from tests import alongside, backends, complaint_history, service_kit
from tests.complaint_history import Writer
from tests.e2e.calls import Answer, expect, path, record
from tests.packs import text_with
from tests.service_kit import problem, until

SCOPES = "complaints:read complaints:write personal:read"
JUDGED: dict[str, Any] = {
    "kind": "product_quality",
    "nature": "quality_anomaly",
    "severity": "serious",
    "founded": {"value": True, "reason": "seen with our own eyes"},
    "demand_reasonable": {"value": True, "reason": "in proportion"},
}
UNFOUNDED = JUDGED | {"founded": {"value": False, "reason": "dropped by the customer"}}


@dataclass
class Running:
    """Intake, started, on its bus; `now` is the time there."""

    app: FastAPI
    client: httpx.AsyncClient
    pens: dict[str, Writer]
    now: datetime

    async def history(self, complaint_id: str) -> list[Any]:
        store = self.app.state.resources.store
        return [each.event for each in await store.read_stream("main", f"intake-{complaint_id}")]

    async def until_in(self, answer: Answer, kind: type, count: int = 1) -> Any:
        """Wait until so many events of that kind are in the complaint's stream; gives the newest."""

        async def there() -> bool:
            found = [event for event in await self.history(answer["complaint_id"]) if isinstance(event, kind)]
            return len(found) >= count

        await until(there)
        return [event for event in await self.history(answer["complaint_id"]) if isinstance(event, kind)][-1]

    async def as_person(self, person: str, answer: Answer, what: str, body: Any) -> httpx.Response:
        bearer = {"authorization": f"Bearer {service_kit.token(sub=person, scope=SCOPES)}"}
        return await self.client.post(path(answer, what), json=body, headers=bearer)


@pytest.fixture
async def running(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> AsyncIterator[Running]:
    others, bearer = ("investigation", "oversight"), service_kit.token(scope=SCOPES)
    async with alongside.started(SERVICE, database, nats_server, tmp_path, others, bearer) as intake:
        resources = intake.app.state.resources
        found = Running(intake.app, intake.client, intake.pens, resources.now())
        resources.now = lambda: found.now
        yield found


@pytest.mark.rule("CLS-6", "ASG-2", "ASG-7")
async def test_a_recorded_complaint_is_classified_and_assigned_by_itself(running: Running) -> None:
    answer = await record(running.client)
    assigned = await running.until_in(answer, assign.ComplaintAssigned)
    dossier = expect(await running.client.get(path(answer)))
    assert dossier["status"] == "assigned"
    (judgement,) = dossier["judgements"]
    assert judgement["policy"] == "standard@1"
    assert "CLS-K5" in judgement["clause"]
    assert judgement["founded"]["value"] is True
    (shown,) = dossier["assignments"]
    assert (shown["unit"], shown["person"], shown["clause"]) == ("quality", "quality-officer", "ASG-R4")
    assert [due.step for due in assigned.due] == [
        Step.INVESTIGATE,
        Step.PROPOSE,
        Step.NOTIFY,
        Step.PENALIZE,
        Step.IMPROVE,
    ]
    explained = expect(await running.client.get(path(answer, "deadlines")))["deadlines"]
    assert [each["step"] for each in explained] == [due.step for due in assigned.due]
    for each, due in zip(explained, assigned.due, strict=True):
        assert datetime.fromisoformat(each["due_at"]) == due.due_at
        assert sum(day["counted_seconds"] for day in each["days"]) == each["working_seconds"]
    await catch_up(running)
    for params in ({"kind": "product_quality"}, {"severity": "minor"}, {"unit": "quality"}):
        listed = expect(await running.client.get("/v1/complaints", params=params))["items"]
        assert [line["complaint_id"] for line in listed] == [answer["complaint_id"]], params
    for params in ({"kind": "service"}, {"severity": "major"}, {"unit": "sales"}):
        assert expect(await running.client.get("/v1/complaints", params=params))["items"] == []


@pytest.mark.rule("REC-2")
async def test_missing_details_keep_it_from_being_judged_founded(running: Running) -> None:
    answer = await record(running.client, product={"order_number": "SO-1"})
    waiting = await running.until_in(answer, classify.ComplaintClassified)
    assert (waiting.founded, waiting.owed_by.person) == (None, "after-sales-officer")
    refused = await running.as_person("quality-officer", answer, "classification", JUDGED)
    problem(refused, 409, "details_missing")
    details = ["part_number", "delivered_on", "quantity", "defective_quantity", "requirement"]
    rest = {"reason": "the customer threw the papers away", "unavailable_details": details}
    expect(await running.client.post(path(answer, "amendments"), json=rest))
    await running.until_in(answer, assign.ComplaintAssigned)


@pytest.mark.rule("CLS-5", "CLS-6")
async def test_an_unfounded_complaint_is_contested_once_for_another_judge(running: Running) -> None:
    answer = await record(running.client)
    await running.until_in(answer, assign.ComplaintAssigned)
    judged = expect(await running.as_person("quality-officer", answer, "classification", UNFOUNDED))
    assert (judged["status"], judged["person"]) == ("unfounded", None)
    assert (await running.history(answer["complaint_id"]))[1].ground.person is None, (
        "the rule's is still there"
    )
    contest = {"new_facts": "the video shows how it fell by itself"}
    contested = expect(await running.client.post(path(answer, "contest"), json=contest))
    assert (contested["status"], contested["round"]) == ("recorded", 2)
    again = await running.until_in(answer, classify.ComplaintClassified, 3)
    assert (again.round, again.founded, again.owed_by.person) == (2, None, "after-sales-deputy")
    refused = await running.as_person("quality-officer", answer, "classification", JUDGED)
    problem(refused, 409, "judged_before")
    expect(await running.as_person("after-sales-deputy", answer, "classification", UNFOUNDED))
    problem(
        await running.client.post(path(answer, "contest"), json={"new_facts": "more"}),
        409,
        "already_contested",
    )


@pytest.mark.rule("ASG-5", "ASG-6", "ASG-4")
async def test_passing_around_and_what_cannot_be_solved_go_to_leadership(running: Running) -> None:
    answer = await record(running.client)
    await running.until_in(answer, assign.ComplaintAssigned)
    passed = []
    for unit in ("technology", "production", "sales"):
        body = {"unit": unit, "person": f"{unit}-officer", "reason": f"{unit} knows more"}
        passed.append(expect(await running.as_person("quality-officer", answer, "assignment", body)))
    assert [each["person"] for each in passed] == [
        "technology-officer",
        "production-officer",
        "general-manager",
    ]
    wrong = {"unit": "sales", "person": "technology-officer", "reason": "?"}
    problem(await running.as_person("sales-officer", answer, "assignment", wrong), 409, "cannot_answer")
    home = {"unit": "quality", "person": "quality-officer", "reason": "it stays there"}
    assert expect(await running.as_person("general-manager", answer, "assignment", home))["level"] == 0
    tried = {"tried": "two visits and a new driver"}
    escalated = expect(await running.as_person("quality-officer", answer, "escalation", tried))
    assert (escalated["person"], escalated["level"]) == ("general-manager", 2)


@pytest.mark.rule("CLS-7")
async def test_many_alike_are_one_incident_that_later_ones_join(running: Running) -> None:
    answers = [await record(running.client) for _ in range(5)]
    joined = [await running.until_in(each, classify.ComplaintJoinedIncident) for each in answers]
    assert len({each.incident_id for each in joined}) == 1
    await catch_up(running)
    (line,) = expect(await running.client.get("/v1/incidents"))["items"]
    assert line["incident_id"] == str(joined[0].incident_id)
    assert (line["complaints"], line["threshold"], line["person"]) == (5, 3, "quality-head")
    assert line["matched_on"] == "respondent+part_number"
    other = await record(running.client, respondent={"kind": "product", "reference": "OTHER"})
    await running.until_in(other, assign.ComplaintAssigned)
    listed = expect(await running.client.get("/v1/complaints", params={"severity": "major"}))["items"]
    assert len(listed) == 5


@pytest.mark.rule("SLA-3", "SLA-4")
async def test_what_nobody_judged_in_time_is_escalated_rung_by_rung(running: Running) -> None:
    answer = await record(running.client, product={"order_number": "SO-1"})
    waiting = await running.until_in(answer, classify.ComplaintClassified)
    first = waiting.due[0].due_at
    running.now = first + timedelta(hours=1)
    missed = await running.until_in(answer, DeadlineMissed)
    assert (missed.step, missed.missed_at, missed.noticed_at) == (Step.CLASSIFY, first, running.now)
    warned = await running.until_in(answer, DeadlineWarned)
    assert (warned.warned_at, warned.owed_by.person) == (waiting.due[0].warn_at, "after-sales-officer")
    escalated = await running.until_in(answer, assign.ComplaintEscalated)
    assert (escalated.cause, escalated.level) == (assign.EscalationCause.OVERDUE, 1)
    assert (escalated.owed_by, escalated.due_at) == (waiting.owed_by, first)
    (explained,) = expect(await running.client.get(path(answer, "deadlines")))["deadlines"]
    assert datetime.fromisoformat(explained["due_at"]) == escalated.due[0].due_at
    assert datetime.fromisoformat(explained["started_at"]) == escalated.escalated_at
    running.now = escalated.due[0].due_at + timedelta(hours=1)
    assert (await running.until_in(answer, assign.ComplaintEscalated, 2)).level == 2


@pytest.mark.rule("SLA-3")
async def test_a_deadline_missed_elsewhere_is_escalated_but_not_after_a_withdrawal(running: Running) -> None:
    first, second = await record(running.client), await record(running.client)
    for each in (first, second):
        await running.until_in(each, assign.ComplaintAssigned)
    expect(await running.client.post(path(first, "withdrawal"), json={"reason": "they changed their mind"}))
    for each in (first, second):
        missed = complaint_history.missed(UUID(each["complaint_id"]), running.now)
        await running.pens["investigation"].says(missed, category="investigation")
    escalated = await running.until_in(second, assign.ComplaintEscalated)
    assert (escalated.step, escalated.to.person) == (Step.INVESTIGATE, "quality-head")
    await catch_up(running)
    assert not [
        each
        for each in await running.history(first["complaint_id"])
        if isinstance(each, assign.ComplaintEscalated)
    ]


@pytest.mark.rule("SLA-2")
async def test_a_policy_that_comes_into_force_moves_what_is_open(running: Running) -> None:
    """Trap 7, with the register and the deadlines in their tables."""
    open_, done = [await record(running.client, product={"order_number": "SO-1"}) for _ in range(2)]
    waiting = await running.until_in(open_, classify.ComplaintClassified)
    expect(await running.client.post(path(done, "withdrawal"), json={"reason": "they changed their mind"}))
    before = waiting.due[0].due_at
    policy, zone = running.app.state.resources.policy, running.app.state.resources.policy.calendar.zone
    day_off = before.astimezone(zone).date()
    text = text_with(
        ("version: 1", "version: 2"),
        ("effective_from: 2026-01-01", f"effective_from: {policy.day_of(running.now)}"),
        ("single_days: []", f"single_days: [{{day: {day_off}, name: {{zh: 雪, en: snow}}}}]"),
    )
    published = PolicyPublished(
        name="standard",
        version=2,
        effective_from=policy.day_of(running.now),
        text=text,
        author="general-manager",
        published_at=running.now,
    )
    await running.pens["oversight"].says(published, policies.key_of("main"), "policy")
    # What was read a moment ago is good for seconds, which time leaps over.
    running.app.state.resources.policies.changed("main")
    running.now += timedelta(minutes=2)
    moved = (await running.until_in(open_, DeadlinesRecomputed)).moved[0]
    assert (moved.before_at, moved.due.due_at > before, moved.running) == (before, True, True)
    explained = expect(await running.client.get(path(open_, "deadlines")))["deadlines"][0]
    assert (explained["policy"], datetime.fromisoformat(explained["due_at"])) == (
        "standard@2",
        moved.due.due_at,
    )
    await catch_up(running)
    (clock_,) = [each for each in running.app.state.followers if each.view.name == "intake.deadlines"]

    async def settled() -> bool:
        due = await clock_.view.due("main", running.now)
        return not [each for each in due if each.step.startswith("policy/")]

    await until(settled)
    assert not [
        each for each in await running.history(done["complaint_id"]) if isinstance(each, DeadlinesRecomputed)
    ]


async def test_a_call_is_carried_out_once_and_only_on_what_the_caller_saw(running: Running) -> None:
    answer = await record(running.client)
    await running.until_in(answer, assign.ComplaintAssigned)
    tried = {"tried": "two visits"}
    once = {"idempotency-key": "k-1"}
    first = await running.client.post(path(answer, "escalation"), json=tried, headers=once)
    again = await running.client.post(path(answer, "escalation"), json=tried, headers=once)
    assert again.json() == expect(first)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"] == '"4"'
    other = await running.client.post(path(answer, "escalation"), json={"tried": "more"}, headers=once)
    problem(other, 422, "idempotency_mismatch")
    stale = {"if-match": '"1"'}
    problem(
        await running.client.post(path(answer, "escalation"), json=tried, headers=stale), 412, "stale_version"
    )


async def catch_up(running: Running) -> None:
    for follower in running.app.state.followers:
        await follower.catch_up("main")
