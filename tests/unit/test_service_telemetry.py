"""Every request has a trace; metrics name routes, never callers; errors are logged by place, not by text."""

import asyncio
import contextlib
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
import structlog
from opentelemetry import trace
from prometheus_client import REGISTRY

from libs.events import errors
from libs.service import auth, background, body, logs, telemetry
from libs.service.app import Service
from tests import service_kit

router = body.Router()
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@router.get("/v1/things/{thing_id}")
async def read(thing_id: str, _: Annotated[auth.Caller, auth.require()]) -> str:
    return telemetry.traceparent()


@router.get("/v1/searched")
async def search(q: str, _: Annotated[auth.Caller, auth.require()]) -> str:
    return q


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with service_kit.serving(Service("things", "Things", (router,)), tmp_path) as caller:
        yield caller


def parts(traceparent: str) -> tuple[str, str, str]:
    version, trace_id, span_id, flags = traceparent.split("-")
    assert version == "00"
    return trace_id, span_id, flags


async def test_a_trace_is_carried_on(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things/1", headers={"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-00"})
    trace_id, span_id, flags = parts(answer.json())
    assert (trace_id, flags) == (TRACE_ID, "00")
    assert span_id != "b7ad6b7169203331"
    assert answer.headers["traceparent"] == answer.json()
    assert telemetry.traceparent() == ""


async def test_no_answer_is_kept_or_taken_for_something_else(client: httpx.AsyncClient) -> None:
    for path in ("/v1/things/1", "/v1/nothing"):
        headers = (await client.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "nonsense",
        f"ff-{TRACE_ID}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-b7ad6b7169203331-01",
        f"00-{TRACE_ID}-b7ad6b7169203331-01-more",
    ],
)
def test_a_trace_that_is_no_trace_begins_another(given: str | None) -> None:
    trace_id, span_id, flags = parts(str(telemetry.begin(given)))
    assert trace_id != TRACE_ID
    assert (len(trace_id), len(span_id), flags) == (32, 16, "01")


def test_a_later_version_of_the_header_is_understood() -> None:
    assert parts(str(telemetry.begin(f"01-{TRACE_ID}-b7ad6b7169203331-01-more")))[0] == TRACE_ID


class Spans(trace.TracerProvider, trace.Tracer):
    """Stands for the SDK of OpenTelemetry: keeps what spans were begun with."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, dict[str, Any]]] = []
        self.place = trace.SpanContext(int(TRACE_ID, 16), 17, True, trace.TraceFlags(1))

    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
        return self

    def start_span(self, name: str, *_: Any, attributes: Any = None, **__: Any) -> trace.Span:
        self.begun.append((name, dict(attributes or {})))
        return trace.NonRecordingSpan(self.place)

    @contextlib.contextmanager
    def start_as_current_span(  # type: ignore[override]  # enough for how the framework calls it
        self, name: str, **named: Any
    ) -> Iterator[trace.Span]:
        yield self.start_span(name, **named)


async def test_spans_are_the_framework_s_and_know_nobody(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = Spans()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans)
    answer = await client.get(
        "/v1/things/1?q=Wang%20Fang", headers={"traceparent": f"00-{TRACE_ID}-{'1' * 16}-01"}
    )
    assert answer.headers["traceparent"] == f"00-{TRACE_ID}-{17:016x}-01"
    assert spans.begun[0][1]["url.path"] == "/v1/things/1"
    assert "Wang" not in str(spans.begun)
    monkeypatch.undo()
    assert (await client.get("/v1/searched?q=Wang%20Fang")).json() == "Wang Fang"


async def test_requests_are_counted_by_route_and_status(client: httpx.AsyncClient) -> None:
    def counted(route: str, status: str) -> float:
        labels = {"method": "GET", "route": route, "status": status}
        return REGISTRY.get_sample_value("redress_http_requests_total", labels) or 0.0

    before = counted("/v1/things/{thing_id}", "200"), counted("unknown", "404")
    await client.get("/v1/things/li.wei")
    await client.get("/v1/nothing/li.wei")
    await client.request("HACK", "/v1/things/1")
    assert counted("/v1/things/{thing_id}", "200") == before[0] + 1
    assert counted("unknown", "404") == before[1] + 1
    shown = (await client.get("/metrics")).text
    assert 'method="other"' in shown
    assert "li.wei" not in shown
    assert "redress_append_seconds" in shown


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.TextIOWrapper]:
    """What a process with configured logs writes."""
    out = io.TextIOWrapper(io.BytesIO(), write_through=True)
    monkeypatch.setattr("sys.stdout", out)
    root, level = list(logging.root.handlers), logging.root.level
    logs.configure("info", "things")
    structlog.configure(cache_logger_on_first_use=False)  # whoever logs meanwhile would keep this stream
    yield out
    logging.root.handlers[:], logging.root.level = root, level


def lines(out: io.TextIOWrapper) -> list[dict[str, Any]]:
    buffer = out.buffer
    assert isinstance(buffer, io.BytesIO)
    return [json.loads(line) for line in buffer.getvalue().splitlines()]


def test_our_lines_and_those_of_libraries_look_alike(written: io.TextIOWrapper) -> None:
    with telemetry.continuing(f"00-{TRACE_ID}-b7ad6b7169203331-01"):
        structlog.get_logger("ours").info("said", count=1)
        logging.getLogger("theirs").warning("said %s", "too")
    ours, theirs = lines(written)
    assert (ours["event"], ours["count"], theirs["event"]) == ("said", 1, "said too")
    for line in (ours, theirs):
        assert line["service"] == "things"
        assert line["trace_id"] == TRACE_ID
        assert line["timestamp"].endswith("Z")
    assert (ours["level"], theirs["level"]) == ("info", "warning")


def test_an_error_is_told_by_its_place_and_not_by_its_text(written: io.TextIOWrapper) -> None:
    def failing(name: str) -> None:
        raise ValueError(f"cannot read {name}")

    for tell in (structlog.get_logger("ours").exception, logging.getLogger("theirs").exception):
        try:
            failing("Li Wei")
        except ValueError:
            tell("failed")
    found = lines(written)
    assert [line["error"] for line in found] == ["ValueError", "ValueError"]
    assert all(line["at"][-1].endswith(" failing") for line in found)
    assert "Li Wei" not in str(found)


async def test_work_beside_requests_is_begun_again(
    written: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "PAUSE_SECONDS_MIN", 0.001)
    faults = iter([ValueError("Li Wei"), ValueError("Li Wei"), errors.Unavailable(), KeyError("Li Wei")])
    told: list[Exception] = []
    through = asyncio.Event()

    async def work() -> None:
        if fault := next(faults, None):
            raise fault
        through.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(background.keep("testing", work, told.append))
    await asyncio.wait_for(through.wait(), 10)
    running.cancel()
    assert [type(fault) for fault in told] == [ValueError, ValueError, errors.Unavailable, KeyError]
    said = [(line["level"], line["event"], line.get("error")) for line in lines(written)]
    assert said == [
        ("error", "work failed", "ValueError"),
        ("warning", "work waits", None),
        ("error", "work failed", "KeyError"),
    ]
    assert "Li Wei" not in str(lines(written))
