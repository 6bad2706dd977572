"""A service as a process: it starts whatever is down, stops without failing a request, names nobody."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import ports
from tests import backends, service_kit
from tests.service_kit import problem

SECONDS_MAX = 20.0
AWAY_SECONDS_MAX = 2.5  # two seconds, and what a busy machine adds


@contextlib.asynccontextmanager
async def process(
    folder: Path, **chosen: Any
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    port = ports.free()
    settings = service_kit.write_settings(folder, port=port, **chosen)
    with (folder / "out").open("wb") as out:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "libs.service.run", "tests.notes"),
            env=service_kit.environment(settings),
            stdout=out,
            stderr=out,
        )
    headers = {"authorization": f"Bearer {service_kit.token()}"}
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10
        ) as client:
            await until_alive(client)
            yield running, client
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        await running.wait()


async def until_alive(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/livez")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def test_it_starts_and_lives_while_everything_else_is_down(tmp_path: Path) -> None:
    async with process(tmp_path) as (running, client):
        found = problem(await client.get("/readyz"), 503, "not_ready")
        assert found["checks"] == {"database": "unavailable", "bus": "unavailable", "views": {}}
        answer = await asyncio.wait_for(client.post("/v1/notes", json={"text": "a"}), AWAY_SECONDS_MAX)
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert (await client.get("/livez")).json() == {"status": "alive"}
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), SECONDS_MAX) == 0


async def test_a_stop_fails_no_request(database: backends.Database, tmp_path: Path) -> None:
    """What a load balancer does: it sends requests until readiness drops. Slow ones outlast the pause."""
    dsn = database.dsn("redress_intake")
    async with process(tmp_path, database_url=dsn, shutdown_pause_seconds=3) as (running, client):
        assert (await client.get("/readyz")).json()["status"] == "degraded"
        told_to_stop = asyncio.Event()
        sent = asyncio.Semaphore(0)

        async def keep_sending() -> None:
            while (await client.get("/readyz")).status_code == 200:
                assert (await client.post("/v1/notes", json={"text": "a"})).status_code == 201
                sent.release()
            assert told_to_stop.is_set()
            last = await client.post("/v1/notes", json={"text": "a"})  # was on its way already
            assert last.status_code == 201
            assert last.headers["connection"] == "close"

        senders = [asyncio.create_task(keep_sending()) for _ in range(4)]
        async with asyncio.timeout(SECONDS_MAX):
            for _ in range(20):
                await sent.acquire()
            slow = asyncio.create_task(client.get("/v1/slow?seconds=4"))
            for _ in range(8):
                await sent.acquire()  # by now the slow one has begun, too
            told_to_stop.set()
            running.send_signal(signal.SIGTERM)
            await asyncio.gather(*senders)
            assert (await slow).json() == {"done": True}
            assert await running.wait() == 0


async def test_logs_are_json_with_trace_ids_and_nobody_in_them(
    database: backends.Database, tmp_path: Path
) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    traceparent = f"00-{trace_id}-b7ad6b7169203331-01"
    async with process(tmp_path, database_url=database.dsn("redress_intake")) as (running, client):
        answer = await client.get("/v1/bug?q=Wang%20Fang", headers={"traceparent": traceparent})
        assert problem(answer, 500, "internal")["trace_id"] == trace_id
        assert answer.headers["traceparent"] != traceparent  # the same trace, another span
        await client.post("/v1/notes", json={"text": "Zhang San", "name": "Li Na"})
        running.send_signal(signal.SIGTERM)
        await asyncio.wait_for(running.wait(), SECONDS_MAX)
    written = (tmp_path / "out").read_text()
    lines = [json.loads(line) for line in written.splitlines()]
    for person in ("Li Wei", "13800000000", "Wang", "Zhang San", "Li Na", "li.wei"):
        assert person not in written
    bugs = [line for line in lines if line["event"] == "bug"]
    assert [(bug["error"], bug["trace_id"], bug["service"]) for bug in bugs] == [
        ("ValueError", trace_id, "intake")
    ]
    assert "notes.py" in bugs[0]["at"][-1]
    asked = [line for line in lines if line["event"] == "request" and line["route"] == "/v1/bug"]
    assert [(line["method"], line["status"], line["trace_id"]) for line in asked] == [("GET", 500, trace_id)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"REDRESS_PORT": "many"}, "REDRESS_PORT: Input should be a valid integer"),
        ({"REDRESS_KEY_FILE": "/no/key"}, "REDRESS_KEY_FILE: [Errno 2] No such file or directory: '/no/key'"),
        ({"REDRESS_JWKS_FILE": "/no/jwks"}, "REDRESS_JWKS_FILE: /no/jwks: not a key set"),
        ({"REDRESS_POLICY": "absent"}, "absent.yaml: there is no such policy pack"),
    ],
)
async def test_a_wrong_setting_ends_it_with_status_2(
    tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    environment = service_kit.environment(service_kit.write_settings(tmp_path)) | changes
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "libs.service.run", "tests.notes"),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(running.communicate(), SECONDS_MAX)
    assert running.returncode == 2
    assert said in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_a_port_that_is_taken_ends_it(tmp_path: Path) -> None:
    async with process(tmp_path) as (_, client):
        environment = service_kit.environment(service_kit.write_settings(tmp_path, port=client.base_url.port))
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "libs.service.run", "tests.notes"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            said, _ = await asyncio.wait_for(second.communicate(), SECONDS_MAX)
        finally:
            with contextlib.suppress(ProcessLookupError):
                second.kill()
        assert second.returncode == 3
        assert b"address already in use" in said


@pytest.mark.parametrize(
    "request_line",
    [
        pytest.param("GET /v1/notes?q=灯 HTTP/1.1", id="an address that is not percent-encoded"),
        pytest.param("so this is HTTP", id="no HTTP at all"),
    ],
)
async def test_what_is_no_http_is_a_problem_too(tmp_path: Path, request_line: str) -> None:
    async with process(tmp_path) as (_, client):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(f"{request_line}\r\nHost: here\r\n\r\n".encode())
        said = await asyncio.wait_for(reader.read(), SECONDS_MAX)
        writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == "not_http"
    assert json.loads(body)["trace_id"]
