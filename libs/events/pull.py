"""A pull subscription to a durable consumer that never waits on a dead one: silence soon ends it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import nats.errors
from nats.aio.msg import Msg

from libs.events import errors
from libs.events.connection import Connection

PULL_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 0.5
SILENCE_SECONDS: Final = (
    1.5  # neither message nor heartbeat: the subscription is dead, whatever the client says
)

HEARTBEAT: Final = "100"
ENDS: Final = ("404", "408")  # nothing more for this pull
FULFILLED: Final = ("Batch Completed", "Message Size Exceeds MaxBytes")


@dataclass(frozen=True, slots=True)
class Space:
    """What may come: `count` messages of `size` bytes together."""

    count: int
    size: int


class Missed(errors.Failure):
    """A delivery did not arrive here: it was dropped on the way, or somebody else pulls from the consumer."""

    code = "missed"


class NoLongerServed(errors.Failure):
    """The server gave up this subscription: the consumer or its stream is gone."""

    code = "no_longer_served"


async def messages(
    connection: Connection, stream: str, durable: str, space: Callable[[], Awaitable[Space]]
) -> AsyncGenerator[Msg]:
    """Every message that a freshly reset consumer delivers, in order; `space()` waits for room.

    Raises Missed, NoLongerServed, TimeoutError for silence, Unavailable without a connection. Then the
    consumer has to be reset and a new subscription made, or what was delivered into the void would be
    missing.
    """
    client = connection.client
    inbox, next_ones = client.new_inbox(), f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    pulls = wanted = delivered = 0  # how many were begun; by the one that is open; by all of them

    async def on_message(message: Msg) -> None:
        arrived.put_nowait(message)

    subscription = await client.subscribe(f"{inbox}.*", cb=on_message)
    try:
        while True:
            while not wanted:
                room, pulls = await space(), pulls + 1
                await client.publish(next_ones, _request(room), reply=f"{inbox}.{pulls}")
                wanted = room.count
            async with asyncio.timeout(SILENCE_SECONDS):
                message = await arrived.get()
            if not message.reply:
                # The end of one that was fulfilled comes when the next is open, and must not end that: each
                # time one more would stay open, and the server ask after all of them for ever.
                ended = _ends_pull(message) and message.subject == f"{inbox}.{pulls}"
                wanted = 0 if ended else wanted
                continue
            wanted -= 1
            delivered += 1
            if message.metadata.sequence.consumer != delivered:
                raise Missed
            yield message
    finally:
        with contextlib.suppress(nats.errors.Error, OSError):  # the client may be gone, and this with it
            await subscription.unsubscribe()


def _request(room: Space) -> bytes:
    return json.dumps(
        {
            "batch": room.count,
            "max_bytes": room.size,
            "expires": int(PULL_SECONDS * 1e9),
            "idle_heartbeat": int(HEARTBEAT_SECONDS * 1e9),
        }
    ).encode()


def _ends_pull(status: Msg) -> bool:
    headers = status.headers or {}
    code, description = headers.get("Status", ""), headers.get("Description", "")
    if code == HEARTBEAT:
        return False
    if code in ENDS or description.strip() in FULFILLED:
        return True
    raise NoLongerServed(f"The server ended the pull: {code} {description.strip()}.")
