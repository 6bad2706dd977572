"""Documents to print: one page of HTML that needs nothing else, in the reader's language (REC-7)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

import jinja2
from fastapi import Depends, Header, Query
from starlette.responses import StreamingResponse

from libs.events.contracts.values import Language
from libs.policy.terms import Speaker

MEDIA_TYPE: Final = "text/html"
PIECE_CHARACTERS: Final = 16_384
HEADER_CHARACTERS_MAX: Final = 1000
# For the routes of documents.
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A page to read or to print",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}
# It holds what people said: no cache keeps it, and nothing in it runs or is fetched.
_HEADERS: Final = {
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "vary": "Accept-Language",
    "x-content-type-options": "nosniff",
}
_RANGE: Final = re.compile(r"\s*(zh|en|\*)(?:-[\w-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?", re.ASCII | re.I)


def template(beside: str, name: str) -> jinja2.Template:
    """A template that stands beside a module (its `__file__`), read now; whatever it shows is escaped."""
    folders = [Path(beside).parent, Path(__file__).parent]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        enable_async=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


async def page(document: jinja2.Template, say: Speaker, **shown: Any) -> StreamingResponse:
    """The document, sent while it is written, so that its length costs no memory.

    What fails before the first piece is a failure like any other; after that the answer breaks off.
    """
    written = _pieces(document.generate_async(say=say, **shown))
    first = await anext(written)
    return StreamingResponse(
        _with(first, written), media_type=MEDIA_TYPE, headers={**_HEADERS, "content-language": say.language}
    )


def preferred(accept_language: str | None) -> Language:
    """The language a browser asks for (RFC 9110, 12.5.4); Chinese where it asks for neither."""
    wanted: list[tuple[float, Language]] = []
    for given in (accept_language or "").split(","):
        if found := _RANGE.fullmatch(given):
            language = Language.ENGLISH if found[1].lower() == "en" else Language.CHINESE
            wanted.append((float(found[2] or 1), language))
    quality, language = max(wanted, key=lambda each: each[0], default=(0.0, Language.CHINESE))
    return language if quality else Language.CHINESE


async def _language(
    language: Annotated[
        Language | None, Query(description="Of the document; left out: as Accept-Language says.")
    ] = None,
    accept_language: Annotated[str | None, Header(max_length=HEADER_CHARACTERS_MAX)] = None,
) -> Language:
    return language or preferred(accept_language)


async def _pieces(written: AsyncIterator[str]) -> AsyncIterator[str]:
    """Few pieces in place of many."""
    held: list[str] = []
    size = 0
    async for text in written:
        held.append(text)
        size += len(text)
        if size >= PIECE_CHARACTERS:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


async def _with(first: str, others: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for piece in others:
        yield piece


# For the signatures of endpoints: `language: printed.Asked`.
Asked = Annotated[Language, Depends(_language)]
