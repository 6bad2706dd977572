"""The same report sent again gives the same complaint, whoever races whom (REC-9)."""

import asyncio
import os
from pathlib import Path

import httpx
import pytest

from tests import backends, service_kit
from tests.e2e import desk
from tests.e2e.calls import COMPLAINTS, path, read, record, submit


def key() -> dict[str, str]:
    return {"idempotency-key": os.urandom(8).hex()}


@pytest.mark.rule("REC-9")
@pytest.mark.parametrize("by", ["source", "key"])
async def test_a_report_sent_again_gives_the_same_answer(client: httpx.AsyncClient, by: str) -> None:
    body, headers = (desk.body(), {}) if by == "source" else (desk.body(source=None), key())
    first = await client.post(COMPLAINTS, json=body, headers=headers)
    again = await client.post(COMPLAINTS, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    for header in ("etag", "location"):
        assert again.headers[header] == first.headers[header]
    other = await client.post(COMPLAINTS, json=body | {"narrative": "else"}, headers=headers)
    service_kit.problem(other, 422, "idempotency_mismatch")


@pytest.mark.rule("REC-9")
async def test_the_first_answer_holds_after_the_complaint_has_changed(client: httpx.AsyncClient) -> None:
    body = desk.body()
    first = await client.post(COMPLAINTS, json=body)
    await submit(client, first.json(), "withdrawal")
    again = await client.post(COMPLAINTS, json=body)
    assert (again.status_code, again.content) == (200, first.content)


@pytest.mark.rule("REC-9")
async def test_of_many_at_once_in_two_processes_one_is_recorded(
    module_database: backends.Database, intake: desk.Intake, tmp_path: Path
) -> None:
    body = desk.body()
    (tmp_path / "other").mkdir()
    async with (
        desk.running(module_database, tmp_path / "other") as other,
        intake.client() as here,
        other.client() as there,
    ):
        answers = await asyncio.gather(*(client.post(COMPLAINTS, json=body) for client in (here, there) * 20))
    assert sorted(answer.status_code for answer in answers) == [200] * 39 + [201]
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.rule("REC-9")
async def test_a_key_in_use_is_said_to_be(client: httpx.AsyncClient) -> None:
    body, headers = desk.body(source=None), key()
    answers = await asyncio.gather(*(client.post(COMPLAINTS, json=body, headers=headers) for _ in range(10)))
    recorded = [answer for answer in answers if answer.status_code < 300]
    busy = [answer for answer in answers if answer.status_code == 409]
    assert len(recorded) + len(busy) == 10
    assert len({answer.content for answer in recorded}) == 1
    for answer in busy:
        service_kit.problem(answer, 409, "request_in_progress")


async def test_the_same_key_of_another_caller_is_another_key(intake: desk.Intake) -> None:
    body, headers = desk.body(source=None), key()
    async with intake.client(sub="li.wei") as one, intake.client(sub="wang.fang") as other:
        answers = [await caller.post(COMPLAINTS, json=body, headers=headers) for caller in (one, other)]
    assert [answer.status_code for answer in answers] == [201, 201]


async def test_a_step_repeated_under_its_key_answers_as_it_did(client: httpx.AsyncClient) -> None:
    answer, headers = await record(client), key()
    merely = {"reason": "they called", "supplement": "now four"}
    first = await client.post(path(answer, "amendments"), json=merely, headers=headers)
    await submit(client, answer, "withdrawal")
    again = await client.post(path(answer, "amendments"), json=merely, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"] == '"2"'
    other = await client.post(path(answer, "amendments"), json=merely | {"reason": "x"}, headers=headers)
    service_kit.problem(other, 422, "idempotency_mismatch")


async def test_a_stale_version_is_refused(client: httpx.AsyncClient) -> None:
    answer = await record(client)
    await submit(client, answer, "amendments", supplement="more")
    stale = await client.post(path(answer, "withdrawal"), json={"reason": "x"}, headers={"if-match": '"1"'})
    service_kit.problem(stale, 412, "stale_version")
    current = {"if-match": '"2"'}
    fresh = await client.post(path(answer, "withdrawal"), json={"reason": "x"}, headers=current)
    assert fresh.headers["etag"] == '"3"'


async def test_twenty_changes_at_once_are_all_kept(client: httpx.AsyncClient) -> None:
    answer = await record(client)

    async def supplement(number: int) -> None:
        text = f"supplement {number}"
        while True:
            sent = await client.post(path(answer, "amendments"), json={"reason": "x", "supplement": text})
            if sent.status_code != 503:  # others kept being faster: a caller tries again
                assert sent.status_code == 200
                return

    await asyncio.gather(*(supplement(number) for number in range(20)))
    assert sorted((await read(client, answer))["supplements"]) == sorted(f"supplement {n}" for n in range(20))
