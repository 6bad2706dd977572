"""Steps 5, 7 and 8 on real servers: found in the log, resolved over HTTP, closed when nothing is missing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from libs.events.contracts import improve, investigate, notify, penalize, propose
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.term import DeadlinesRecomputed
from libs.events.contracts.values import Money
from libs.events.store import EventStore
from libs.policy import deadlines
from services.resolution.app import SERVICE
from tests import alongside, backends, complaint_history, service_kit, snow
from tests.complaint_history import DAY, NOW, Writer
from tests.packs import standard
from tests.service_kit import problem, until

REPAIR = {"kind": "repair", "text": "replace the driver", "money": {"amount": "900.00", "currency": "CNY"}}
WORDS = {"kind": "explanation", "text": "why it flickered"}
WORKER = "production-officer"


@dataclass
class Running:
    """The service, started; people who call it; and the pens of the other services."""

    app: FastAPI
    client: httpx.AsyncClient
    intake: Writer
    investigation: Writer
    notifier: Writer
    now: datetime = NOW

    @property
    def store(self) -> EventStore:
        store: EventStore = self.app.state.resources.store
        return store

    async def post(
        self, path: str, content: Any = None, by: str = "quality-officer", **headers: str
    ) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {service_kit.token(sub=by)}"}
        return await self.client.post(f"/v1/{path}", json=content, headers={**bearer, **headers})

    async def done(self, path: str, content: Any = None, by: str = "quality-officer") -> dict[str, Any]:
        answer = await self.post(path, content, by)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def history(self, key: UUID) -> list[Any]:
        return [each.event for each in await self.store.read_stream("main", f"resolution-{key}")]

    async def until_in(self, key: UUID, kind: type, count: int = 1) -> list[Any]:
        """Wait until that many events of a kind are in the case or measure."""

        async def there() -> bool:
            return sum(isinstance(event, kind) for event in await self.history(key)) >= count

        await until(there)
        return [event for event in await self.history(key) if isinstance(event, kind)]

    async def assigned(self, **changes: Any) -> UUID:
        """A complaint that is assigned, and whose case has opened."""
        complaint_id = uuid4()
        await self.intake.says(complaint_history.recorded(complaint_id, **changes))
        await self.intake.says(complaint_history.classified(complaint_id))
        assigned = complaint_history.assigned(complaint_id)
        due = deadlines.all_due(standard(), assigned.severity, NOW)
        await self.intake.says(type(assigned)(**{**_fields(assigned), "due": due}))
        await self.until_in(complaint_id, propose.CaseOpened)
        return complaint_id

    async def found(self, company_is_cause: bool = True, code: str = "cold-solder", **changes: Any) -> UUID:
        """The same, and its cause is known."""
        complaint_id = await self.assigned(**changes)
        await self.investigation.says(finding(complaint_id, company_is_cause, code), category="investigation")
        if company_is_cause:
            await self.until_in(complaint_id, penalize.ResponsibilityRaised, 2)
        else:
            await self.until_in(complaint_id, penalize.NoFaultFound)
        return complaint_id

    async def told(self, complaint_id: UUID, kind: notify.NoticeKind = notify.NoticeKind.SOLUTION) -> None:
        notice_id = uuid4()
        await self.notifier.says(delivered(complaint_id, notice_id, kind), notice_id, "notifier")

    async def missing(self, complaint_id: UUID) -> set[tuple[str, str, str]]:
        steps = (await self.get(f"complaints/{complaint_id}/outcome"))["steps"]
        return {
            (step["step"], each["what"], each["owed_by"]["person"])
            for step in steps
            for each in step["missing"]
        }


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__slots__}


def finding(complaint_id: UUID, company_is_cause: bool, code: str) -> investigate.FindingRecorded:
    worker = investigate.ResponsibleParty(unit="production", person=WORKER, share=Decimal(1))
    loss = investigate.Loss(money=Money(amount=Decimal("900.00"), currency="CNY"), basis="one visit")
    return investigate.FindingRecorded(
        investigation_id=complaint_id,
        complaint_id=complaint_id,
        data_subject=f"customer:C-{complaint_id}",
        round=1,
        cause=investigate.Cause(code=code, text="soldered too cold"),
        responsible=(worker,) if company_is_cause else (),
        company_is_cause=company_is_cause,
        appraisal=None if company_is_cause else "the tubes are sound",
        appraisal_basis=None if company_is_cause else "laboratory report 7",
        possible_causes=() if company_is_cause else ("mains voltage",),
        evidence_ids=(uuid4(),),
        loss=loss if company_is_cause else None,
        repeat_repair=False,
        adopted_from=None,
        author="quality-officer",
        found_at=NOW,
    )


def delivered(complaint_id: UUID, notice_id: UUID, kind: notify.NoticeKind) -> notify.NoticeDelivered:
    return notify.NoticeDelivered(
        notice_id=notice_id,
        complaint_id=complaint_id,
        kind=kind,
        recipient=notify.Recipient.CUSTOMER,
        channel="outbox",
        attempt=1,
        delivered_at=NOW,
    )


@pytest.fixture
async def running(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> AsyncIterator[Running]:
    others = ("intake", "investigation", "notifier")
    async with alongside.started(SERVICE, database, nats_server, tmp_path, others) as service:
        intake, investigation, notifier = service.pens.values()
        found = Running(service.app, service.client, intake, investigation, notifier)
        found.app.state.resources.now = lambda: found.now
        yield found


async def resolve(running: Running, complaint_id: UUID) -> None:
    """Propose, have it approved, accepted and carried out; the customer hears of it."""
    case = await running.done(f"complaints/{complaint_id}/proposals", {"remedies": [REPAIR]})
    number = case["solution"]["proposal"]
    path = f"complaints/{complaint_id}/proposals/{number}"
    for office in case["solution"]["waiting_for"]:
        case = await running.done(f"{path}/approvals", {"approved": True}, by=office["person"])
    assert case["solution"]["status"] == "offered"
    await running.told(complaint_id)
    case = await running.done(f"{path}/answers", {"answer": "accepted"})
    while stage := case["solution"]["next_stage"]:
        case = await running.done(f"{path}/execution", {"stage": stage})
    assert case["solution"]["status"] == "carried_out"


@pytest.mark.rule("PRO-3", "PRO-4", "PRO-5", "PEN-1", "PEN-2", "PEN-5")
async def test_from_a_finding_to_the_end(running: Running) -> None:
    complaint_id = await running.found(occurred_at=NOW - 2 * DAY)
    assert await running.missing(complaint_id) == {
        ("propose", "proposal", "quality-officer"),
        ("notify", "notice", "quality-officer"),
        ("penalize", "decision", "quality-officer"),
        ("improve", "measure", "quality-officer"),
    }
    await resolve(running, complaint_id)
    place = f"complaints/{complaint_id}"
    charge = {"person": WORKER, "reason": "did not watch the temperature"}
    answer = await running.post(f"{place}/sanctions", {**charge, "clause": "PEN-L1", "month_wage": "8000"})
    assert answer.status_code == 201, answer.text
    (sanction,) = answer.json()["sanctions"]
    assert sanction["amount"] == {"amount": "160.00", "currency": "CNY"}
    assert sanction["installments"] == {"2026-11-01": "160.00"}
    await running.done(f"{place}/waivers", {"person": "production-head", "reason": "was on leave"})
    case = await running.done(f"{place}/improvement-waiver", {"reason": "a single slip"})
    assert case["undecided"] == []
    (closed,) = await running.until_in(complaint_id, propose.ComplaintClosed)
    assert closed.outcome is propose.Outcome.RESOLVED
    outcome = await running.get(f"{place}/outcome")
    assert (outcome["closed"], outcome["path"]) == (True, "resolved")
    assert all(step["done"] and step["on_record"] for step in outcome["steps"])
    problem(await running.post(f"{place}/proposals", {"remedies": [WORDS]}), 409, "already_closed")

    async def listed() -> bool:
        return len((await running.get(f"ledger?person={WORKER}&month=2026-11"))["items"]) == 1

    await until(listed)
    (line,) = (await running.get(f"ledger?person={WORKER}"))["items"]
    assert (line["entry"], line["clause"], line["complaint_id"]) == ("sanction", "PEN-L1", str(complaint_id))
    assert (await running.get("cases"))["items"] == []


@pytest.mark.rule("PEN-4", "PEN-6")
async def test_an_appeal_is_decided_by_another_and_the_ledger_follows(running: Running) -> None:
    complaint_id = await running.found(occurred_at=NOW - 2 * DAY)
    place = f"complaints/{complaint_id}"
    charge = {"person": WORKER, "reason": "careless", "clause": "PEN-L1", "month_wage": "8000"}
    await running.done(f"{place}/sanctions", charge)
    path = f"{place}/sanctions/1"
    problem(await running.post(f"{path}/appeals", {"text": "not me"}), 409, "not_yours")
    await running.done(f"{path}/statements", {"text": "the iron was broken"}, by=WORKER)
    case = await running.done(f"{path}/appeals", {"text": "I had reported it"}, by=WORKER)
    judge = case["sanctions"][0]["judge"]
    assert judge == "human-resources-head"
    reduced = {"outcome": "reduced", "amount": {"amount": "50.00", "currency": "CNY"}, "reason": "reported"}
    problem(await running.post(f"{path}/appeals/decision", reduced), 409, "judge_in_own_cause")
    case = await running.done(f"{path}/appeals/decision", reduced, by=judge)
    assert case["sanctions"][0]["installments"] == {"2026-11-01": "50.00"}
    bonus = {
        "person": "sales-officer",
        "reason": "thanked",
        "amount": {"amount": "200.00", "currency": "CNY"},
    }
    answer = await running.post(f"{place}/rewards", bonus, by="sales-officer")
    problem(answer, 409, "own_reward")
    await running.done(f"{place}/rewards", bonus, by="sales-head")

    async def reduced_there() -> bool:
        lines = (await running.get(f"ledger?person={WORKER}"))["items"]
        return [line["appeal"] for line in lines] == ["reduced"]

    await until(reduced_there)

    async def rewarded_there() -> bool:
        return len((await running.get("ledger?person=sales-officer"))["items"]) == 1

    await until(rewarded_there)
    (line,) = (await running.get("ledger?person=sales-officer"))["items"]
    assert (line["entry"], line["amount"], line["decided_by"]) == ("reward", bonus["amount"], "sales-head")
    assert (line["complaint_id"], line["unit"]) == (str(complaint_id), "sales")
    stored = await running.store.read_stream("main", f"resolution-{complaint_id}")
    said = next(each for each in stored if isinstance(each.event, penalize.SanctionAppealed))
    assert said.event.data_subject == f"staff:{WORKER}"
    assert b"I had reported it" not in said.envelope.body


@pytest.mark.rule("PEN-5", "INV-4")
async def test_nobody_is_at_fault_where_the_company_is_not_the_cause(running: Running) -> None:
    complaint_id = await running.found(company_is_cause=False)
    missing = await running.missing(complaint_id)
    assert {step for step, *_ in missing} == {"propose", "notify"}
    await resolve(running, complaint_id)
    await running.until_in(complaint_id, propose.ComplaintClosed)


@pytest.mark.rule("CLS-5")
async def test_an_unfounded_complaint_closes_with_its_reply(running: Running) -> None:
    complaint_id = uuid4()
    await running.intake.says(complaint_history.recorded(complaint_id))
    await running.intake.says(complaint_history.classified(complaint_id, founded=False))
    assert {step for step, *_ in await running.missing(complaint_id)} == {"notify"}
    await running.told(complaint_id, notify.NoticeKind.UNFOUNDED_REPLY)
    (closed,) = await running.until_in(complaint_id, propose.ComplaintClosed)
    assert closed.outcome is propose.Outcome.UNFOUNDED


@pytest.mark.rule("IMP-1", "IMP-2", "IMP-3")
async def test_one_measure_answers_many_and_its_cause_coming_back_reopens_it(running: Running) -> None:
    one, two = await running.found(), await running.found()
    plan = {
        "complaint_ids": [str(one), str(two)],
        "lesson": "the temperature was not watched",
        "measure": "log it hourly",
        "owner": "production-head",
    }
    planned = await running.done("improvements", plan)
    measure = UUID(planned["improvement_id"])
    for complaint_id in (one, two):
        await running.until_in(complaint_id, improve.ComplaintJoinedImprovement)
    path = f"improvements/{measure}"
    problem(
        await running.post(f"{path}/verification", {"effective": True, "text": "?"}), 409, "not_yet_completed"
    )
    completed = await running.done(f"{path}/completion", by="production-head")
    assert completed["verifier"]["person"] == "general-manager"
    verdict = {"effective": True, "text": "none came back"}
    problem(await running.post(f"{path}/verification", verdict, by="production-head"), 409, "own_measure")
    problem(await running.post(f"{path}/verification", verdict, by="general-manager"), 409, "still_observed")
    running.now = NOW + 10 * DAY
    again = await running.found(recorded_at=running.now)
    (reopened,) = await running.until_in(measure, improve.ImprovementReopened)
    assert (reopened.complaint_id, reopened.cause_code) == (again, "cold-solder")
    await running.until_in(again, improve.ComplaintJoinedImprovement)
    await running.done(f"{path}/completion", by="production-head")
    running.now += 91 * DAY
    verified = await running.done(f"{path}/verification", verdict, by="general-manager")
    assert verified["status"] == "verified"
    assert {step for step, *_ in await running.missing(again)} == {"propose", "notify", "penalize"}

    async def listed() -> bool:
        items = (await running.get("improvements?status=verified"))["items"]
        return [len(item["complaint_ids"]) for item in items] == [3]

    await until(listed)


@pytest.mark.rule("SLA-3", "SLA-4", "PEN-1")
async def test_what_falls_due_is_said_by_itself_and_put_to_the_penalty_step(running: Running) -> None:
    complaint_id = await running.assigned()
    running.now = NOW + 60 * DAY
    steps = {event.step for event in await running.until_in(complaint_id, DeadlineMissed, 2)}
    assert steps == {"propose", "improve"}
    await running.until_in(complaint_id, DeadlineWarned, 2)
    raised = await running.until_in(complaint_id, penalize.ResponsibilityRaised, 4)
    assert {(each.person, each.charge) for each in raised} == {
        ("quality-officer", penalize.Charge.HANDLING),
        ("quality-head", penalize.Charge.HANDLING),
    }


@pytest.mark.rule("SLA-2", "PRO-3", "IMP-1")
async def test_a_policy_that_comes_into_force_moves_what_was_fixed_here(
    running: Running, database: backends.Database
) -> None:
    """Trap 7: an approval and a measure, in the log, in their lists, and by their clocks."""
    complaint_id, resources = await running.found(), running.app.state.resources
    await running.done(
        f"complaints/{complaint_id}/proposals", {"remedies": [REPAIR], "cost_bearer": "company"}
    )
    (proposed,) = await running.until_in(complaint_id, propose.SolutionProposed)
    plan = {
        "complaint_ids": [str(complaint_id)],
        "lesson": "heat was not watched",
        "measure": "log it hourly",
        "owner": "production-head",
    }
    measure = await running.done("improvements", plan)
    improvement_id, planned_for = UUID(measure["improvement_id"]), datetime.fromisoformat(measure["due_at"])
    await snow.falls(database, resources, resources.policy.day_of(proposed.due.due_at), running.now)
    running.now += timedelta(minutes=2)
    (said,) = await running.until_in(complaint_id, DeadlinesRecomputed)
    office = f"1/{proposed.approvals[0].office}"
    (lies,) = [each for each in said.moved if each.about == office]
    assert (lies.before_at, lies.due.due_at > lies.before_at) == (proposed.due.due_at, True)
    ((of_measure,),) = [each.moved for each in await running.until_in(improvement_id, DeadlinesRecomputed)]
    assert (of_measure.before_at, of_measure.due.due_at > planned_for) == (planned_for, True)

    async def listed() -> bool:
        (line,) = (await running.get("improvements"))["items"]
        return bool(datetime.fromisoformat(line["due_at"]) == of_measure.due.due_at)

    await until(listed)
    running.now = lies.due.due_at
    await running.until_in(complaint_id, DeadlineMissed)
    late = [each for each in await running.history(complaint_id) if isinstance(each, DeadlineMissed)]
    assert [each.missed_at for each in late if each.about == office] == [lies.due.due_at]


async def test_a_call_is_carried_out_once_and_only_on_what_its_caller_saw(running: Running) -> None:
    complaint_id = await running.assigned()
    path = f"complaints/{complaint_id}/proposals"
    once = {"Idempotency-Key": "k-1"}
    first = await running.post(path, {"remedies": [WORDS]}, **once)
    second = await running.post(path, {"remedies": [WORDS]}, **once)
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    problem(await running.post(path, {"remedies": [REPAIR]}, **once), 422, "idempotency_mismatch")
    problem(
        await running.post(f"{path}/1/answers", {"answer": "accepted"}, **{"If-Match": '"1"'}),
        412,
        "stale_version",
    )
    problem(await running.post(f"{path}/1/execution", {"stage": "started"}), 409, "not_yet_accepted")
    problem(await running.post(f"complaints/{uuid4()}/proposals", {"remedies": [WORDS]}), 404, "not_found")
