"""How simulated people call, against a server that does what servers do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from deploy.people.wire import Wire

SECONDS_MAX = 5.0


class Server:
    """Answers each request with `answer`; counts connections and keeps what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.connections = 0
        self.heard: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.heard.append(head + await reader.readexactly(int(length or 0)))
                writer.write(self.answer)
                if not self.answer:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def serving(answer: bytes) -> AsyncIterator[tuple[Server, Wire]]:
    served = Server(answer)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Wire(f"http://127.0.0.1:{port}", SECONDS_MAX) as client:
        yield served, client


DONE = b'HTTP/1.1 201 Created\r\nETag: "1"\r\nContent-Length: 11\r\n\r\n{"a": "\xc3\xa9"}'


async def test_a_call_and_its_answer() -> None:
    async with serving(DONE) as (served, client):
        answer = await client.request("POST", "/v1/x", json={"b": 1}, headers={"authorization": "Bearer t"})
        assert (answer.status_code, answer.is_success, answer.json()) == (201, True, {"a": "é"})
    [heard] = served.heard
    assert heard.startswith(b"POST /v1/x HTTP/1.1\r\n")
    assert b"authorization: bearer t\r\n" in heard.lower()
    assert heard.endswith(b'\r\n\r\n{"b": 1}')


async def test_connections_are_kept_and_one_is_made_for_each_call_at_once() -> None:
    async with serving(DONE) as (served, client):
        for _ in range(3):
            await client.request("GET", "/v1/x")
        assert served.connections == 1
        await asyncio.gather(*(client.request("GET", "/v1/x") for _ in range(3)))
        assert served.connections == 3


async def test_a_server_that_hangs_up_is_an_error() -> None:
    async with serving(b"") as (_, client):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.request("GET", "/v1/x")
