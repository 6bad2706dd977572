"""Many complaints at once: a line for a line, in order, whatever is wrong with some (REC-4, REC-9)."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.service.run import Server
from services.intake import importing
from tests import service_kit
from tests.e2e import desk
from tests.e2e.calls import Answer

IMPORT = "/v1/complaints/import"
NDJSON = {"content-type": "application/x-ndjson"}


def lines(*bodies: Any) -> bytes:
    return b"".join(json.dumps(body, ensure_ascii=False).encode() + b"\n" for body in bodies)


async def send(client: httpx.AsyncClient, content: Any) -> list[Answer]:
    answer = await client.post(IMPORT, content=content, headers=NDJSON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.content.splitlines()]


@pytest.mark.rule("REC-4")
async def test_a_bad_line_never_stops_the_rest(client: httpx.AsyncClient) -> None:
    good, blank = desk.body(), desk.body(narrative=" ")
    content = lines(good, blank) + b"{nonsense\n\n\xff\n" + lines(good, good | {"narrative": "x"}, 5)
    results = await send(client, content + lines(desk.body()).rstrip())
    assert [(each["line"], each["status"]) for each in results] == [
        (1, 201),
        (2, 422),
        (3, 422),
        (5, 422),
        (6, 200),
        (7, 422),
        (8, 422),
        (9, 201),
    ]
    assert results[0]["complaint_id"] == results[4]["complaint_id"]
    assert results[1]["problem"]["errors"][0]["pointer"] == "/narrative"
    assert results[5]["problem"]["code"] == "idempotency_mismatch"


async def test_a_line_too_long_is_refused_and_the_next_one_read(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * (importing.LINE_BYTES_MAX // 4)
        yield b"\n" + lines(desk.body())

    results = await send(client, chunks())
    assert [(each["line"], each["status"]) for each in results] == [(1, 422), (2, 201)]
    assert results[0]["problem"]["code"] == "line_too_long"


async def test_long_lines_take_their_turn(client: httpx.AsyncClient) -> None:
    long = "闪" * (importing.LONG_LINE_BYTES // 3)
    results = await send(client, lines(*(desk.body(narrative=long) for _ in range(5)), desk.body()))
    assert [(each["line"], each["status"]) for each in results] == [(n, 201) for n in range(1, 7)]


@pytest.mark.rule("REC-9")
async def test_an_import_repeated_records_nothing_twice(client: httpx.AsyncClient) -> None:
    content = lines(*(desk.body() for _ in range(200)))
    first, again = await send(client, content), await send(client, content)
    assert {each["status"] for each in first} == {201}
    assert {each["status"] for each in again} == {200}
    assert [each["complaint_id"] for each in again] == [each["complaint_id"] for each in first]
    assert len({each["number"] for each in first}) == 200


async def test_only_lines_of_json_are_taken(client: httpx.AsyncClient) -> None:
    refused = await client.post(IMPORT, json=[desk.body()])
    service_kit.problem(refused, 415, "unsupported_media_type")


@pytest.fixture
async def port(intake: desk.Intake) -> AsyncIterator[int]:
    """The same application behind its real server: only there can answers overlap requests."""
    server = Server(intake.app, intake.app.state.resources.settings.model_copy(update={"port": 0}))
    server.config.lifespan = "off"
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(desk.WAIT_SECONDS):
        while not server.started:  # noqa: ASYNC110 the server has no event to wait for
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


def head(port: int) -> bytes:
    token = service_kit.token(scope=" ".join(desk.EVERY_SCOPE))
    fields = [f"POST {IMPORT} HTTP/1.1", f"host: 127.0.0.1:{port}", f"authorization: Bearer {token}"]
    fields += ["content-type: application/x-ndjson", "transfer-encoding: chunked"]
    return "\r\n".join(fields).encode() + b"\r\n\r\n"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


async def test_each_line_is_answered_before_the_next_is_sent(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(port))
    async with asyncio.timeout(desk.WAIT_SECONDS):
        for number in range(1, 4):
            writer.write(chunk(lines(desk.body())))
            while not (line := await reader.readline()).startswith(b"{"):
                assert line, "the connection stays open"
            assert json.loads(line)["line"] == number
    writer.close()


async def test_a_caller_who_hangs_up_leaves_whole_lines_recorded(
    port: int, client: httpx.AsyncClient
) -> None:
    body = desk.body(source={"system": "gone", "reference": os.urandom(8).hex()})
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(port) + chunk(lines(body) + b'{"half": '))
    async with asyncio.timeout(desk.WAIT_SECONDS):
        while not (line := await reader.readline()).startswith(b"{"):
            assert line, "the connection stays open"
    writer.close()
    again = await client.post("/v1/complaints", json=body)
    assert again.status_code == 200
    assert again.json()["complaint_id"] == json.loads(line)["complaint_id"]


@pytest.fixture
def real_complaints(vehicle_complaints: Path) -> list[Answer]:
    return [json.loads(line) for line in vehicle_complaints.read_text("utf-8").splitlines()]


@pytest.mark.timeout(120)
@pytest.mark.rule("REC-4")
async def test_every_real_complaint_is_taken_as_it_is(
    client: httpx.AsyncClient, real_complaints: list[Answer]
) -> None:
    bodies = [
        desk.body(
            source={"system": "odi", "reference": str(each["odi_number"])},
            received_at=f"{each['received']}T00:00:00Z",
            occurred_at=None,
            narrative=each["narrative"],
        )
        for each in real_complaints
    ]
    results = await send(client, lines(*bodies))
    assert [each["status"] for each in results] == [201] * len(real_complaints)
    for place in range(0, len(real_complaints), 250):
        dossier = await client.get(f"/v1/complaints/{results[place]['complaint_id']}")
        assert dossier.json()["narrative"] == real_complaints[place]["narrative"]
