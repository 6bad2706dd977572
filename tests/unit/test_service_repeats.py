"""A request under an idempotency key is one thing of one caller; versions travel as entity tags."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx
import pytest

from libs.events import errors
from libs.events.envelope import Claim, Claimed
from libs.service import auth, body, idempotency
from libs.service.app import Service
from tests import service_kit
from tests.service_kit import problem, token

router = body.Router()
Anyone = Annotated[auth.Caller, auth.require()]


class Thing(body.RequestModel):
    name: str
    count: int = 0


@router.post("/v1/things/{thing_id}/claims")
async def claimed(thing_id: int, thing: Thing, _: Anyone, once: idempotency.Key) -> list[str]:
    with once.claims(thing) as claims:
        await asyncio.sleep(0)
        return [f"{claim.name} {claim.fingerprint.hex()}" for claim in claims]


@router.post("/v1/waiting")
async def waiting(thing: Thing, _: Anyone, once: idempotency.Key) -> None:
    with once.claims(thing):
        await asyncio.Event().wait()


@router.get("/v1/version")
async def version(_: Anyone, if_match: idempotency.IfMatch) -> int | None:
    return if_match


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with service_kit.serving(Service("things", "Things", (router,)), tmp_path) as caller:
        yield caller


async def claims(
    client: httpx.AsyncClient, key: str | None, thing: str = '{"name": "a"}', thing_id: int = 1, **said: str
) -> list[str]:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token(**said)}"}
    if key is not None:
        headers["idempotency-key"] = key
    answer = await client.post(f"/v1/things/{thing_id}/claims", content=thing, headers=headers)
    assert answer.status_code == 200, answer.text
    return [part for claim in answer.json() for part in claim.split()]


async def test_without_a_key_nothing_is_claimed(client: httpx.AsyncClient) -> None:
    assert await claims(client, None) == []


async def test_the_same_request_makes_the_same_claim(client: httpx.AsyncClient) -> None:
    first = await claims(client, "k1")
    assert await claims(client, "k1") == first
    assert await claims(client, '"k1"') == first  # the draft quotes keys, most clients do not
    assert (
        await claims(client, "k1", '{ "count": 0, "name": "\\u0061" }') == first
    )  # the same, written otherwise


async def test_another_caller_organisation_or_key_is_another_claim(client: httpx.AsyncClient) -> None:
    names = [
        (await claims(client, "k1"))[0],
        (await claims(client, "k2"))[0],
        (await claims(client, "k1", sub="wang.fang"))[0],
        (await claims(client, "k1", org="other"))[0],
    ]
    assert len(set(names)) == 4


async def test_other_content_has_another_fingerprint_under_the_same_name(client: httpx.AsyncClient) -> None:
    first = await claims(client, "k1")
    for changed in (await claims(client, "k1", '{"name": "b"}'), await claims(client, "k1", thing_id=2)):
        assert changed[0] == first[0]
        assert changed[1] != first[1]


def test_a_claim_taken_with_other_content_is_a_mismatch() -> None:
    ours = Claim(UUID(int=1), b"a" * 32)
    idempotency.check([ours], Claimed(ours.name, b"a" * 32, "intake-1", 1, 1))
    idempotency.check([ours], Claimed(UUID(int=2), b"b" * 32, "intake-1", 1, 1))
    with pytest.raises(errors.IdempotencyMismatch):
        idempotency.check([ours], Claimed(ours.name, b"b" * 32, "intake-1", 1, 1))


def test_parts_of_a_name_cannot_run_into_each_other() -> None:
    assert idempotency.claim_name("key", "a", "bc") != idempotency.claim_name("key", "ab", "c")
    assert idempotency.fingerprint(b"", b"a", b"bc") != idempotency.fingerprint(b"", b"ab", b"c")


@pytest.mark.parametrize("key", ["", " ", "a b", '"', '""', "\x7f", "k" * 256])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, key: str) -> None:
    headers = {"idempotency-key": key}
    answer = await client.post("/v1/things/1/claims", json={"name": "a"}, headers=headers)
    assert problem(answer, 422, "malformed", "/idempotency-key")["errors"][0]["in"] == "header"


async def test_a_second_request_under_a_running_key_is_told_to_wait(client: httpx.AsyncClient) -> None:
    async def send() -> httpx.Response:
        return await client.post("/v1/waiting", json={"name": "a"}, headers={"idempotency-key": "k1"})

    first, second = asyncio.create_task(send()), asyncio.create_task(send())
    done, _ = await asyncio.wait({first, second}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    problem(done.pop().result(), 409, "request_in_progress")
    for task in (first, second):
        task.cancel()
    await asyncio.wait({first, second}, timeout=10)
    # The one that was broken off no longer holds the key.
    third = asyncio.create_task(send())
    done, _ = await asyncio.wait({third}, timeout=0.2)
    assert not done
    third.cancel()


@pytest.mark.parametrize(("given", "found"), [(None, None), ("*", None), ('"3"', 3), (' "17" ', 17)])
async def test_if_match_names_a_version(
    client: httpx.AsyncClient, given: str | None, found: int | None
) -> None:
    headers = {} if given is None else {"if-match": given}
    assert (await client.get("/v1/version", headers=headers)).json() == found


async def test_a_tag_that_was_never_given_matches_nothing(client: httpx.AsyncClient) -> None:
    for tag in ('W/"3"', '"abc"', '"03"', "3", '"9999999999999999999"'):
        problem(await client.get("/v1/version", headers={"if-match": tag}), 412, "stale_version")
    problem(await client.get("/v1/version", headers={"if-match": '"3", "4"'}), 422, "malformed", "/if-match")
    assert idempotency.etag(3) == '"3"'
