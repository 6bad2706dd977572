"""Request bodies: JSON read strictly, models that take nothing they do not know, media types."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, params
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from libs.events import errors
from libs.service import failures

INTEGER_DIGITS_MAX: Final = 30
NAME_CHARACTERS_MAX: Final = 100
JSON: Final = ("application/json",)
UTF8: Final = ("utf-8", "utf8", "us-ascii")


class Flaw:
    """Stands in parsed JSON where something is wrong: no field takes it, so it is reported with its place."""

    __slots__ = ("code", "reason")

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason


NOT_A_NUMBER: Final = Flaw("not_a_number", "JSON has no such number")
TOO_LONG: Final = Flaw("number_too_long", f"An integer has at most {INTEGER_DIGITS_MAX} digits")
TWICE: Final = Flaw("field_twice", "This field is given twice")
NUL: Final = Flaw("nul_character", "Text holds no NUL character")
NO_UTF8: Final = Flaw("encoding_invalid", "Text is percent-encoded UTF-8")
SURROGATE: Final = Flaw("lone_surrogate", "Text holds half of a surrogate pair, which is no character")


class RequestModel(BaseModel):
    """What a caller may send: unknown fields are refused, numbers are finite, errors quote no input."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


# Text that says something: not empty, not only blanks. Kept as it came, character for character.
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]


def parse(content: bytes) -> Any:
    """JSON (RFC 8259) as Python values, a `Flaw` where one cannot be taken; Malformed when it is no JSON."""
    try:
        value = json.loads(
            content.decode(),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_constant=lambda _: NOT_A_NUMBER,
        )
        # Only an escape can bring these in, so that most bodies need no second look.
        if b"\\u0000" in content or b"\\ud" in content or b"\\uD" in content:
            return _without_bad_text(value)
    except UnicodeDecodeError as error:
        raise _no_json("encoding_invalid", f"The body is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _no_json("json_invalid", f"The body is not JSON at character {error.pos}") from None
    except RecursionError:
        raise _no_json("json_too_deep", "The body is nested too deeply") from None
    return value


class StrictRequest(Request):
    """A request whose JSON was read by `parse`, before the framework would hide why it could not be read."""

    parsed: Any = None

    async def parse(self) -> None:
        """Read the whole body."""
        if content := await self.body():
            self.parsed = parse(content)

    async def json(self) -> Any:
        """The body's JSON."""
        return self.parsed


class Route(APIRoute):
    """A route that reads JSON strictly and refuses bodies of other media types (415)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the framework's, with a stricter request."""
        handle = super().get_route_handler()
        takes = _media_types(self.body_field.field_info) if self.body_field else ()

        async def strictly(request: Request) -> Response:
            _refuse_bad_text(request)
            if takes:
                require_media_type(request, *takes)
            strict = StrictRequest(request.scope, request.receive)
            if takes == JSON:
                await strict.parse()
            return await handle(strict)

        return strictly


class Router(APIRouter):
    """What a service's `api.py` makes its routes with."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(route_class=Route, redirect_slashes=False, **settings)


def require_media_type(request: Request, *takes: str) -> None:
    """UnsupportedMediaType unless the body, if any, is of one of the types `takes`, and not encoded."""
    headers = request.headers
    if headers.get("content-encoding", "identity") != "identity":
        raise failures.UnsupportedMediaType("This call takes no encoded (compressed) bodies.")
    given = headers.get("content-type")
    if given is None and headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    message = Message()
    message["content-type"] = given or ""
    if given is None or message.get_content_type() not in takes:
        raise failures.UnsupportedMediaType(f"This call takes {' or '.join(takes)}.", accepts=list(takes))
    if message.get_content_subtype().endswith("json") and message.get_content_charset("utf-8") not in UTF8:
        raise failures.UnsupportedMediaType("JSON is UTF-8 (RFC 8259, 8.1).", accepts=list(takes))


def _refuse_bad_text(request: Request) -> None:
    """PostgreSQL cannot hold NUL, so no filter and no id has it; what is no UTF-8 would be changed."""
    query = request.scope["query_string"]
    if b"%" in query:
        for name, value in parse_qsl(query.decode("latin-1"), True, errors="surrogateescape"):
            flaw = NUL if "\x00" in name + value else None if _is_text(name + value) else NO_UTF8
            if flaw:
                told = name[:NAME_CHARACTERS_MAX].encode("utf-8", "replace").decode()
                raise failures.malformed(f"/{told}", flaw.code, flaw.reason, "query")
    if "\x00" in request.scope["path"]:
        raise failures.malformed("", NUL.code, NUL.reason, "path")


def _media_types(field: Any) -> tuple[str, ...]:
    if isinstance(field, params.File):
        return ("multipart/form-data",)
    if isinstance(field, params.Form):
        return ("application/x-www-form-urlencoded", "multipart/form-data")
    return JSON


def _no_json(code: str, reason: str) -> errors.Malformed:
    return failures.malformed("", code, reason)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                found[name] = TWICE
            seen.add(name)
    return found


def _integer(digits: str) -> int | Flaw:
    return int(digits) if len(digits) <= INTEGER_DIGITS_MAX else TOO_LONG


def _without_bad_text(value: Any) -> Any:
    if isinstance(value, str):
        if "\x00" in value:
            return NUL
        return value if value.isascii() or _is_text(value) else SURROGATE
    if isinstance(value, dict):
        # A name with half a character is no field of ours; it only has to be told.
        return {name.encode("utf-8", "replace").decode(): _without_bad_text(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_without_bad_text(item) for item in value]
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
