"""Consumers: every event, each complaint in order, the impossible ones parked."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from libs.events import bus, errors, metrics, parked
from libs.events.contracts.intake import DuplicateSuspected
from libs.events.envelope import BODY_BYTES_MAX, TEXT_BYTES_MAX, Append, Envelope, NewEvent
from libs.events.lease import Undisputed
from libs.events.relay import Relay
from tests import backends, carriage


@pytest.fixture
async def pool(database: backends.Database) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database.dsn("redress_intake"), min_size=0, max_size=4) as pool:
        yield pool


async def until_heard(ear: carriage.Ear, count: int) -> None:
    async def heard() -> bool:
        return len({envelope.seq for envelope in ear.heard}) >= count

    await carriage.until(heard, f"{count} events heard")


async def test_everything_is_heard_each_complaint_in_order(nats_url: str, pool: asyncpg.Pool) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear()
        author = carriage.Author(store, name)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await author.write(1200)
            await until_heard(ear, 1200)
        assert ear.effects() == await carriage.in_order(log, name)
        assert await parked.checkpoints(pool, name) == {"ear": 1200}


async def test_one_pull_is_open_however_many_there_were(nats_url: str, pool: asyncpg.Pool) -> None:
    """The end of one that was fulfilled is told when the next one is open already: it does not end that."""
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear()
        author = carriage.Author(store, name)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            for count in range(1, 31):
                await author.write(40)
                await until_heard(ear, 40 * count)
            found = await connection.jetstream.consumer_info(bus.stream_of(name), consumer.name)
            assert found.num_waiting <= 1  # none while the next one is being asked for


async def test_a_poison_event_is_parked_and_other_complaints_go_on(nats_url: str, pool: asyncpg.Pool) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store = carriage.store_on(log, connection)
        author = carriage.Author(store, name)
        poisoned, *_ = author.versions
        cured = False

        async def trouble(envelope: Envelope) -> None:
            if envelope.complaint_id == poisoned and envelope.version == 2 and not cured:
                raise errors.ContractError

        ear = carriage.Ear(trouble)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await author.write(50)
            await until_heard(ear, 41)
            await author.write(5)
            await until_heard(ear, 45)

            async def all_parked() -> bool:
                return len(await parked.everything(pool)) == 10

            await carriage.until(all_parked, "ten events parked")
            waiting = await parked.everything(pool)
            assert {event.lane for event in waiting} == {str(poisoned)}
            assert [event.attempts for event in waiting] == [2] + [0] * 9
            counted = metrics.PARKED.labels("ear", name)._value
            assert counted.get() == 10
            cured = True
            assert await parked.mark_for_redrive(pool, name, "ear", [waiting[-1].seq]) == 10
            await until_heard(ear, 55)
            await author.write(5)
            await until_heard(ear, 60)
            assert await parked.everything(pool) == []

            async def none_is_counted() -> bool:
                return bool(counted.get() == 0)

            await carriage.until(none_is_counted, "the metric says that none is parked")
        assert ear.effects() == await carriage.in_order(log, name)


async def test_what_cannot_be_decoded_is_parked(nats_url: str, pool: asyncpg.Pool) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear()
        author = carriage.Author(store, name)
        first, second, *_ = author.versions
        await carriage.write_raw(log, name, first, "complaints.intake.never_heard_of.v1", b"{}")
        await carriage.write_raw(log, name, second, carriage.SUSPECTED, b"\xff not json")
        await author.write(10)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await until_heard(ear, 6)

            async def all_parked() -> bool:
                return len(await parked.everything(pool)) == 6

            await carriage.until(all_parked, "six events parked")
        reasons = [event.reason for event in await parked.everything(pool)]
        assert [reason.partition(":")[0] for reason in reasons[:2]] == ["contract_error"] * 2


async def test_nobody_waits_for_a_complaint_that_is_being_tried_again(
    nats_url: str, pool: asyncpg.Pool
) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store = carriage.store_on(log, connection)
        author = carriage.Author(store, name)
        slow, *_ = author.versions
        away = True

        async def trouble(envelope: Envelope) -> None:
            if envelope.complaint_id == slow and away:
                raise errors.Unavailable

        ear = carriage.Ear(trouble)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await author.write(50)
            await until_heard(ear, 40)
            away = False
            await until_heard(ear, 50)
        assert ear.effects() == await carriage.in_order(log, name)


async def test_a_restarted_server_is_found_again(
    nats_server: backends.NatsServer, pool: asyncpg.Pool
) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_server.url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear()
        author = carriage.Author(store, name)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            for total in (20, 40, 60):
                await author.write(20)
                await until_heard(ear, total)
                (nats_server.kill if total == 20 else nats_server.stop)()
                nats_server.start()
        assert ear.effects() == await carriage.in_order(log, name)


async def test_a_wiped_server_is_as_if_nothing_had_happened(
    nats_server: backends.NatsServer, pool: asyncpg.Pool
) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_server.url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear()
        author = carriage.Author(store, name)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await author.write(40)
            await until_heard(ear, 40)
            nats_server.wipe()
            await author.write(20)
            await until_heard(ear, 60)
            await carriage.until_carried(connection, log, name)
        assert ear.effects() == await carriage.in_order(log, name)
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)


async def test_a_foreign_message_is_heard_by_nobody(nats_url: str, pool: asyncpg.Pool) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear()
        author = carriage.Author(store, name)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            for total in (20, 40):
                await author.write(20)
                await until_heard(ear, total)
                await connection.request(f"complaints.{name}.intake.complaint_recorded", b"{}")
            await author.write(20)
            await until_heard(ear, 60)
            await carriage.until_carried(connection, log, name)
        assert ear.effects() == await carriage.in_order(log, name)
        assert await parked.everything(pool) == []


async def test_what_somebody_else_pulled_away_is_heard_all_the_same(
    nats_url: str, pool: asyncpg.Pool
) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection, carriage.connected(nats_url) as thief:
        store, ear = carriage.store_on(log, connection), carriage.Ear()
        author = carriage.Author(store, name)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await author.write(20)
            await until_heard(ear, 20)
            inbox = thief.client.new_inbox()
            await thief.client.subscribe(inbox)
            stolen = f"$JS.API.CONSUMER.MSG.NEXT.{bus.stream_of(name)}.ear"
            await thief.client.publish(stolen, b'{"batch": 30, "expires": 30000000000}', reply=inbox)
            await thief.client.flush()
            for _ in range(10):
                await author.write(10)
                await asyncio.sleep(0.05)
            await until_heard(ear, 120)
        assert ear.effects() == await carriage.in_order(log, name)


async def test_only_the_events_it_is_for(nats_url: str, pool: asyncpg.Pool) -> None:
    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear()
        author = carriage.Author(store, name)
        consumer = carriage.consumer_of(store, connection, pool, ear, events=[DuplicateSuspected])
        for _ in range(5):
            await carriage.write_raw(log, name, uuid.uuid4(), "complaints.intake.never_heard_of.v1", b"{}")
            await author.write(4)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await until_heard(ear, 20)
        assert {each.type for each in ear.heard} == {carriage.SUSPECTED}
        assert await parked.everything(pool) == []


async def test_a_refusal_is_an_answer(nats_url: str, pool: asyncpg.Pool) -> None:
    async def refuse(envelope: Envelope) -> None:
        if envelope.seq % 2:
            raise errors.Refused

    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear(refuse)
        author = carriage.Author(store, name)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await author.write(20)
            await until_heard(ear, 10)
            await author.write(20)
            await until_heard(ear, 20)
        assert await parked.everything(pool) == []


async def test_a_bug_is_parked_without_quoting_anybody(nats_url: str, pool: asyncpg.Pool) -> None:
    async def stumble(envelope: Envelope) -> None:
        raise KeyError("王芳, 138 0000 0000")

    log, name = carriage.new_log()
    async with carriage.connected(nats_url) as connection:
        store, ear = carriage.store_on(log, connection), carriage.Ear(stumble)
        author = carriage.Author(store, name, complaints=1)
        consumer = carriage.consumer_of(store, connection, pool, ear)
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):
            await author.write(1)

            async def is_parked() -> bool:
                return len(await parked.everything(pool)) == 1

            await carriage.until(is_parked, "the event is parked")
        (event,) = await parked.everything(pool)
        assert (event.reason, event.attempts) == ("KeyError", 6)


async def test_the_largest_events_arrive(nats_url: str, pool: asyncpg.Pool) -> None:
    log, name = carriage.new_log()
    body = b'"' + b"x" * (BODY_BYTES_MAX - 2) + b'"'
    actor = "囧" * (TEXT_BYTES_MAX // 3)
    for _ in range(6):  # more together than may be in hand
        stream_name = f"intake-{uuid.uuid4()}"
        event = NewEvent(uuid.uuid4(), carriage.SUSPECTED, body)
        await log.append(Append(name, stream_name, 0, (event,), actor, uuid.uuid4()))
    async with carriage.connected(nats_url) as connection:
        store = carriage.store_on(log, connection)
        consumer = carriage.consumer_of(store, connection, pool, carriage.Ear())
        async with carriage.running(Relay(log, connection, Undisputed).run(), consumer.run()):

            async def all_parked() -> bool:  # they arrive whole, and then are no events
                return len(await parked.everything(pool)) == 6

            await carriage.until(all_parked, "six large events have arrived")
        assert await carriage.stream_content(connection, name) == await carriage.everything_in(log, name)
