"""The relay: log to stream, in order, under the same numbers, whatever happens to the stream."""

import asyncio
import uuid

import pytest

from libs.events import bus, metrics, stream
from libs.events.connection import Connection
from libs.events.envelope import Envelope
from libs.events.lease import Undisputed
from libs.events.relay import Carrier, Relay
from tests import backends, carriage


async def test_the_stream_is_the_log_under_the_same_numbers(nats_url: str) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        author = carriage.Author(carriage.store_on(log, connection), name)
        await author.write(20)
        async with carriage.running(Relay(log, connection, Undisputed).run()):
            await author.write(30)
            await carriage.until_carried(connection, log, name)
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)


async def test_an_append_is_carried_at_once_not_at_the_next_poll(nats_url: str) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as writing, carriage.connected(nats_url) as relaying:
        author = carriage.Author(carriage.store_on(log, writing), name)
        async with carriage.running(Relay(log, relaying, Undisputed).run()):
            await carriage.until_carried(relaying, log, name)
            before = asyncio.get_running_loop().time()
            for _ in range(20):
                await author.write(1)
                await carriage.until_carried(relaying, log, name)
            assert asyncio.get_running_loop().time() - before < 20 * 0.25


async def test_more_than_one_batch_is_caught_up(nats_url: str) -> None:
    log, name = carriage.new_log()
    await carriage.Author(carriage.store_on(log), name).write(1301)
    async with carriage.connected(nats_url) as connection:
        assert await Carrier(log, connection, name).catch_up() == 1301
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)


async def test_an_event_type_of_another_form_does_not_stop_the_log(nats_url: str) -> None:
    log, name = carriage.new_log()
    await carriage.write_raw(log, name, uuid.uuid4(), "投诉 > * .v1", b"{}")
    await carriage.Author(carriage.store_on(log), name).write(1)
    async with carriage.connected(nats_url) as connection:
        assert await Carrier(log, connection, name).catch_up() == 2


@pytest.mark.parametrize("damage", ["deleted", "purged", "message deleted", "foreign message", "tail lost"])
async def test_a_damaged_stream_is_refilled_to_the_same_numbers(nats_url: str, damage: str) -> None:
    log, name = carriage.new_log()
    await carriage.Author(carriage.store_on(log), name).write(25)
    async with carriage.connected(nats_url) as connection:
        await damaged_stream(connection, await carriage.everything_in(log, name), name, damage)
        async with carriage.running(Relay(log, connection, Undisputed).run()):
            await carriage.until_carried(connection, log, name)
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)


async def damaged_stream(connection: Connection, events: list[Envelope], name: str, damage: str) -> None:
    """A stream that carried `events`, then suffered. Ours refuses some of it, so it is made otherwise."""
    config = stream.configuration(name).evolve(deny_delete=False, deny_purge=False)
    await connection.jetstream.add_stream(config)
    kept = 10 if damage == "tail lost" else len(events)
    await stream.publish(connection, name, [bus.to_message(event) for event in events[:kept]], 0)
    match damage:
        case "deleted":
            await connection.jetstream.delete_stream(bus.stream_of(name))
        case "purged":
            await connection.jetstream.purge_stream(bus.stream_of(name))
        case "message deleted":
            await connection.jetstream.delete_msg(bus.stream_of(name), 12)
        case "foreign message":
            await connection.request(f"complaints.{name}.intake.complaint_recorded", b"{}")


async def test_an_idle_stream_is_watched_too(nats_url: str) -> None:
    log, name = carriage.new_log()
    await carriage.Author(carriage.store_on(log), name).write(5)
    async with (
        carriage.connected(nats_url) as connection,
        carriage.running(Relay(log, connection, Undisputed).run()),
    ):
        await carriage.until_carried(connection, log, name)
        await connection.request(f"complaints.{name}.intake.complaint_recorded", b"{}")
        await carriage.until_carried(connection, log, name)
        await connection.jetstream.delete_stream(bus.stream_of(name))
        await carriage.until_carried(connection, log, name)


async def test_the_stream_refuses_deletion_and_purge(nats_url: str) -> None:
    log, name = carriage.new_log()
    await carriage.Author(carriage.store_on(log), name).write(3)
    async with carriage.connected(nats_url) as connection:
        await Carrier(log, connection, name).catch_up()
        with pytest.raises(Exception, match="not permitted"):
            await connection.jetstream.delete_msg(bus.stream_of(name), 2)
        with pytest.raises(Exception, match="not permitted"):
            await connection.jetstream.purge_stream(bus.stream_of(name))


async def test_of_two_relays_without_a_lease_one_publishes_and_the_other_is_refused(nats_url: str) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as one, carriage.connected(nats_url) as two:
        author = carriage.Author(carriage.store_on(log, one), name)
        failures = metrics.RELAY_FAILURES.labels(name)
        relays = Relay(log, one, Undisputed).run(), Relay(log, two, Undisputed).run()
        async with carriage.running(*relays):
            for _ in range(200):
                await author.write(3)
                await asyncio.sleep(0)
            await carriage.until_carried(one, log, name)
        assert failures._value.get() > 0
        assert await carriage.stream_content(one, name) == await carriage.everything_in(log, name)


async def test_a_late_batch_of_a_relay_that_was_overtaken_is_refused_whole(nats_url: str) -> None:
    log, name = carriage.new_log()
    await carriage.Author(carriage.store_on(log), name).write(9)
    async with carriage.connected(nats_url) as connection:
        await Carrier(log, connection, name).catch_up()
        late = [bus.to_message(event) for event in (await carriage.everything_in(log, name))[5:9]]
        with pytest.raises(stream.Overtaken):
            await stream.publish(connection, name, late, after=5)
        with pytest.raises(stream.Overtaken):
            await stream.publish(connection, name, late[:1], after=5)
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)


async def test_appends_go_on_without_the_bus_and_are_carried_in_order_when_it_is_back(
    nats_server: backends.NatsServer,
) -> None:
    log, name = carriage.new_log()

    async def lag_is_told() -> bool:
        return bool(metrics.RELAY_LAG.labels(name)._value.get() >= 50)

    async with carriage.connected(nats_server.url) as connection:
        author = carriage.Author(carriage.store_on(log, connection), name)
        async with carriage.running(Relay(log, connection, Undisputed).run()):
            await author.write(10)
            await carriage.until_carried(connection, log, name)
            nats_server.kill()
            await author.write(50)
            await carriage.until(lag_is_told, "the lag shows")
            nats_server.start()
            await carriage.until_carried(connection, log, name)
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)
