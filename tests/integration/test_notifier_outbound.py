"""What is published for others: stored before it counts as sent, once for each id, again after a loss."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from libs.events import errors
from libs.events.connection import Connection
from libs.service.outbound import Outbound
from tests import backends


@pytest.fixture
async def bus(nats_server: backends.NatsServer) -> AsyncIterator[Connection]:
    nats_server.wipe()
    async with Connection(nats_server.url) as connection:
        await connection.until_connected()
        yield connection


async def stored(bus: Connection, log: str = "main") -> int:
    found: int = (await bus.jetstream.stream_info(f"letters-{log}")).state.messages
    return found


@pytest.mark.rule("NTF-6")
async def test_a_repeat_under_the_same_id_is_stored_once(bus: Connection) -> None:
    outbound = Outbound("letters", bus)
    for id in ("a", "a", "b"):
        await outbound.publish("main", "progress", id, b"{}")
    await outbound.publish("other", "progress", "a", b"{}")
    assert (await stored(bus), await stored(bus, "other")) == (2, 1)
    message = await bus.jetstream.get_msg("letters-main", 1)
    assert (message.subject, (message.headers or {})["Nats-Msg-Id"]) == ("letters.main.progress", "a")


@pytest.mark.rule("NTF-3", "NTF-6")
async def test_a_stream_thrown_away_is_a_failure_and_then_made_again(bus: Connection) -> None:
    outbound = Outbound("letters", bus)
    await outbound.publish("main", "progress", "a", b"{}")
    await bus.jetstream.delete_stream("letters-main")
    with pytest.raises(errors.Unavailable):
        await outbound.publish("main", "progress", "b", b"{}")
    await outbound.publish("main", "progress", "b", b"{}")
    assert await stored(bus) == 1


async def test_without_a_bus_nothing_counts_as_sent() -> None:
    async with contextlib.AsyncExitStack() as stack:
        away = await stack.enter_async_context(Connection("nats://127.0.0.1:1"))
        with pytest.raises(errors.Unavailable):
            await Outbound("letters", away).publish("main", "progress", "a", b"{}")
