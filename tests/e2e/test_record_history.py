"""What becomes of a record: amendments, withdrawal, duplicates merged and separated (REC-6, REC-9)."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import backends, service_kit
from tests.e2e import desk
from tests.e2e.calls import COMPLAINTS, Answer, expect, path, read, record, submit

PATIENCE_SECONDS = 20


@pytest.mark.rule("REC-6")
async def test_both_versions_stay_visible_with_author_and_reason(intake: desk.Intake) -> None:
    async with intake.client(sub="wang.fang") as client:
        answer = await record(client)
        before = await read(client, answer)
        await submit(client, answer, "amendments", narrative="两支灯管闪烁", product={"quantity": 30})
        after = await read(client, answer)
    (amendment,) = after["amendments"]
    assert (amendment["author"], amendment["reason"]) == ("wang.fang", "the customer called")
    assert amendment["before"]["narrative"] == before["narrative"]
    assert amendment["after"]["narrative"] == after["narrative"] == "两支灯管闪烁"
    assert amendment["before"]["product"] == before["product"]
    assert amendment["after"]["product"] == after["product"] == before["product"] | {"quantity": 30}
    assert amendment["before"]["demand"] is amendment["after"]["demand"] is None
    assert after["version"] == amendment["version"] == 2


@pytest.mark.rule("REC-6")
async def test_what_stands_like_that_already_is_not_amended(client: httpx.AsyncClient) -> None:
    answer = await record(client)
    standing = await submit(client, answer, "amendments", narrative=desk.body()["narrative"])
    assert standing["version"] == 1


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"product": {"defective_quantity": 41}}, 409, "more_defective_than_delivered"),
        ({}, 422, "malformed"),
        ({"narrative": " "}, 422, "malformed"),
        ({"number": "2026-000001"}, 422, "malformed"),
        ({"unavailable_details": ["colour"]}, 422, "malformed"),
    ],
)
async def test_amendments_that_cannot_be_are_refused(
    client: httpx.AsyncClient, members: dict[str, Any], status: int, code: str
) -> None:
    answer = await record(client)
    sent = await client.post(path(answer, "amendments"), json={"reason": "x", **members})
    service_kit.problem(sent, status, code)


async def test_a_withdrawn_complaint_stays_on_record_and_can_be_corrected(client: httpx.AsyncClient) -> None:
    answer = await record(client)
    assert (await submit(client, answer, "withdrawal"))["status"] == "withdrawn"
    await submit(client, answer, "amendments", complainant={"phone": "13800000002"})
    dossier = await read(client, answer)
    assert dossier["status"] == "withdrawn"
    assert dossier["narrative"] == desk.body()["narrative"]
    assert [each["kind"] for each in dossier["decisions"]] == ["withdrawal"]
    converted = await client.post(path(answer, "conversion"), json={"reason": "x"})
    service_kit.problem(converted, 409, "already_withdrawn")


def of_customer(customer: str, **changes: Any) -> dict[str, Any]:
    complainant = desk.body()["complainant"] | {"customer_id": customer}
    return {"complainant": complainant, **changes}


@pytest.mark.rule("REC-9")
async def test_a_possible_duplicate_is_named_at_once_and_never_dropped(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    first = await record(client, **of_customer("C-dup"))
    await intake.catch_up()
    again = await record(client, **of_customer("C-dup"))
    assert again["possible_duplicates"] == [first["complaint_id"]]
    assert again["complaint_id"] != first["complaint_id"]
    (suspected,) = (await read(client, again))["suspected_duplicates"]
    assert suspected["complaint_id"] == first["complaint_id"]
    assert set(suspected["matched_on"]) == {"order_number", "part_number", "respondent"}


@pytest.mark.rule("REC-9")
async def test_other_products_other_customers_and_closed_complaints_are_not_suspected(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    closed = await record(client, **of_customer("C-not"))
    await submit(client, closed, "withdrawal")
    await record(client, **of_customer("C-another"))
    other_product = {"product": {"order_number": "SO-9"}, "respondent": {"kind": "product", "reference": "Z"}}
    await record(client, **of_customer("C-not", **other_product))
    await intake.catch_up()
    assert (await record(client, **of_customer("C-not")))["possible_duplicates"] == []


@pytest.mark.rule("REC-9")
async def test_the_same_words_a_year_later_are_another_complaint_that_is_linked(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    resources = intake.app.state.resources
    clock = resources.now
    resources.now = lambda: clock() - timedelta(days=400)
    year_ago = {"received_at": "2024-11-20T01:12:00Z", "occurred_at": None}
    first = await record(client, **of_customer("C-year"), **year_ago)
    resources.now = clock
    await intake.catch_up()
    again = await record(client, **of_customer("C-year"))
    assert again["number"] != first["number"]
    assert again["possible_duplicates"] == [first["complaint_id"]]
    assert (await read(client, first))["status"] == (await read(client, again))["status"] == "recorded"


@pytest.mark.rule("REC-9")
async def test_a_merge_keeps_everything_and_can_be_undone(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    earlier = await record(client, received_at="2026-11-19T09:00:00+08:00")
    later = await record(client)
    before = await read(client, later)
    survivor = await read(client, earlier)
    merged = await submit(client, later, "merge", into=earlier["complaint_id"])
    assert merged["status"] == "merged"
    dossier = await read(client, later)
    assert dossier["merged_into"] == earlier["complaint_id"]
    changed = {"status", "merged_into", "version", "decisions"}
    assert without(dossier, changed) == without(before, changed)
    refused = await client.post(path(later, "amendments"), json={"reason": "x", "supplement": "y"})
    assert service_kit.problem(refused, 409, "already_merged")["merged_into"] == earlier["complaint_id"]
    await intake.catch_up()
    carries_on = await read(client, earlier)
    assert carries_on == survivor | {"merged_here": [later["complaint_id"]]}
    listed = expect(await client.get(COMPLAINTS, params={"status": "merged"}))["items"]
    assert later["complaint_id"] in [each["complaint_id"] for each in listed]
    undone = await submit(client, later, "separate", separate_from=earlier["complaint_id"])
    assert undone["status"] == "recorded"
    assert without(await read(client, later), changed) == without(before, changed)


@pytest.mark.rule("REC-9")
async def test_only_into_an_earlier_complaint(client: httpx.AsyncClient) -> None:
    earlier = await record(client, received_at="2026-11-19T09:00:00+08:00")
    later = await record(client)
    backwards = {"reason": "x", "into": later["complaint_id"]}
    service_kit.problem(await client.post(path(earlier, "merge"), json=backwards), 409, "not_the_earlier")
    nowhere = {"reason": "x", "into": "01940000-0000-7000-8000-000000000000"}
    service_kit.problem(await client.post(path(later, "merge"), json=nowhere), 404, "not_found")
    unrelated = {"reason": "x", "separate_from": earlier["complaint_id"]}
    service_kit.problem(await client.post(path(later, "separate"), json=unrelated), 409, "not_linked")


def without(dossier: Answer, names: set[str]) -> Answer:
    return {name: value for name, value in dossier.items() if name not in names}


@pytest.mark.rule("REC-9")
async def test_duplicates_recorded_at_the_same_moment_are_linked_over_the_bus(
    database: backends.Database, nats_url: str, tmp_path: Path
) -> None:
    async with desk.running(database, tmp_path, nats_url=nats_url) as intake, intake.client() as client:
        answers = await asyncio.gather(*(record(client, **of_customer("C-race")) for _ in range(3)))
        dossiers: list[Answer] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            # the second is linked to the first, the third to both
            while sum(len(dossier["suspected_duplicates"]) for dossier in dossiers) < 3:
                await asyncio.sleep(0.05)
                dossiers = [await read(client, answer) for answer in answers]
    in_order = sorted(zip(answers, dossiers, strict=True), key=lambda pair: pair[0]["seq"])
    ids = [answer["complaint_id"] for answer, _ in in_order]
    for place, (_, dossier) in enumerate(in_order):
        linked = {each["complaint_id"] for each in dossier["suspected_duplicates"]}
        assert linked == set(ids[:place])


async def test_erasure_reaches_dossier_and_search(database: backends.Database, tmp_path: Path) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        answer = await record(client, **of_customer("C-gone"))
        await intake.catch_up()
        assert expect(await client.get(COMPLAINTS, params={"q": "王小明"}))["items"]
        await desk.erase(database, intake, "customer:C-gone")
        await intake.catch_up()
        assert expect(await client.get(COMPLAINTS, params={"q": "王小明"}))["items"] == []
        dossier = await read(client, answer)
    assert dossier["narrative"] == dossier["complainant"]["name"] == "[erased]"
    assert dossier["number"] == answer["number"]
