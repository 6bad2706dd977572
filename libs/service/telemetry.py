"""What a service tells of its work: W3C trace context, Prometheus metrics, one log line a request.

Spans are FastAPI's own: FASTAPI_OTEL_AUTO_CONFIGURE and an OTLP endpoint send them to a collector.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import structlog
from opentelemetry import trace as spans
from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# traceparent of W3C Trace Context, level 1: version, trace id, parent id, flags; later versions may append.
TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET: Final = frozenset({"/livez", "/readyz", "/metrics"})  # asked every few seconds by machines
# Answers hold personal data: no cache keeps them, and no browser guesses at what they are.
UNLESS_SAID: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_QUERY: Final = "redress.query"
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

requests = Counter("redress_http_requests", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram(
    "redress_http_request_seconds",
    "From request to last byte of the answer.",
    ["method", "route"],
    buckets=SECONDS,
)
append_seconds = Histogram(
    "redress_append_seconds", "From submitting an append to its durable commit.", buckets=SECONDS
)
view_lag = Gauge("redress_view_lag_events", "Events a view has not seen yet.", ["log", "view"])
faults = Counter(
    "redress_background_faults", "Work beside requests that failed and was begun again.", ["work"]
)


@dataclass(frozen=True, slots=True)
class Trace:
    """Our place in a trace: ids in lower-case hex, flags as sent."""

    trace_id: str
    span_id: str
    flags: str

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin(parent: str | None) -> Trace:
    """A new span below `parent` (a traceparent); the root of a new trace when that is absent or invalid."""
    ours = spans.get_current_span().get_span_context()
    if ours.is_valid:
        return Trace(f"{ours.trace_id:032x}", f"{ours.span_id:016x}", f"{ours.trace_flags:02x}")
    found = TRACEPARENT.fullmatch(parent) if parent else None
    if found and found[1] != "ff" and (found[1] != "00" or not found[5]):
        if found[2].strip("0") and found[3].strip("0"):
            return Trace(found[2], os.urandom(8).hex(), found[4])
    return Trace(os.urandom(16).hex(), os.urandom(8).hex(), "01")


@contextlib.contextmanager
def continuing(parent: str | None) -> Iterator[Trace]:
    """Carry on the trace of a request, event or message; logs and appends in the block name it."""
    begun = begin(parent)
    token = _current.set(begun)
    try:
        yield begun
    finally:
        _current.reset(token)


def hide_query(scope: Scope) -> None:
    """Put the query aside while the framework begins its span; `Traced` puts it back."""
    scope[_QUERY], scope["query_string"] = scope["query_string"], b""


def traceparent() -> str:
    """The current traceparent, for `Context.traceparent` and for calls to others; empty outside any trace."""
    return str(_current.get() or "")


def trace_id() -> str:
    """The current trace id; empty outside any trace."""
    current = _current.get()
    return current.trace_id if current else ""


class Traced:
    """The outermost layer: every request has a trace, which its answer names, and is counted and logged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.log = structlog.get_logger("request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["query_string"] = scope.pop(_QUERY)
        started = time.perf_counter()
        status = 0  # no answer was begun: the client went away

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*self._headers(scope, trace), *_completed(message.get("headers", ()))]
            await send(message)

        with continuing(_header(scope, b"traceparent")) as trace:
            try:
                await self.app(scope, receive, sending)
            finally:
                self._account(scope, status, time.perf_counter() - started)

    def _headers(self, scope: Scope, trace: Trace) -> Iterator[tuple[bytes, bytes]]:
        yield b"traceparent", str(trace).encode()
        if scope["app"].state.draining:
            yield b"connection", b"close"  # so that no request is sent on a connection about to be closed

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path_format", "unknown")
        requests.labels(method, route, status).inc()
        request_seconds.labels(method, route).observe(seconds)
        level = logging.DEBUG if route in QUIET else logging.INFO
        self.log.log(level, "request", method=method, route=route, status=status, ms=round(seconds * 1000, 2))


def _completed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With what every answer says unless it says otherwise itself."""
    said = list(headers)
    names = {name for name, _ in said}
    return [*said, *(header for header in UNLESS_SAID if header[0] not in names)]


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)
