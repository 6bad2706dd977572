"""Faults of naive relays, shown on naive relays kept here, and then not found in ours."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from typing import Any

from libs.events import bus, stream
from libs.events.bus import Message
from libs.events.connection import Connection
from libs.events.relay import Carrier
from tests import carriage

DUPLICATE_IN_BATCH = 10201


async def naive_batch(connection: Connection, messages: Sequence[Message]) -> dict[str, Any]:
    """An atomic batch that trusts in message ids, as if they were a guarantee."""
    batch, (*opening, last) = uuid.uuid4().hex, messages
    for number, message in enumerate(opening, start=1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        headers |= {"Nats-Msg-Id": message.headers["ce-id"]}
        await connection.client.publish(message.subject, message.payload, headers=headers)
    headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(messages)), "Nats-Batch-Commit": "1"}
    headers |= {"Nats-Msg-Id": last.headers["ce-id"]}
    answer: dict[str, Any] = json.loads((await connection.request(last.subject, last.payload, headers)).data)
    return answer


async def naive_publish(connection: Connection, message: Message) -> None:
    await connection.request(
        message.subject, message.payload, message.headers | {"Nats-Msg-Id": message.headers["ce-id"]}
    )


async def last_sequence(connection: Connection, name: str) -> int:
    return (await connection.jetstream.stream_info(bus.stream_of(name))).state.last_seq


async def test_trap_28_one_duplicate_id_rejects_a_whole_batch_but_not_ours(nats_url: str) -> None:
    log, name = carriage.new_log()
    await carriage.Author(carriage.store_on(log), name).write(40)
    messages = [bus.to_message(event) for event in await carriage.everything_in(log, name)]
    async with carriage.connected(nats_url) as connection:
        await stream.create(connection, name)
        await naive_publish(connection, messages[0])
        answer = await naive_batch(connection, messages)
        assert answer["error"]["err_code"] == DUPLICATE_IN_BATCH
        assert await last_sequence(connection, name) == 1, "nothing of the 39 others is there"
        # Ours, after the same lost answer: the first message is there already, and the rest follows it.
        await stream.delete(connection, name)
        await stream.create(connection, name)
        await stream.publish(connection, name, messages[:1], 0)
        assert await Carrier(log, connection, name).catch_up() == 40
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)


async def test_trap_27_the_deduplication_window_ends_and_the_sequence_does_not(nats_url: str) -> None:
    log, name = carriage.new_log()
    await carriage.Author(carriage.store_on(log), name).write(3)
    messages = [bus.to_message(event) for event in await carriage.everything_in(log, name)]
    async with carriage.connected(nats_url) as connection:
        await connection.jetstream.add_stream(stream.configuration(name).evolve(duplicate_window=0.1))
        for _ in range(2):  # the answer was lost, so a naive relay publishes again, a moment too late
            for message in messages:
                await naive_publish(connection, message)
            await asyncio.sleep(0.3)
        assert await last_sequence(connection, name) == 6, "three events, six messages"
        await stream.delete(connection, name)
        for _ in range(2):  # two relays, each from the beginning, each at any later time
            assert await Carrier(log, connection, name).catch_up() == 3
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)
