"""Step 6 on real servers: recorded in the log, told over the outbox file and JetStream, with clocks."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from nats.js.api import StreamConfig

from libs.events.contracts import notify as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.notify import NoticeKind
from libs.events.store import EventStore
from services.notifier.app import SERVICE
from services.notifier.clock import FIRST_REPLY
from tests import alongside, backends, complaint_history
from tests.complaint_history import DAY, NOW, Writer
from tests.service_kit import problem, until

MINUTE = timedelta(minutes=1)


@dataclass
class Running:
    """The service, started; somebody who calls it; and intake's pen."""

    app: FastAPI
    client: httpx.AsyncClient
    intake: Writer
    outbox: Path
    now: datetime = NOW

    @property
    def store(self) -> EventStore:
        store: EventStore = self.app.state.resources.store
        return store

    async def recorded(self, **changes: Any) -> UUID:
        """A complaint that intake has on record."""
        complaint_id = uuid4()
        await self.intake.says(complaint_history.recorded(complaint_id, **changes))
        return complaint_id

    async def history(self, complaint_id: UUID) -> list[Any]:
        """Everything that notifier has said of a complaint, in log order."""
        found = await self.store.read("main", complaint_id=complaint_id)
        return [each.event for each in found if each.envelope.stream.startswith("notifier-")]

    async def until_said(self, complaint_id: UUID, said_as: type, count: int = 1, **facts: Any) -> Any:
        """Wait for an event of that kind with these fields; gives the newest."""

        async def said() -> list[Any]:
            return [
                event
                for event in await self.history(complaint_id)
                if isinstance(event, said_as) and all(getattr(event, k) == v for k, v in facts.items())
            ]

        async def there() -> bool:
            return len(await said()) >= count

        await until(there)
        return (await said())[-1]

    def lines(self) -> list[dict[str, Any]]:
        """What lies in the outbox."""
        files = sorted(self.outbox.glob("main-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    async def messages(self) -> list[Any]:
        """What JetStream holds for other systems."""
        jetstream = self.app.state.resources.bus.jetstream
        stored = (await jetstream.stream_info("notices-main")).state
        numbers = range(stored.first_seq, stored.last_seq + 1)
        return [await jetstream.get_msg("notices-main", number) for number in numbers]

    async def catch_up(self) -> None:
        for follower in self.app.state.followers:
            await follower.catch_up("main")


@pytest.fixture
async def running(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> AsyncIterator[Running]:
    async with alongside.started(SERVICE, database, nats_server, tmp_path, ["intake"]) as notifier:
        found = Running(notifier.app, notifier.client, notifier.pens["intake"], tmp_path / "outbox")
        found.app.state.resources.now = lambda: found.now
        yield found


@pytest.mark.rule("NTF-2", "NTF-4")
async def test_a_recorded_complaint_is_acknowledged_through_the_outbox(running: Running) -> None:
    complaint_id = await running.recorded()
    delivered = await running.until_said(complaint_id, events.NoticeDelivered)
    assert (delivered.kind, delivered.channel, delivered.attempt) == ("acknowledgement", "outbox", 1)
    (line,) = running.lines()
    assert (line["notice_id"], line["to"]) == (str(delivered.notice_id), "13800000001")
    assert "2026-000001" in line["subject"]
    assert "王小明" in line["text"]
    assert oct((running.outbox.stat().st_mode) & 0o777) == "0o700"
    answer = await running.client.get(f"/v1/notifications/{delivered.notice_id}")
    shown = answer.json()
    assert (shown["text"], shown["template"]) == (
        line["text"],
        "standard@1/acknowledgement/zh-CN",
    )
    assert answer.headers["etag"] == '"2"'
    owed = await running.until_said(complaint_id, events.FirstReplyOwed)
    assert owed.due_at == NOW + DAY


async def test_nothing_personal_is_stored_in_the_clear(running: Running) -> None:
    complaint_id = await running.recorded()
    await running.until_said(complaint_id, events.NoticeDelivered)
    stored = await running.store.log.read("main", complaint_id=complaint_id)
    assert not [each for each in stored if "王小明".encode() in each.body or b"13800000001" in each.body]


@pytest.mark.rule("NTF-5", "PRO-6")
async def test_an_assignment_is_told_to_the_customer_the_person_and_the_head(running: Running) -> None:
    complaint_id = await running.recorded()
    await running.intake.says(complaint_history.assigned(complaint_id))
    await running.until_said(complaint_id, events.NoticeDelivered, count=4)
    said = {(line["kind"], line["to"]) for line in running.lines()}
    assert said == {
        ("acknowledgement", "13800000001"),
        ("progress", "13800000001"),
        ("assignment", "quality-officer"),
        ("assignment", "quality-head"),
    }
    replied = await running.until_said(complaint_id, events.FirstReplyGiven)
    assert replied.by is events.Reply.NOTICE


@pytest.mark.rule("CLS-5", "NTF-1", "NTF-2")
async def test_an_unfounded_complaint_gets_its_reasons_in_time(running: Running) -> None:
    complaint_id = await running.recorded()
    await running.intake.says(complaint_history.classified(complaint_id, founded=False))
    await running.until_said(complaint_id, events.NoticeDelivered, kind=NoticeKind.UNFOUNDED_REPLY)
    (line,) = [each for each in running.lines() if each["kind"] == "unfounded_reply"]
    assert "looked at" in line["text"]
    written = await running.until_said(complaint_id, events.NoticeWritten, kind=NoticeKind.UNFOUNDED_REPLY)
    assert written.due_at > NOW


@pytest.mark.rule("NTF-3", "NTF-6")
async def test_a_failing_channel_falls_over_to_jetstream(running: Running) -> None:
    running.outbox.write_text("in the way: a file where the folder should be")
    complaint_id = await running.recorded()
    for attempt in range(1, 4):
        await running.until_said(complaint_id, events.NoticeFailed, count=attempt)
        running.now += 20 * MINUTE
    failed = await running.until_said(complaint_id, events.NoticeFailed)
    assert (failed.channel, failed.next_channel) == ("outbox", "jetstream")
    assert failed.reason.startswith("the outbox cannot be written")
    delivered = await running.until_said(complaint_id, events.NoticeDelivered)
    assert (delivered.channel, delivered.attempt) == ("jetstream", 4)
    (message,) = await running.messages()
    assert message.subject == "notices.main.acknowledgement"
    assert message.headers["Nats-Msg-Id"] == str(delivered.notice_id)
    assert json.loads(message.data)["notice_id"] == str(delivered.notice_id)


@pytest.mark.rule("NTF-3")
async def test_when_every_channel_fails_a_person_is_asked_and_tells_by_hand(running: Running) -> None:
    complaint_id, notice_id = await left_to_person(running)
    await running.catch_up()
    params = {"owed_by": "after-sales-officer"}
    (line,) = (await running.client.get("/v1/notifications", params=params)).json()["items"]
    assert (line["notice_id"], line["status"], line["attempts"]) == (str(notice_id), "left_to_person", 6)
    path = f"/v1/notifications/{notice_id}/handover"
    answer = await running.client.post(path, json={"how": "told 王小明 on the phone"})
    assert (answer.status_code, answer.json()["status"]) == (200, "handed_over")
    again = await running.client.post(path, json={"how": "told 王小明 on the phone"})
    assert again.headers["etag"] == answer.headers["etag"]
    told = await running.until_said(complaint_id, events.NoticeHandedOver)
    assert (told.author, told.how) == ("li.wei", "told 王小明 on the phone")
    await running.catch_up()
    assert (await running.client.get("/v1/notifications", params=params)).json()["items"] == []


async def left_to_person(running: Running) -> tuple[UUID, UUID]:
    """A complaint whose acknowledgement no channel could take."""
    running.outbox.write_text("in the way: a file where the folder should be")
    await running.app.state.resources.bus.until_connected()
    jetstream = running.app.state.resources.bus.jetstream
    await jetstream.add_stream(StreamConfig(name="in-the-way", subjects=["notices.main.>"]))
    complaint_id = await running.recorded()
    for attempt in range(1, 7):
        await running.until_said(complaint_id, events.NoticeFailed, count=attempt)
        running.now += 20 * MINUTE
    task = await running.until_said(complaint_id, events.NoticeTaskRaised)
    return complaint_id, task.notice_id


@pytest.mark.rule("NTF-3")
async def test_a_notice_is_sent_once_more_when_a_person_says_so(running: Running) -> None:
    complaint_id, notice_id = await left_to_person(running)
    running.outbox.unlink()
    once = {"idempotency-key": "k-1"}
    answer = await running.client.post(f"/v1/notifications/{notice_id}/resend", headers=once)
    assert (answer.status_code, answer.json()["status"]) == (200, "sending")
    delivered = await running.until_said(complaint_id, events.NoticeDelivered)
    assert (delivered.channel, delivered.attempt) == ("outbox", 7)
    again = await running.client.post(f"/v1/notifications/{notice_id}/resend", headers=once)
    assert (again.json(), again.headers["idempotent-replayed"]) == (answer.json(), "true")
    assert len(running.lines()) == 1
    problem(
        await running.client.post(f"/v1/notifications/{notice_id}/handover", json={"how": "?"}),
        409,
        "already_delivered",
    )


@pytest.mark.rule("SLA-1", "SLA-3", "SLA-4", "NTF-5")
async def test_a_first_reply_that_nobody_gave_is_missed_at_its_time(running: Running) -> None:
    complaint_id = await running.recorded()
    await running.until_said(complaint_id, events.FirstReplyOwed)
    running.now = NOW + 2 * DAY
    missed = await running.until_said(complaint_id, DeadlineMissed)
    assert (missed.missed_at, missed.noticed_at, missed.owed_by) == (NOW + DAY, NOW + 2 * DAY, None)
    await running.until_said(complaint_id, DeadlineWarned)
    for kind in (NoticeKind.DELAY, NoticeKind.DEADLINE_WARNING, NoticeKind.ESCALATION):
        await running.until_said(complaint_id, events.NoticeDelivered, kind=kind)
    told = {line["kind"]: line["to"] for line in running.lines()}
    assert told["escalation"] == missed.escalated_to.person
    said = await running.client.post(f"/v1/complaints/{complaint_id}/replies", json={"text": "called"})
    assert (said.status_code, said.json()["replied"]) == (200, True)
    due = await running.app.state.followers[1].view.due("main", NOW + 9 * DAY)
    assert [each for each in due if each.step == FIRST_REPLY and each.key == complaint_id] == []


async def test_notifications_are_listed_by_complaint_page_by_page(running: Running) -> None:
    complaint_id, other = await running.recorded(), await running.recorded()
    await running.intake.says(complaint_history.assigned(complaint_id))
    await running.until_said(complaint_id, events.NoticeDelivered, count=4)
    await running.until_said(other, events.NoticeDelivered)
    await running.catch_up()
    params = {"complaint_id": str(complaint_id), "limit": "3"}
    page = (await running.client.get("/v1/notifications", params=params)).json()
    rest = await running.client.get("/v1/notifications", params=params | {"cursor": page["next_cursor"]})
    listed = [*page["items"], *rest.json()["items"]]
    assert (len(page["items"]), len(listed)) == (3, 4)
    assert {line["complaint_id"] for line in listed} == {str(complaint_id)}
    assert {line["status"] for line in listed} == {"delivered"}


async def test_what_is_not_there_is_told(running: Running) -> None:
    complaint_id = await running.recorded()
    await running.until_said(complaint_id, events.FirstReplyOwed)
    for path in (f"/v1/notifications/{uuid4()}", f"/v1/notifications/{complaint_id}"):
        problem(await running.client.get(path), 404, "not_found")
        problem(await running.client.post(f"{path}/resend"), 404, "not_found")
    problem(
        await running.client.post(f"/v1/complaints/{uuid4()}/replies", json={"text": "?"}),
        404,
        "not_found",
    )
