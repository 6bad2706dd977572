"""A small HTTP client for simulated people: JSON over kept connections, for a tenth of the usual cost.

It speaks what the services of this system speak (HTTP/1.1 with Content-Length) and nothing more; whoever
drives a system for real takes any client there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json as codec
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

IDLE_SECONDS_MAX: Final = 2.0  # well below what a server keeps a silent connection for
HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"


class WrongAnswer(ConnectionError):
    """The server's answer has no length, so it cannot be read here."""


class Answered(Protocol):
    """What an answer tells, whichever client brought it."""

    @property
    def status_code(self) -> int: ...
    @property
    def is_success(self) -> bool: ...
    @property
    def text(self) -> str: ...
    def json(self) -> Any: ...


class Client(Protocol):
    """Whatever makes HTTP requests of one service: this one, or httpx where a test wants no sockets."""

    async def request(self, method: str, url: str, *, json: Any, headers: Mapping[str, str]) -> Answered: ...


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status_code: int
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether it was done."""
        return HTTPStatus.OK <= self.status_code < HTTPStatus.MULTIPLE_CHOICES

    @property
    def text(self) -> str:
        """As people read it."""
        return self.body.decode()

    def json(self) -> Any:
        """What it says."""
        return codec.loads(self.body)


@dataclass(slots=True)
class _Line:
    """A connection, and when it was last used."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at: float = 0.0


class Wire:
    """Connections to one service. As many as calls are made at once; each call within `seconds_max`."""

    def __init__(self, url: str, seconds_max: float) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._seconds_max = seconds_max
        self._idle: list[_Line] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._idle:
            await _close(self._idle.pop())

    async def request(
        self, method: str, url: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send one request; raises OSError where the server is away, TimeoutError where it is silent."""
        body = b"" if json is None else codec.dumps(json).encode()
        lines = [f"{method} {url} HTTP/1.1", f"host: {self._host}:{self._port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if json is not None:
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        async with asyncio.timeout(self._seconds_max):
            line = await self._connected()
            try:
                line.writer.write("\r\n".join(lines).encode() + HEAD_END + body)
                answer = await _read(line.reader)
            except BaseException:  # half a conversation is no use to anybody
                line.writer.close()
                raise
        line.used_at = time.monotonic()
        self._idle.append(line)
        return answer

    async def _connected(self) -> _Line:
        """The connection used last, or a new one where none is fresh."""
        while self._idle:
            line = self._idle.pop()
            if time.monotonic() - line.used_at < IDLE_SECONDS_MAX and not line.reader.at_eof():
                return line
            await _close(line)
        return _Line(*await asyncio.open_connection(self._host, self._port))


async def _read(reader: asyncio.StreamReader) -> Response:
    try:
        head = await reader.readuntil(HEAD_END)
        for line in head.lower().split(b"\r\n"):
            if line.startswith(LENGTH):
                body = await reader.readexactly(int(line[len(LENGTH) :]))
                return Response(int(head.split(b" ", 2)[1]), body)
    except asyncio.IncompleteReadError as cut:
        raise ConnectionResetError("the server hung up") from cut
    raise WrongAnswer(head.decode("latin-1"))


async def _close(line: _Line) -> None:
    line.writer.close()
    with contextlib.suppress(OSError):  # it is gone in any case
        await line.writer.wait_closed()
