"""Failures as RFC 9457 problem details: the one place where a kind of failure gets its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import pydantic_core
import sqlalchemy.exc
import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.events import errors
from libs.service import failures, faults, telemetry

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 1

log = structlog.get_logger(__name__)


STATUS: Final[Mapping[type[errors.Failure], HTTPStatus]] = {
    failures.NotHttp: HTTPStatus.BAD_REQUEST,
    failures.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    failures.InsufficientScope: HTTPStatus.FORBIDDEN,
    errors.UnknownLog: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Refused: HTTPStatus.CONFLICT,
    failures.RequestInProgress: HTTPStatus.CONFLICT,
    errors.StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    failures.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.Malformed: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.IdempotencyMismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.VersionConflict: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Failure: HTTPStatus.INTERNAL_SERVER_ERROR,
}
# What the framework raises by itself: code and title.
FRAMEWORK: Final = {
    400: ("malformed", "The request is not well formed."),
    404: ("not_found", "There is no such path."),
    405: ("method_not_allowed", "This path does not take this method."),
    413: ("content_too_large", "The body is larger than this call takes."),
}


class Fault(BaseModel):
    """One thing wrong with a request: where, in which part of it, and what."""

    place: str = Field(alias="in", examples=["body"])
    pointer: str = Field(description="JSON Pointer (RFC 6901)", examples=["/complainant/name"])
    code: str
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457). `code` is stable; a failure may add further members."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[Fault] = []
    trace_id: str


def status_of(failure: errors.Failure) -> HTTPStatus:
    """The HTTP status of a failure, by its nearest class in the table."""
    return next(STATUS[kind] for kind in type(failure).__mro__ if kind in STATUS)


def response(failure: errors.Failure) -> Response:
    """The answer that tells of `failure`."""
    status = status_of(failure)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE:
        log.error("failed", kind=type(failure).__name__, detail=str(failure))
        failure = failures.Internal()
    # Particulars of our own side (streams, versions) are no business of the caller.
    facts = failure.facts if status < HTTPStatus.INTERNAL_SERVER_ERROR else {}
    title = (type(failure).__doc__ or "").strip().splitlines()[0]
    return _render(status, failure.code, title, str(failure), facts, _headers(failure, status))


def not_ready(reason: str, checks: Mapping[str, Any]) -> Response:
    """The answer of /readyz while this process should get no requests."""
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)}
    facts = {"checks": checks, "reason": reason}
    return _render(503, "not_ready", "This process should get no requests now.", reason, facts, headers)


def _headers(failure: errors.Failure, status: HTTPStatus) -> dict[str, str]:
    if isinstance(failure, failures.Unauthenticated):
        reason = ', error="invalid_token"' if failure.facts.get("token_given") else ""
        return {"www-authenticate": f'Bearer realm="redress"{reason}'}
    if isinstance(failure, failures.InsufficientScope):
        scope = failure.facts["scope"]
        return {"www-authenticate": f'Bearer realm="redress", error="insufficient_scope", scope="{scope}"'}
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and "current_version" in failure.facts:
        return {"etag": f'"{failure.facts["current_version"]}"'}  # what to look at before trying again
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"retry-after": str(getattr(failure, "retry_after_seconds", RETRY_AFTER_SECONDS))}
    return {}


def _render(
    status: int,
    code: str,
    title: str,
    detail: str,
    facts: Mapping[str, Any],
    headers: Mapping[str, str] | None,
) -> Response:
    content = {
        **facts,
        "type": f"urn:redress:problem:{code}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
        "errors": facts.get("errors", []),
        "trace_id": telemetry.trace_id(),
    }
    return Response(pydantic_core.to_json(content), int(status), headers, MEDIA_TYPE)


async def on_failure(_: Request, failure: Exception) -> Response:
    """For `errors.Failure` of any kind."""
    assert isinstance(failure, errors.Failure)
    return response(failure)


async def on_framework(request: Request, error: Exception) -> Response:
    """For what the framework refuses by itself: unknown paths and methods, bodies too large."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    code, title = FRAMEWORK.get(error.status_code, (phrase.lower().replace(" ", "_"), phrase))
    detail, headers, facts = title, error.headers, {}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = _allowed_methods(request)
        detail, headers = f"This path takes {methods}.", {"allow": methods}
    elif limit := _bytes_max(request, error.status_code):
        detail, facts = f"This call takes at most {limit:,} bytes.", {"bytes_max": limit}
    return _render(error.status_code, code, title, detail, facts, headers)


def _bytes_max(request: Request, status: int) -> int | None:
    if status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return None
    limit: int | None = request.scope.get(MAX_BODY_SIZE_SCOPE_KEY)
    return limit


def _allowed_methods(request: Request) -> str:
    """Of every route with this path: the framework names those of the first alone (RFC 9110, 15.5.6)."""
    routes = (r for r in request.app.state.routes if r.path_regex.match(request.scope["path"]))
    methods = {method for route in routes for method in route.methods} or {"GET"}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def on_invalid(_: Request, error: Exception) -> Response:
    """For a request that does not fit its model: every fault with its place, never the value found there."""
    assert isinstance(error, RequestValidationError)
    found = faults.of(error)
    detail = "; ".join(f"{each['pointer']}: {each['detail']}" for each in found[:3])
    return response(errors.Malformed(detail, errors=found))


async def on_silence(_: Request, error: Exception) -> Response:
    """For a dependency that did not answer in time."""
    return response(errors.Unavailable())


async def on_gone(_: Request, error: Exception) -> Response:
    """For a caller who went away in the middle of a request: nobody hears the answer."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def on_bug(_: Request, error: Exception) -> Response:
    """For everything nobody expected: logged with its place in the code, told without it."""
    log.error("bug", exc_info=error)
    return response(failures.Internal())


HANDLERS: Final[Mapping[Any, Any]] = {
    errors.Failure: on_failure,
    HTTPException: on_framework,
    RequestValidationError: on_invalid,
    sqlalchemy.exc.TimeoutError: on_silence,
    ClientDisconnect: on_gone,
    TimeoutError: on_silence,
    ConnectionError: on_silence,
    Exception: on_bug,
}


class TooLargeAsProblem:
    """Starlette refuses a Content-Length that is too large in plain text; this makes a problem of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                replaced = message["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and not _is_problem(
                    message
                )
                if replaced:
                    answer = await on_framework(Request(scope), HTTPException(message["status"]))
                    await answer(scope, receive, send)
            if not replaced:
                await send(message)

        await self.app(scope, receive, sending)


def _is_problem(start: Message) -> bool:
    return (b"content-type", MEDIA_TYPE.encode()) in start["headers"]
