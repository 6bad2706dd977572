"""Calls a service in this process by ASGI 3.0, with nothing of a network in between."""

from __future__ import annotations

import json as codec
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

from deploy.people.wire import Response

HOST: Final = (b"host", b"simulated")
JSON: Final = (b"content-type", b"application/json")


class Direct:
    """A client of one application, as far as simulated people need one; see `deploy.people.wire.Client`."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def request(
        self, method: str, url: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """The answer to a request whose body, where there is one, is JSON."""
        content = b"" if json is None else codec.dumps(json, ensure_ascii=False).encode()
        sent = [HOST, *((name.lower().encode(), value.encode()) for name, value in (headers or {}).items())]
        if json is not None:
            sent += [JSON, (b"content-length", str(len(content)).encode())]
        parts = urlsplit(url)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": sent,
            "server": ("simulated", 80),
            "client": ("127.0.0.1", 1),
        }
        answered: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            answered.append(message)

        await self._application(scope, receive, send)
        start, *rest = answered
        body = b"".join(message.get("body", b"") for message in rest)
        return Response(start["status"], body)
