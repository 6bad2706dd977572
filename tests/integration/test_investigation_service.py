"""Step 4 on real servers: assigned in the log, investigated over HTTP, found on the bus, with clocks."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from libs.events.bus import stream_of
from libs.events.contracts import investigate as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Kind
from libs.events.contracts.term import DeadlinesRecomputed, MovedDue
from libs.events.store import EventStore
from services.investigation.app import SERVICE
from tests import alongside, backends, complaint_history, snow
from tests.complaint_history import DAY, NOW, Writer
from tests.service_kit import problem, until

FINDING: dict[str, Any] = {
    "cause": {"code": "driver-capacitor", "text": "the capacitor was overheated in soldering"},
    "responsible": [
        {"unit": "production", "person": "production-officer", "share": "0.7"},
        {"unit": "quality", "person": "quality-officer", "share": "0.3"},
    ],
    "company_is_cause": True,
    "loss": {"amount": "900.00", "currency": "CNY", "basis": "3 tubes and one visit"},
}


@dataclass
class Running:
    """The service, started; somebody who calls it; and intake's pen."""

    app: FastAPI
    client: httpx.AsyncClient
    intake: Writer
    now: datetime = NOW

    @property
    def store(self) -> EventStore:
        store: EventStore = self.app.state.resources.store
        return store

    async def post(self, named: UUID, what: str, content: Any = None, **options: Any) -> httpx.Response:
        return await self.client.post(f"/v1/complaints/{named}/{what}", json=content, **options)

    async def done(self, named: UUID, what: str, content: Any = None) -> dict[str, Any]:
        answer = await self.post(named, what, content)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def history(self, key: UUID) -> list[Any]:
        return [each.event for each in await self.store.read_stream("main", f"investigation-{key}")]

    async def until_in(self, key: UUID, kind: type) -> Any:
        """Wait until an event of that kind is in the investigation's stream; gives the newest."""

        async def there() -> bool:
            return any(isinstance(event, kind) for event in await self.history(key))

        await until(there)
        return [event for event in await self.history(key) if isinstance(event, kind)][-1]

    async def own_time(self, key: UUID) -> MovedDue:
        """Wait until a finding's own time has moved; gives from where to where."""
        moved: tuple[MovedDue, ...] = (await self.until_in(key, DeadlinesRecomputed)).moved
        (own,) = [each for each in moved if each.about == "investigate"]
        return own

    async def until_due(self, key: UUID, at: datetime) -> None:
        """Wait until the list of investigations says that it is due then."""

        async def there() -> bool:
            answer = await self.client.get("/v1/investigations")
            found = {each["investigation_id"]: each["due_at"] for each in answer.json()["items"]}
            return datetime.fromisoformat(found[str(key)]) == at

        await until(there)

    async def assigned(self, **changes: Any) -> UUID:
        """A complaint that is assigned, and whose investigation has opened."""
        complaint_id = uuid4()
        await self.intake.says(complaint_history.recorded(complaint_id, **changes))
        await self.intake.says(complaint_history.assigned(complaint_id))
        await self.until_in(complaint_id, events.InvestigationOpened)
        return complaint_id


@pytest.fixture
async def running(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> AsyncIterator[Running]:
    async with alongside.started(SERVICE, database, nats_server, tmp_path, ["intake"]) as service:
        found = Running(service.app, service.client, service.pens["intake"])
        found.app.state.resources.now = lambda: found.now
        yield found


@pytest.mark.rule("INV-1", "INV-7")
async def test_from_assignment_to_a_finding_on_the_bus(running: Running) -> None:
    complaint_id = await running.assigned()
    owed = ["after-sales", "sales", "quality", "technology", "production"]
    given = await running.done(complaint_id, "contributions", {"unit": "sales", "text": "SO-1, 40 pieces"})
    assert given["contributions_owed"] == [unit for unit in owed if unit != "sales"]
    problem(await running.post(complaint_id, "findings", FINDING), 409, "evidence_needed")
    evidence = await running.done(complaint_id, "evidence", {"text": "鼓包的电容"})
    found = await running.post(complaint_id, "findings", FINDING)
    assert found.status_code == 200, found.text
    answer = found.json()
    assert (answer["status"], answer["evidence_ids"]) == ("found", [evidence["evidence_id"]])
    assert found.headers["etag"] == f'"{answer["version"]}"'
    event = await on_the_bus(running, "complaints.investigation.finding_recorded.v1")
    assert event["complaint_id"] == str(complaint_id)
    assert event["cause"]["code"] == "driver-capacitor"
    assert event["cause"]["text"].keys() == {"sealed"}
    assert event["data_subject"] == f"customer:C-{complaint_id}"


async def on_the_bus(running: Running, event_type: str) -> dict[str, Any]:
    jetstream = running.app.state.resources.bus.jetstream
    subject = f"complaints.main.{'.'.join(event_type.split('.')[1:3])}"

    async def there() -> bool:
        with contextlib.suppress(Exception):
            await jetstream.get_last_msg(stream_of("main"), subject)
            return True
        return False

    await until(there)
    body: dict[str, Any] = json.loads((await jetstream.get_last_msg(stream_of("main"), subject)).data)
    return body


async def test_out_of_order_is_refused_with_what_has_to_happen_first(running: Running) -> None:
    problem(await running.post(uuid4(), "evidence", {"text": "?"}), 404, "not_found")
    unassigned = uuid4()
    await running.intake.says(complaint_history.recorded(unassigned))
    problem(await running.post(unassigned, "evidence", {"text": "?"}), 409, "not_yet_assigned")
    complaint_id = await running.assigned()
    report = {"arrived_at": "2026-11-20T09:00:00+08:00", "found": "flicker"}
    problem(await running.post(complaint_id, "field-visits/1/report", report), 409, "visit_not_agreed")
    problem(await running.post(complaint_id, "supplier-notices/1/solution"), 409, "supplier_not_notified")
    stranger = {**FINDING, "responsible": [{"unit": "sales", "person": "nobody", "share": "1"}]}
    await running.done(complaint_id, "evidence", {"text": "a photo"})
    refused = problem(await running.post(complaint_id, "findings", stranger), 409, "unknown_person")
    assert refused["persons"] == ["nobody"]


async def test_a_command_is_carried_out_once_and_only_on_what_the_caller_saw(running: Running) -> None:
    complaint_id = await running.assigned()
    once = {"headers": {"idempotency-key": "k-1"}}
    first = await running.post(complaint_id, "evidence", {"text": "a photo"}, **once)
    again = await running.post(complaint_id, "evidence", {"text": "a photo"}, **once)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = await running.post(complaint_id, "evidence", {"text": "another"}, **once)
    problem(other, 422, "idempotency_mismatch")
    stale = {"headers": {"if-match": '"1"'}}
    problem(await running.post(complaint_id, "evidence", {"text": "late"}, **stale), 412, "stale_version")


@pytest.mark.rule("INV-3", "INV-5")
async def test_visits_and_supplier_notices_over_http(running: Running) -> None:
    complaint_id = await running.assigned()
    agreed = {"person": "station-east-officer", "agreed_for": "2026-11-20T08:30:00+08:00"}
    assert (await running.done(complaint_id, "field-visits", agreed))["field_visit"] == 1
    report = {"arrived_at": "2026-11-20T09:00:00+08:00", "found": "三支灯管闪烁", "taken_back": True}
    answer = await running.post(complaint_id, "field-visits/1/report", report)
    problem(answer, 409, "hand_over_incomplete")
    signed = report | {"promised_for": "2026-11-30", "signed_by_customer": True}
    await running.done(complaint_id, "field-visits/1/report", signed)
    visit = await running.until_in(complaint_id, events.FieldVisitMade)
    assert (visit.on_time, visit.found) == (False, "三支灯管闪烁")
    notice = {
        "supplier": "battery-supplier",
        "problem": "capacitors swell",
        "model": "CAP-22",
        "quantity": 3,
        "place": "上海",
        "contact": "陈工",
        "phone": "13800000001",
        "cost": {"amount": "120.00", "currency": "CNY"},
    }
    assert (await running.done(complaint_id, "supplier-notices", notice))["supplier_notices"] == [1]
    assert (await running.done(complaint_id, "supplier-notices/1/solution"))["supplier_notices"] == []


@pytest.mark.rule("SLA-2", "INV-2")
async def test_a_policy_that_comes_into_force_moves_what_units_owe(
    running: Running, database: backends.Database
) -> None:
    """Trap 7, with the deadlines in their table; what is settled has moved, and is passed at its new time."""
    complaint_id = await running.assigned()
    (asked,) = [e for e in await running.history(complaint_id) if isinstance(e, events.InvestigationOpened)]
    due_at, resources = asked.duties[0].due_at, running.app.state.resources
    await snow.falls(database, resources, resources.policy.day_of(due_at), running.now)
    running.now += timedelta(minutes=2)
    recomputed = await running.until_in(complaint_id, DeadlinesRecomputed)
    lies = {each.about: (each.before_at, each.due.due_at) for each in recomputed.moved}
    assert lies.keys() == {f"contribution/{duty.unit}" for duty in asked.duties}
    ((before, after),) = set(lies.values())
    assert (before, recomputed.ground.policy) == (due_at, "standard@2")
    running.now = after
    late = await running.until_in(complaint_id, events.ContributionOverdue)
    assert late.due_at == after > due_at


@pytest.mark.rule("SLA-2", "SLA-4", "CLS-7")
async def test_a_policy_that_comes_into_force_moves_an_incident_and_what_joined_it(
    running: Running, database: backends.Database
) -> None:
    complaint_id, incident = await running.assigned(), uuid4()
    await running.intake.says(complaint_history.raised(incident, complaint_id), incident)
    await running.intake.says(complaint_history.joined(complaint_id, incident))
    joined = await running.until_in(complaint_id, events.InvestigationJoined)
    resources = running.app.state.resources
    await snow.falls(database, resources, resources.policy.day_of(joined.due_at), running.now)
    running.now += timedelta(minutes=2)
    lies = await running.own_time(complaint_id)
    assert (lies.before_at, lies.due.due_at > joined.due_at) == (joined.due_at, True)
    assert await running.own_time(incident) == lies
    await running.until_due(incident, lies.due.due_at)
    running.now = lies.due.warn_at
    warned = await running.until_in(complaint_id, DeadlineWarned)
    assert (warned.warned_at, warned.due_at) == (lies.due.warn_at, lies.due.due_at)
    running.now = lies.due.due_at
    assert (await running.until_in(complaint_id, DeadlineMissed)).missed_at == lies.due.due_at
    assert not [each for each in await running.history(incident) if isinstance(each, DeadlineMissed)]


@pytest.mark.rule("SLA-2", "SLA-3")
async def test_a_policy_that_comes_into_force_moves_what_an_escalation_gave(
    running: Running, database: backends.Database
) -> None:
    complaint_id = await running.assigned()
    running.now = NOW + 3 * DAY
    missed = await running.until_in(complaint_id, DeadlineMissed)
    escalated = replace(complaint_history.escalated(complaint_id), escalated_at=running.now)
    await running.intake.says(escalated)
    handed = await running.until_in(complaint_id, events.InvestigationHandedOver)
    assert (handed.reckoned.since, handed.due_at > missed.due_at) == (running.now, True)
    resources = running.app.state.resources
    await snow.falls(database, resources, resources.policy.day_of(handed.due_at), running.now)
    running.now += timedelta(minutes=2)
    lies = await running.own_time(complaint_id)
    assert (lies.before_at, lies.breach, lies.due.due_at > handed.due_at) == (handed.due_at, None, True)
    running.now = lies.due.due_at

    async def late() -> bool:
        said = [each for each in await running.history(complaint_id) if isinstance(each, DeadlineMissed)]
        return [each.missed_at for each in said] == [missed.due_at, lies.due.due_at]

    await until(late)


@pytest.mark.rule("CLS-7")
async def test_one_investigation_for_all_complaints_of_an_incident(running: Running) -> None:
    first, second, late = await running.assigned(), await running.assigned(), await running.assigned()
    await running.done(first, "evidence", {"text": "from the first"})
    incident = uuid4()
    await running.intake.says(complaint_history.raised(incident, first, second), incident)
    for each in (first, second):
        await running.intake.says(complaint_history.joined(each, incident))
        await running.until_in(each, events.InvestigationJoined)
    answer = await running.done(second, "evidence", {"text": "from the second"})
    assert (answer["investigation_id"], len(answer["evidence_ids"])) == (str(incident), 2)
    assert (await running.done(first, "findings", FINDING))["investigation_id"] == str(incident)
    await running.intake.says(complaint_history.joined(late, incident))
    for each in (first, second, late):
        adopted = await running.until_in(each, events.FindingRecorded)
        assert (adopted.adopted_from, adopted.complaint_id) == (incident, each)
        assert adopted.data_subject == f"customer:C-{each}"
        assert adopted.cause.text == FINDING["cause"]["text"]


@pytest.mark.rule("INV-6")
async def test_a_repeat_repair_is_flagged_from_history(running: Running) -> None:
    earlier = await running.assigned(serial_number="SN-7")
    agreed = {"person": "station-east-officer", "agreed_for": "2026-11-21T09:00:00+08:00"}
    await running.done(earlier, "field-visits", agreed)
    report = {"arrived_at": "2026-11-20T09:00:00+08:00", "found": "flicker", "solved_on_the_spot": True}
    await running.done(earlier, "field-visits/1/report", report)
    await running.done(earlier, "evidence", {"text": "a photo"})
    await running.done(earlier, "findings", FINDING)
    again = await running.assigned(serial_number="SN-7")
    await running.done(again, "evidence", {"text": "a photo"})
    await catch_up(running)
    await running.done(again, "findings", FINDING)
    flagged = await running.until_in(again, events.RepeatRepairFlagged)
    assert (flagged.earlier_complaint_id, flagged.serial_number) == (earlier, "SN-7")
    assert (await running.until_in(again, events.FindingRecorded)).repeat_repair


async def catch_up(running: Running) -> None:
    for follower in running.app.state.followers:
        await follower.catch_up("main")


async def test_the_work_list_is_due_first_and_by_person(running: Running) -> None:
    complaints = []
    for days in (3, 1, 2):
        complaint_id = uuid4()
        await running.intake.says(complaint_history.recorded(complaint_id))
        due_at = NOW + days * DAY
        await running.intake.says(complaint_history.assigned(complaint_id, due_at=due_at, warn_at=due_at))
        await running.until_in(complaint_id, events.InvestigationOpened)
        complaints.append(str(complaint_id))
    await catch_up(running)
    by_due = [complaints[1], complaints[2], complaints[0]]
    params = {"person": "quality-officer", "limit": "2"}
    page = (await running.client.get("/v1/investigations", params=params)).json()
    rest = await running.client.get("/v1/investigations", params=params | {"cursor": page["next_cursor"]})
    assert [line["complaint_id"] for line in [*page["items"], *rest.json()["items"]]] == by_due
    soon = {"due_before": (NOW + 2 * DAY).isoformat()}
    listed = (await running.client.get("/v1/investigations", params=soon)).json()["items"]
    assert [line["complaint_id"] for line in listed] == by_due[:1]
    await running.done(UUID(by_due[0]), "contributions", {"unit": "sales", "text": "SO-1"})
    await catch_up(running)
    owed = (await running.client.get("/v1/investigations", params={"owed_by": "sales"})).json()["items"]
    assert [line["complaint_id"] for line in owed] == by_due[1:]
    nobody = (await running.client.get("/v1/investigations", params={"person": "nobody"})).json()
    assert nobody["items"] == []


@pytest.mark.rule("INV-2", "ASG-1")
async def test_what_turns_out_to_be_of_another_kind_is_asked_of_other_units(running: Running) -> None:
    complaint_id = await running.assigned()
    await running.done(complaint_id, "contributions", {"unit": "sales", "text": "SO-1"})
    again = complaint_history.assigned(complaint_id, Answerable(unit="freight", person="freight-officer"))
    await running.intake.says(replace(again, kind=Kind.TRANSPORT, round=2))
    changed = await running.until_in(complaint_id, events.InvestigationReclassified)
    assert set(changed.dropped) == {"quality", "technology", "production"}
    await catch_up(running)
    for owed_by, there in (("after-sales", True), ("quality", False), ("sales", False)):
        listed = (await running.client.get("/v1/investigations", params={"owed_by": owed_by})).json()["items"]
        mine = [line["kind"] for line in listed if line["complaint_id"] == str(complaint_id)]
        assert mine == (["transport"] if there else [])


@pytest.mark.rule("SLA-3", "SLA-4")
async def test_a_deadline_that_passed_while_nobody_looked_is_missed_at_its_time(running: Running) -> None:
    complaint_id = await running.assigned()
    running.now = NOW + 5 * DAY
    missed = await running.until_in(complaint_id, DeadlineMissed)
    assert (missed.missed_at, missed.noticed_at) == (NOW + 3 * DAY, NOW + 5 * DAY)
    assert missed.escalated_to.person == "quality-head"
    late = await running.until_in(complaint_id, events.ContributionOverdue)
    assert late.noticed_at == NOW + 5 * DAY
    history = await running.history(complaint_id)
    assert [type(event) for event in history if isinstance(event, DeadlineWarned)] == [DeadlineWarned]
    await running.intake.says(complaint_history.escalated(complaint_id))
    handed = await running.until_in(complaint_id, events.InvestigationHandedOver)
    assert handed.due_at > NOW + 3 * DAY


async def test_a_withdrawn_complaint_is_not_investigated_any_more(running: Running) -> None:
    complaint_id = await running.assigned()
    await running.intake.says(complaint_history.withdrawn(complaint_id))
    await running.until_in(complaint_id, events.InvestigationStopped)
    refused = await running.post(complaint_id, "evidence", {"text": "a photo"})
    problem(refused, 409, "nothing_to_investigate")
