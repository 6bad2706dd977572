"""The kinds of failure that only a request over HTTP can meet; the others are in libs/events/errors.py."""

from __future__ import annotations

from libs.events import errors


class Unauthenticated(errors.Failure):
    """A valid bearer token is required."""

    code = "unauthenticated"


class InsufficientScope(errors.Failure):
    """The token does not carry the scope that this call needs."""

    code = "insufficient_scope"


class RequestInProgress(errors.Failure):
    """A request with the same idempotency key is still running."""

    code = "request_in_progress"


class NotHttp(errors.Failure):
    """This is no HTTP request; in an address, what is not ASCII must be percent-encoded (RFC 3986, 2.1)."""

    code = "not_http"


class UnsupportedMediaType(errors.Failure):
    """The body is of a type that this call does not take."""

    code = "unsupported_media_type"


class Internal(errors.Failure):
    """Something went wrong here; the trace id leads to it in the logs."""

    code = "internal"


def fault(pointer: str, code: str, detail: str, place: str = "body") -> dict[str, str]:
    """One thing wrong with a request. `pointer`: RFC 6901; `place`: body, query, path or header."""
    return {"in": place, "pointer": pointer, "code": code, "detail": detail}


def malformed(pointer: str, code: str, detail: str, place: str = "body") -> errors.Malformed:
    """The failure for one fault that no model could find."""
    return errors.Malformed(detail, errors=[fault(pointer, code, detail, place)])
