"""Bodies are read strictly, lists come in pages, and every refusal is a problem that names its place."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from libs.events import errors
from libs.service import auth, body, idempotency, paging
from libs.service.app import Service
from tests import service_kit
from tests.service_kit import problem

router = body.Router()
JSON = {"content-type": "application/json"}


class Address(body.RequestModel):
    city: body.Text


class Thing(body.RequestModel):
    name: body.Text
    count: int = 0
    weight: float | None = None
    address: Address | None = None
    tags: tuple[str, ...] = ()


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


@router.post("/v1/large", max_body_size=5000)
async def large(thing: Thing, _: Annotated[auth.Caller, auth.require()]) -> int:
    return len(thing.name)


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


async def test_every_fault_is_told_at_once(client: httpx.AsyncClient) -> None:
    answer = await post(client, b'{"count": "x", "address": {}, "more": 1}')
    problem(answer, 422, "malformed", "/name", "/count", "/address/city", "/more")


async def test_faults_outside_the_body_say_where_they_are(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/v1/things?limit=101"), 422, "malformed", "/limit")
    assert found["errors"][0]["in"] == "query"
    found = problem(await client.get("/v1/things/Li%20Wei"), 422, "malformed", "/thing_id")
    assert found["errors"][0]["in"] == "path"
    assert "Li" not in str(found)


async def test_a_body_of_another_type_is_refused(client: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/x-ndjson", "application/jsonx", "nonsense"):
        answer = await client.post("/v1/things", content=b"{}", headers={"content-type": kind})
        assert problem(answer, 415, "unsupported_media_type")["accepts"] == ["application/json"]
    problem(await client.post("/v1/things", content=b"{}"), 415, "unsupported_media_type")
    answer = await post(client, b'{"name": "a"}', **{"content-type": "application/json; charset=utf-8"})
    assert answer.status_code == 201


async def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(
    client: httpx.AsyncClient,
) -> None:
    large = b'{"name": "' + b"a" * 3000 + b'"}'
    found = problem(await post(client, large), 413, "content_too_large")
    assert (found["bytes_max"], found["detail"]) == (2000, "This call takes at most 2,000 bytes.")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 100):
            yield large[start : start + 100]

    answer = await client.post("/v1/things", content=pieces(), headers={"content-type": "application/json"})
    assert problem(answer, 413, "content_too_large")["bytes_max"] == 2000


async def test_a_route_may_take_more_than_the_others(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/large", json={"name": "a" * 3000})).json() == 3000
    answer = await client.post("/v1/large", json={"name": "a" * 6000})
    assert problem(answer, 413, "content_too_large")["bytes_max"] == 5000


async def test_an_encoded_body_is_refused(client: httpx.AsyncClient) -> None:
    answer = await post(client, gzip.compress(b'{"name": "a"}'), **{"content-encoding": "gzip"})
    problem(answer, 415, "unsupported_media_type")


async def test_nul_is_refused_in_filters_and_paths(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/v1/things?q=a%00b"), 422, "malformed", "/q")
    assert found["errors"][0]["in"] == "query"
    problem(await client.get("/v1/things/a%00b"), 422, "malformed", "")


@pytest.mark.parametrize("broken", ["%ED%A0%BD", "%FF", "%C3", "a%E9b", "%F4%90%80%80"])
async def test_what_is_no_text_is_refused_in_filters(client: httpx.AsyncClient, broken: str) -> None:
    """The framework would put another character there, and nobody would know what was meant."""
    found = problem(await client.get(f"/v1/things?limit=4&q={broken}"), 422, "malformed", "/q")
    assert (found["errors"][0]["in"], found["errors"][0]["code"]) == ("query", "encoding_invalid")
    problem(await client.get(f"/v1/things?{broken}=1"), 422, "malformed")
    assert (await client.get("/v1/things?q=%EF%BF%BD%F0%9F%92%A1+%e7%81%af%")).status_code == 200


async def test_json_in_another_encoding_is_refused(client: httpx.AsyncClient) -> None:
    """Its bytes may happen to be text in UTF-8, too, and another one."""
    for charset in ("gb18030", "latin-1", "utf-16"):
        headers = {"content-type": f"application/json; charset={charset}"}
        problem(await post(client, b'{"name": "a"}', **headers), 415, "unsupported_media_type")
    for charset in ("utf-8", "UTF-8", '"utf-8"', "us-ascii"):
        headers = {"content-type": f"application/json; charset={charset}"}
        assert (await post(client, b'{"name": "a"}', **headers)).status_code == 201


async def test_a_body_just_short_of_too_deep_is_no_bug(client: httpx.AsyncClient) -> None:
    for depth in range(850, 1000, 10):
        body = b'{"name": "a", "deep": ' + b"[" * depth + b'"\\ud83d"' + b"]" * depth + b"}"
        assert (await client.post("/v1/large", content=body, headers=JSON)).status_code == 422


async def test_a_caller_who_goes_away_is_no_bug(client: httpx.AsyncClient) -> None:
    async def broken_off() -> AsyncIterator[bytes]:
        yield b'{"name'
        raise ClientDisconnect

    assert (await client.post("/v1/things", content=broken_off(), headers=JSON)).status_code == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.binary(max_size=200) | st.fixed_dictionaries(
    {},
    optional={name: json_values for name in ("name", "count", "weight", "address", "tags", "other")},
).map(lambda value: json.dumps(value).encode())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=bodies)
async def test_no_body_is_ever_a_bug(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await post(client, content)
    assert answer.status_code in (201, 422)
    if answer.status_code == 422:
        problem(answer, 422, "malformed")


async def test_unknown_places_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/nothing"), 404, "not_found")
    problem(await client.get("/v1/things/"), 404, "not_found")
    answer = await client.delete("/v1/things")
    found = problem(answer, 405, "method_not_allowed")
    assert (answer.headers["allow"], found["detail"]) == (
        "GET, HEAD, POST",
        "This path takes GET, HEAD, POST.",
    )
    for method in ("POST", "OPTIONS", "TRACE", "NONSENSE"):
        answer = await client.request(method, "/livez")
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD"


async def test_head_is_get_without_its_body(client: httpx.AsyncClient) -> None:
    """What load balancers and caches ask with (RFC 9110, 9.3.2)."""
    for path, status in (("/v1/things?limit=4", 200), ("/livez", 200), ("/v1/nothing", 404)):
        answer = await client.head(path)
        assert (answer.status_code, answer.content) == (status, b"")
        assert answer.headers["content-length"] == (await client.get(path)).headers["content-length"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("refused", 409, "already_there"),
        ("stale", 412, "stale_version"),
        ("conflict", 503, "version_conflict"),
        ("away", 503, "unavailable"),
        ("contract", 500, "internal"),
        ("unknown", 403, "unknown_organisation"),
        ("silence", 503, "unavailable"),
        ("bug", 500, "internal"),
    ],
)
async def test_each_kind_of_failure_has_its_status(
    client: httpx.AsyncClient, kind: str, status: int, code: str
) -> None:
    answer = await client.post(f"/v1/failures/{kind}")
    found = problem(answer, status, code)
    assert ("retry-after" in answer.headers) == (status == 503)
    assert not {"10.0.0.7", "Li Wei", "intake-1", "17"} & set(str(found["detail"]).split())
    assert "stream" not in found
    assert found.get("since") == ("2026-01-01" if kind == "refused" else None)
    assert found.get("current_version") == (3 if kind == "stale" else None)


async def test_a_title_is_the_kind_and_a_detail_the_case(client: httpx.AsyncClient) -> None:
    found = problem(await client.get(f"/v1/things/{UUID(int=1)}"), 404, "not_found")
    assert found["title"] == found["detail"] == "There is no such thing."


async def test_a_list_is_read_page_by_page(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (
            await client.get("/v1/things", params={"limit": 4, **({"cursor": cursor} if cursor else {})})
        ).json()
        assert len(page["items"]) <= 4
        seen, cursor = seen + page["items"], page["next_cursor"]
    assert seen == list(range(1, 10))


async def test_a_cursor_is_taken_only_by_its_own_list(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/v1/things?limit=4")).json()["next_cursor"]
    other = {"authorization": f"Bearer {service_kit.token(org='other', scope='things:read')}"}
    refused = [
        await client.get("/v1/things", params={"cursor": cursor, "q": "x"}),
        await client.get("/v1/things", params={"cursor": cursor}, headers=other),
        await client.get("/v1/things", params={"cursor": cursor[:-4] + "AAAA"}),
        await client.get("/v1/things", params={"cursor": "灯"}),
        await client.get("/v1/things", params={"cursor": ""}),
    ]
    for answer in refused:
        assert problem(answer, 422, "malformed", "/cursor")["errors"][0]["code"] == "cursor_invalid"
    assert (await client.get("/v1/things", params={"cursor": cursor, "limit": 2})).json()["items"] == [5, 6]
