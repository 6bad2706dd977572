"""An HTTP client that costs the machine little: keep-alive connections, one request at a time on each."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import cast

import uuid_utils.compat as uuids
import uvloop

from bench.workers import Counted, Ready

CREATED = b"HTTP/1.1 201"
LENGTH = b"content-length:"
NAME = b"00000000-name-name-name-000000000000"  # as long as what takes its place
WARM_SECONDS = 0.5
ANSWER_SECONDS_MAX = 10.0


class Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is whole. Only what was created counts."""

    def __init__(self, requests: Iterator[bytes], deadline: float, finished: asyncio.Future[None]) -> None:
        self.times: list[float] = []
        self.refused: list[bytes] = []
        self._requests, self._deadline, self._finished = requests, deadline, finished
        self._received, self._sent_at = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not of this class
        self._send()

    def data_received(self, received: bytes) -> None:
        self._received += received
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or len(body) < content_length(head):
            return
        if head.startswith(CREATED):
            self.times.append(time.perf_counter() - self._sent_at)
        else:
            self.refused.append(head.partition(b"\r\n")[0])
        self._received = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._finish(error or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        if self._sent_at < self._deadline:
            self._transport.write(next(self._requests))
        else:
            self._finish(None)

    def _finish(self, error: Exception | None) -> None:
        if self._finished.done():
            return
        self._finished.set_exception(error) if error else self._finished.set_result(None)
        self._transport.close()


def content_length(head: bytes) -> int:
    """What the answer's head says of its body; 0 when nothing."""
    _, found, rest = head.lower().partition(LENGTH)
    return int(rest.partition(b"\r\n")[0]) if found else 0


def request(target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST of JSON as it goes over the wire."""
    lines = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in (lines | dict(headers)).items())
    return f"POST {target} HTTP/1.1\r\n{head}\r\n".encode() + body


def post(ready: Ready, port: int, connections: int, seconds: float, template: bytes) -> Counted:
    """Send `template` again and again over so many connections, with another UUID for NAME each time."""
    return uvloop.run(_post(ready, port, connections, seconds, template))


async def _post(ready: Ready, port: int, connections: int, seconds: float, template: bytes) -> Counted:
    loop = asyncio.get_running_loop()

    async def connect(deadline: float) -> Connection:
        finished = loop.create_future()
        _, connection = await loop.create_connection(
            lambda: Connection(renamed(template), deadline, finished), "127.0.0.1", port
        )
        await finished
        return connection

    async def all_together(length: float) -> list[Connection]:
        deadline = time.perf_counter() + length
        async with asyncio.timeout(length + ANSWER_SECONDS_MAX):
            return await asyncio.gather(*(connect(deadline) for _ in range(connections)))

    await all_together(WARM_SECONDS)
    ready()
    began = time.perf_counter()
    done = await all_together(seconds)
    elapsed = time.perf_counter() - began
    each = [one for connection in done for one in connection.times]
    refused = Counter(status.decode() for connection in done for status in connection.refused)
    return Counted(
        len(each), elapsed, each, ", ".join(f"{n} times {status}" for status, n in refused.items())
    )


def renamed(template: bytes) -> Iterator[bytes]:
    """The template with a new name in it, again and again."""
    while True:
        yield template.replace(NAME, str(uuids.uuid7()).encode())
