"""Recording, reading and finding complaints through the front door (REC-1 to REC-5, REC-8, REC-9)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from libs.events import bus
from libs.events.contracts.values import Channel
from tests import service_kit
from tests.e2e import desk
from tests.e2e.calls import COMPLAINTS, path, read, record, submit


@pytest.mark.rule("REC-1")
async def test_everything_said_is_stored_as_given(client: httpx.AsyncClient) -> None:
    body = desk.body()
    recorded = await client.post(COMPLAINTS, json=body)
    assert recorded.status_code == 201
    answer = recorded.json()
    read = await client.get(recorded.headers["location"])
    assert recorded.headers["etag"] == read.headers["etag"] == '"1"'
    assert answer.keys() == {
        "complaint_id",
        "number",
        "version",
        "seq",
        "recorded_at",
        "first_reply_due_at",
        "missing_details",
        "possible_duplicates",
    }
    dossier = read.json()
    assert dossier.items() >= {"status": "recorded", "number": answer["number"], "channel": "phone"}.items()
    assert dossier["received_at"] == "2026-11-20T01:12:00Z"
    assert dossier["occurred_at"] == "2026-11-17T16:00:00Z"
    for part in ("source", "narrative"):
        assert dossier[part] == body[part]
    for part in ("complainant", "respondent", "product", "demand"):
        assert dossier[part].items() >= body[part].items()


@pytest.mark.rule("REC-2")
async def test_missing_details_do_not_block_recording_and_are_asked_for(client: httpx.AsyncClient) -> None:
    answer = await record(client, product={"order_number": "SO-1"})
    missing = ["part_number", "delivered_on", "quantity", "defective_quantity", "requirement"]
    assert answer["missing_details"] == missing
    rest = {"part_number": "P", "delivered_on": "2026-11-10", "quantity": 4, "defective_quantity": 0}
    supplied = await submit(client, answer, "amendments", product=rest)
    assert supplied["missing_details"] == ["requirement"]
    unavailable = await submit(client, answer, "amendments", unavailable_details=["requirement"])
    assert unavailable["missing_details"] == []


@pytest.mark.rule("REC-3")
@pytest.mark.parametrize("channel", Channel)
async def test_every_channel_is_open(client: httpx.AsyncClient, channel: Channel) -> None:
    answer = await record(client, channel=channel.value)
    assert (await read(client, answer))["channel"] == channel


@pytest.mark.rule("REC-4")
async def test_an_enquiry_is_registered_and_can_become_a_complaint(client: httpx.AsyncClient) -> None:
    answer = await record(client, contact="enquiry", product=None)
    assert answer["missing_details"] == []
    before = await read(client, answer)
    assert before["status"] == "enquiry"
    became = await client.post(path(answer, "conversion"), json={"reason": "they want a replacement"})
    assert became.json()["status"] == "recorded"
    assert len(became.json()["missing_details"]) == 6
    after = await read(client, answer)
    assert after["first_reply_due_at"] == before["first_reply_due_at"]
    assert [each["kind"] for each in after["decisions"]] == ["conversion"]
    for part in ("narrative", "complainant", "received_at", "number"):
        assert after[part] == before[part]


@pytest.mark.rule("REC-5")
async def test_intake_is_open_at_night_and_on_holidays(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    national_day = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)
    intake.app.state.resources.now = lambda: national_day
    answer = await record(client, received_at="2026-10-01T03:00:00Z", occurred_at=None)
    assert datetime.fromisoformat(answer["recorded_at"]) == national_day
    assert datetime.fromisoformat(answer["first_reply_due_at"]) == national_day + timedelta(hours=24)


async def test_numbers_are_unique_and_count_within_the_year_of_the_organisation(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(*(record(client) for _ in range(50)))
    assert len({answer["number"] for answer in answers}) == 50
    new_year_in_shanghai = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    intake.app.state.resources.now = lambda: new_year_in_shanghai
    assert (await record(client))["number"] == "2027-000001"


@pytest.mark.rule("REC-8")
async def test_the_complaints_of_a_customer_are_listed(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    complainant = desk.body()["complainant"] | {"customer_id": "C-8"}
    answers = [await record(client, complainant=complainant) for _ in range(3)]
    await intake.catch_up()
    listed = (await client.get(COMPLAINTS, params={"customer_id": "C-8"})).json()["items"]
    assert [each["number"] for each in listed] == [each["number"] for each in reversed(answers)]


async def test_the_register_filters_and_pages(intake: desk.Intake, client: httpx.AsyncClient) -> None:
    complainant = desk.body()["complainant"] | {"customer_id": "C-page"}
    answers = [await record(client, complainant=complainant) for _ in range(5)]
    await client.post(path(answers[0], "withdrawal"), json={"reason": "settled"})
    await intake.catch_up()

    async def numbers(**filters: Any) -> list[str]:
        listed = await client.get(COMPLAINTS, params={"customer_id": "C-page", **filters})
        assert listed.status_code == 200, listed.text
        return [each["number"] for each in listed.json()["items"]]

    newest_first = [each["number"] for each in reversed(answers)]
    assert await numbers() == newest_first
    assert await numbers(status="withdrawn") == newest_first[-1:]
    assert await numbers(recorded_from=answers[3]["recorded_at"]) == newest_first[:2]
    assert await numbers(recorded_to=answers[3]["recorded_at"]) == newest_first[2:]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {"customer_id": "C-page", "limit": 2}
        if cursor:
            params["cursor"] = cursor
        page = (await client.get(COMPLAINTS, params=params)).json()
        seen += [each["number"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == newest_first


async def test_text_search_finds_words_names_and_numbers(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    body = {
        "narrative": "镇流器发出嗡嗡声 and the BALLAST hums",
        "complainant": desk.body()["complainant"] | {"name": "欧阳静"},
    }
    answer = await record(client, **body)
    await submit(client, answer, "amendments", supplement="如今整夜如此")
    await intake.catch_up()

    async def found(q: str) -> bool:
        listed = await client.get(COMPLAINTS, params={"q": q})
        assert listed.status_code == 200, listed.text
        return answer["complaint_id"] in [each["complaint_id"] for each in listed.json()["items"]]

    for q in ("镇流器", "ballast", "嗡嗡 hums", "欧阳静", answer["number"], "整夜"):
        assert await found(q), q
    for q in ("镇流器 silent", "欧阳修"):
        assert not await found(q), q
    service_kit.problem(await client.get(COMPLAINTS, params={"q": "灯"}), 422, "malformed", "/q")


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"kind": "quality"}, "/kind"),
        ({"status": "open"}, "/status"),
        ({"limit": "0"}, "/limit"),
        ({"recorded_from": "yesterday"}, "/recorded_from"),
        ({"cursor": "x"}, "/cursor"),
    ],
)
async def test_what_the_register_does_not_know_is_refused(
    client: httpx.AsyncClient, params: dict[str, str], pointer: str
) -> None:
    service_kit.problem(await client.get(COMPLAINTS, params=params), 422, "malformed", pointer)


async def test_scopes_are_needed(intake: desk.Intake, client: httpx.AsyncClient) -> None:
    answer = await record(client)
    async with intake.client("complaints:read") as reader, intake.client("complaints:write") as writer:
        assert (await reader.post(COMPLAINTS, json=desk.body())).status_code == 403
        assert (await writer.get(path(answer))).status_code == 403
        assert (await reader.get(COMPLAINTS, params={"q": "三支"})).status_code == 403
        masked = (await reader.get(path(answer))).json()
    texts = [masked["narrative"], masked["complainant"]["name"], masked["complainant"]["phone"]]
    assert texts == ["[masked]"] * 3
    assert masked["demand"]["text"] == masked["respondent"]["name"] == "[masked]"
    assert masked["respondent"]["reference"] == "LED-T8-18W"


async def test_another_organisation_sees_nothing(intake: desk.Intake, client: httpx.AsyncClient) -> None:
    answer = await record(client)
    async with intake.client(org="nobody") as stranger:
        assert (await stranger.get(path(answer))).status_code == 403


async def test_a_trace_goes_from_the_request_into_the_log_and_over_the_bus(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    trace_id, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = {"traceparent": f"00-{trace_id}-{caller}-01"}
    sent = await client.post(COMPLAINTS, json=desk.body(), headers=headers)
    [stored] = await intake.app.state.resources.log.read("main", sent.json()["seq"] - 1, 1)
    assert stored.traceparent == sent.headers["traceparent"]
    assert stored.traceparent.split("-")[1] == trace_id
    assert stored.traceparent.split("-")[2] != caller
    assert bus.to_message(stored).headers["traceparent"] == stored.traceparent


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    nowhere = {"complaint_id": "01940000-0000-7000-8000-000000000000"}
    service_kit.problem(await client.get(path(nowhere)), 404, "not_found")
    missing = await client.post(path(nowhere, "withdrawal"), json={"reason": "x"})
    service_kit.problem(missing, 404, "not_found")
