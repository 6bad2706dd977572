"""A pull subscription to a durable consumer that never waits on a dead one: silence soon ends it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
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
FULFILLED: Final = "Batch Completed"


class NoLongerServed(errors.Failure):
    """The server gave up this subscription: the consumer or its stream is gone."""

    code = "no_longer_served"


async def messages(
    connection: Connection, stream: str, durable: str, space: Callable[[], Awaitable[int]]
) -> AsyncGenerator[Msg]:
    """Messages as they come; `space()` waits for room and says how many may come.

    Raises NoLongerServed, TimeoutError for silence, Unavailable without a connection: make a new one then.
    """
    client = connection.client
    inbox = client.new_inbox()
    arrived: asyncio.Queue[Msg] = asyncio.Queue()

    async def on_message(message: Msg) -> None:
        arrived.put_nowait(message)

    subscription = await client.subscribe(inbox, cb=on_message)
    try:
        while True:
            wanted = await space()
            await client.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", _request(wanted), reply=inbox
            )
            while wanted:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = await arrived.get()
                if message.reply:
                    wanted -= 1
                    yield message
                elif _ends_pull(message):
                    break
    finally:
        with contextlib.suppress(nats.errors.Error, OSError):  # the client may be gone, and this with it
            await subscription.unsubscribe()


def _request(wanted: int) -> bytes:
    return json.dumps(
        {
            "batch": wanted,
            "expires": int(PULL_SECONDS * 1e9),
            "idle_heartbeat": int(HEARTBEAT_SECONDS * 1e9),
        }
    ).encode()


def _ends_pull(status: Msg) -> bool:
    headers = status.headers or {}
    code, description = headers.get("Status", ""), headers.get("Description", "")
    if code == HEARTBEAT:
        return False
    if code in ENDS or description == FULFILLED:
        return True
    raise NoLongerServed(f"The server ended the pull: {code} {description.strip()}.")
