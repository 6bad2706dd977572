"""Every request meets the gate first, every body is read strictly, and every refusal is a problem that names its place."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx
import pytest

from libs.events import errors
from libs.service import auth, body, idempotency, paging
from libs.service.app import Service
from tests import service_kit
from tests.service_kit import problem

router = body.Router()


class Address(body.RequestModel):
    city: body.Text


class Thing(body.RequestModel):
    name: body.Text
    count: int = 0
    weight: float | None = None
    address: Address | None = None
    tags: list[str] = []


class AlreadyThere(errors.Refused):
    """There is such a thing already."""

    code = "already_there"


@router.post("/v1/things", status_code=201)
async def record(
    thing: Thing, caller: Annotated[auth.Caller, auth.require("things:write")], once: idempotency.Key
) -> dict[str, str]:
    with once.claims(thing):
        return {"name": thing.name, "by": caller.subject}


@router.get("/v1/things/{thing_id}")
async def read(thing_id: UUID, _: Annotated[auth.Caller, auth.require("things:read")]) -> dict[str, str]:
    raise errors.NotFound


@router.get("/v1/things")
async def listed(
    window: paging.Asked, _: Annotated[auth.Caller, auth.require("things:read")], q: str = ""
) -> paging.Page[int]:
    start = window.after[0] if window.after else 0
    rows = list(range(start + 1, 10))[: window.fetch]
    items, cursor = window.cut(rows, lambda row: [row])
    return paging.Page(items=list(items), next_cursor=cursor)


@router.post("/v1/failures/{kind}")
async def fail(kind: str, _: Annotated[auth.Caller, auth.require()]) -> None:
    raise {
        "refused": AlreadyThere(since="2026-01-01"),
        "stale": errors.StaleVersion(current_version=3),
        "conflict": errors.VersionConflict(stream="intake-1"),
        "away": errors.Unavailable(retry_after_seconds=2),
        "contract": errors.ContractError("Event 17 does not fit.", seq=17),
        "unknown": errors.UnknownLog(),
        "silence": TimeoutError("10.0.0.7"),
        "bug": ZeroDivisionError("Li Wei"),
    }[kind]


THINGS = Service("things", "Things", (router,))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    bearer = service_kit.token(scope="things:read things:write")
    async with service_kit.serving(THINGS, tmp_path, max_body_bytes=2000) as caller:
        caller.headers["authorization"] = f"Bearer {bearer}"
        yield caller


async def post(client: httpx.AsyncClient, content: bytes, **headers: str) -> httpx.Response:
    return await client.post(
        "/v1/things", content=content, headers={"content-type": "application/json", **headers}
    )


async def test_a_good_request_is_carried_out(client: httpx.AsyncClient) -> None:
    answer = await post(client, '{"name": "灯 💡\\t", "weight": 1.5}'.encode())
    assert (answer.status_code, answer.json()) == (201, {"name": "灯 💡\t", "by": "li.wei"})


@pytest.mark.parametrize(
    ("content", "code", "pointer"),
    [
        (b'{"name": "a", "nmae": "secret"}', "extra_forbidden", "/nmae"),
        (b'{"count": 1}', "missing", "/name"),
        (b'{"name": "a", "count": "many"}', "int_parsing", "/count"),
        (b'{"name": "", "count": 1}', "string_too_short", "/name"),
        (b'{"name": " \\n", "count": 1}', "string_pattern_mismatch", "/name"),
        (b'{"name": "a", "address": {"city": 7}}', "string_type", "/address/city"),
        (b'{"name": "a", "address": {"city": "b", "a/b~c": 7}}', "extra_forbidden", "/address/a~1b~0c"),
        (b'{"name": "a", "tags": ["b", 7]}', "string_type", "/tags/1"),
        (b'{"name": "a", "name": "b"}', "field_twice", "/name"),
        (b'{"name": "a\\u0000b"}', "nul_character", "/name"),
        (b'{"name": "a\\ud83d"}', "lone_surrogate", "/name"),
        (b'{"name": "a", "\\ud83d": 1}', "extra_forbidden", "/?"),
        (b'{"name": "a", "weight": NaN}', "not_a_number", "/weight"),
        (b'{"name": "a", "weight": -Infinity}', "not_a_number", "/weight"),
        (b'{"name": "a", "weight": 1e999}', "finite_number", "/weight"),
        (b'{"name": "a", "count": ' + b"9" * 1500 + b"}", "number_too_long", "/count"),
        (b'{"name": "a"', "json_invalid", ""),
        (b'{"name": "a\xff"}', "encoding_invalid", ""),
        (b"[" * 1900, "json_too_deep", ""),
        (b"[]", "model_attributes_type", ""),
        (b"", "missing", ""),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_at_its_place(
    client: httpx.AsyncClient, content: bytes, code: str, pointer: str
) -> None:
    found = problem(await post(client, content), 422, "malformed", pointer)
    assert found["errors"][0]["code"] == code
    assert found["errors"][0]["in"] == "body"
    assert "secret" not in str(found)
