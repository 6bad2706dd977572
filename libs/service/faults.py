"""What is wrong with a request, fault by fault: each with its place, none with the value that stood there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi.exceptions import RequestValidationError

from libs.service import body, failures

FAULTS_MAX: Final = 50
# These pydantic messages quote the input, which may be somebody's personal data.
UNQUOTED: Final = {
    "union_tag_invalid": "Input tag is none of the expected ones",
    "uuid_parsing": "Input should be a valid UUID",
}


def of(error: RequestValidationError) -> list[dict[str, str]]:
    """The first faults, as `failures.fault` makes them."""
    return [_one(each, error.body) for each in error.errors()[:FAULTS_MAX]]


def _one(error: Any, request_body: Any) -> dict[str, str]:
    place, *path = error["loc"]
    flaw = error.get("input")
    code = flaw.code if isinstance(flaw, body.Flaw) else error["type"]
    detail = flaw.reason if isinstance(flaw, body.Flaw) else UNQUOTED.get(code, error["msg"])
    missing = error["type"] == "missing"
    pointer = _pointer(path, request_body, missing) if place == "body" else _join(path)
    return failures.fault(pointer, code, detail.removeprefix("Value error, "), place)


def _pointer(path: Sequence[Any], request_body: Any, missing: bool) -> str:
    """Where in the body; pydantic's path also names the members of unions it tried, which are no places."""
    parts: list[Any] = []
    at = request_body
    for index, part in enumerate(path):
        if (isinstance(at, dict) and part in at) or (isinstance(at, list) and isinstance(part, int)):
            at = at[part]
            parts.append(part)
        elif missing and index == len(path) - 1:
            parts.append(part)
    return _join(parts)


def _join(parts: Sequence[Any]) -> str:
    texts = (str(part)[: body.NAME_CHARACTERS_MAX].encode("utf-8", "replace").decode() for part in parts)
    return "".join("/" + text.replace("~", "~0").replace("/", "~1") for text in texts)
