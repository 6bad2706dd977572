"""Lists a page at a time: a limit, and a cursor that only the list it came from will take."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request

from libs.service import auth, failures

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 100
CURSOR_CHARACTERS_MAX: Final = 1000
_SEAL_BYTES: Final = 16
# What moves through a list rather than choosing what is in it.
_MOVING: Final = frozenset({"limit", "cursor"})

T = TypeVar("T")
R = TypeVar("R")


class Page(BaseModel, Generic[T]):
    """Part of a list. `next_cursor` leads to the part after it; null at the end."""

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that was asked for: `limit` items after the position `after` (None: the start)."""

    limit: int
    after: Sequence[Any] | None
    _seal_key: bytes
    _list: bytes

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than the limit shows whether there is a next page."""
        return self.limit + 1

    @property
    def after_time_and_id(self) -> tuple[datetime, UUID] | None:
        """`after` in a list that is sorted by a time and an id: see `position_by`."""
        return (datetime.fromisoformat(self.after[0]), UUID(self.after[1])) if self.after else None

    def cut(
        self, rows: Sequence[R], position: Callable[[R], Sequence[Any]]
    ) -> tuple[Sequence[R], str | None]:
        """This page's rows and the cursor behind them; `position` gives a row's sort keys (JSON scalars)."""
        shown = rows[: self.limit]
        return shown, self._cursor(position(shown[-1])) if len(rows) > self.limit else None

    def _cursor(self, position: Sequence[Any]) -> str:
        content = json.dumps(list(position), separators=(",", ":")).encode()
        return (
            base64.urlsafe_b64encode(_seal(self._seal_key, self._list, content) + content)
            .decode()
            .rstrip("=")
        )


def position_by(time: str, key: str) -> Callable[[Mapping[Any, Any]], list[str]]:
    """The position of a row in a list that is sorted by the time and the id in these columns."""
    return lambda row: [row[time].isoformat(), str(row[key])]


async def _window(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Items on a page.")] = LIMIT_DEFAULT,
    cursor: Annotated[
        str | None, Query(max_length=CURSOR_CHARACTERS_MAX, description="`next_cursor` of the page before.")
    ] = None,
) -> Window:
    key: bytes = request.app.state.resources.cursor_key
    chosen = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in _MOVING)
    caller = auth.caller_of(request)
    listed = json.dumps([caller.org, request.scope["path"], chosen]).encode()
    return Window(limit, _position(key, listed, cursor) if cursor is not None else None, key, listed)


def _position(key: bytes, listed: bytes, cursor: str) -> list[Any]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    seal, content = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(key, listed, content)):
        raise failures.malformed("/cursor", "cursor_invalid", "This is no cursor of this list", "query")
    position: list[Any] = json.loads(content)
    return position


def _seal(key: bytes, listed: bytes, content: bytes) -> bytes:
    return hmac.digest(key, hashlib.sha256(listed).digest() + content, hashlib.sha256)[:_SEAL_BYTES]


# For the signatures of endpoints: `window: paging.Asked`.
Asked = Annotated[Window, Depends(_window)]
