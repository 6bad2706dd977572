"""How simulated people reach a service: by aiohttp, or whatever else makes a request and brings an answer."""

from __future__ import annotations

import json as codec
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp


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
    """Whatever makes HTTP requests of one service."""

    async def request(self, method: str, url: str, *, json: Any, headers: Mapping[str, str]) -> Answered: ...


class Wire:
    """Connections to one service, kept; each call within `seconds_max`. aiohttp, for the number of calls:
    it takes a twentieth of what httpx takes for one.
    """

    def __init__(self, url: str, seconds_max: float) -> None:
        self._session = aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=seconds_max))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def request(
        self, method: str, url: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send one request; aiohttp.ClientError where the server is away, TimeoutError where it is silent."""
        async with self._session.request(method, url, json=json, headers=headers) as answer:
            return Response(answer.status, await answer.read())
