"""`redress bus`: what it says about a bus that is well, one that is not, and events that wait."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import main
from libs.events import bus, errors, lease, stream
from libs.events.connection import Connection
from libs.events.envelope import Envelope
from libs.events.log.postgres import PostgresLog
from libs.events.relay import Carrier
from tests import backends, carriage

LOG = "main"
Step = Callable[[PostgresLog, Connection, asyncpg.Pool], Awaitable[None]]


@pytest.fixture
def city(database: backends.Database, nats_server: backends.NatsServer) -> "City":
    return City(database, nats_server.url)


class City:
    """A database, a bus, and the command line that looks at both."""

    def __init__(self, database: backends.Database, nats_url: str) -> None:
        self.dsn = database.dsn
        self.nats_url = nats_url

    def do(self, step: Step) -> None:
        async def run() -> None:
            dsn = self.dsn("redress_intake")
            async with (
                carriage.connected(self.nats_url) as connection,
                PostgresLog(dsn) as log,
                asyncpg.create_pool(dsn, min_size=0) as pool,
            ):
                await step(log, connection, pool)

        asyncio.run(run())

    def redress(self, *words: str, role: str = "redress_auditor") -> Result:
        to_nats = () if words[0] in ("parked", "redrive") else ("--nats", self.nats_url)
        return CliRunner().invoke(main, ["bus", *words, "--database", self.dsn(role), *to_nats])

    def status(self) -> tuple[int, dict[str, Any]]:
        result = self.redress("status", "--json")
        (found,) = json.loads(result.stdout)["logs"]
        return result.exit_code, found


async def thirty_events(log: PostgresLog, connection: Connection, _: asyncpg.Pool) -> None:
    await stream.delete(connection, LOG)
    await carriage.Author(carriage.store_on(log), LOG).write(30)
    await Carrier(log, connection, LOG).catch_up()


async def a_foreign_message(_: PostgresLog, connection: Connection, __: asyncpg.Pool) -> None:
    await connection.request("complaints.main.intake.complaint_recorded", b"{}")


async def no_stream(_: PostgresLog, connection: Connection, __: asyncpg.Pool) -> None:
    await connection.jetstream.delete_stream(bus.stream_of(LOG))


def test_a_sound_bus(city: City) -> None:
    city.do(thirty_events)
    status, found = city.status()
    assert (status, found["head"], found["stream"], found["lag"], found["fault"]) == (0, 30, 30, 0, None)
    told = city.redress("status")
    assert "head 30, stream 30, lag 0: agrees with the log" in told.stdout


@pytest.mark.parametrize("damage", [a_foreign_message, no_stream])
def test_a_damaged_bus_is_told_and_rebuilt(city: City, damage: Step) -> None:
    city.do(thirty_events)
    city.do(damage)
    status, found = city.status()
    assert (status, bool(found["fault"])) == (1, True)
    assert "30 events again" in city.redress("rebuild", LOG).stdout
    assert city.status()[0] == 0


def test_without_nats_it_says_so(city: City) -> None:
    city.nats_url = "nats://127.0.0.1:1"
    result = city.redress("status", "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "The bus does not answer.\n")


def test_parked_events_are_listed_and_redriven(city: City) -> None:
    poisoned = uuid.uuid4()

    async def refuse(envelope: Envelope) -> None:
        if envelope.complaint_id == poisoned:
            raise errors.ContractError

    async def park_two(log: PostgresLog, connection: Connection, pool: asyncpg.Pool) -> None:
        await thirty_events(log, connection, pool)
        author = carriage.Author(carriage.store_on(log), LOG)
        author.versions[poisoned] = 0
        await author.write(2, poisoned)
        await Carrier(log, connection, LOG).catch_up()
        consumer = carriage.consumer_of(author.store, connection, pool, carriage.Ear(refuse))
        async with carriage.running(consumer.run()):

            async def both_parked() -> bool:
                return int(await pool.fetchval("SELECT count(*) FROM bus.parked")) == 2

            await carriage.until(both_parked, "two events parked")

    city.do(park_two)
    waiting = json.loads(city.redress("parked", "--json").stdout)
    assert [(each["seq"], each["attempts"], each["lane"]) for each in waiting] == [
        (31, 2, str(poisoned)),
        (32, 0, str(poisoned)),
    ]
    assert "2 events parked" in city.redress("parked").stdout
    (consumer,) = city.status()[1]["consumers"]
    assert (consumer["consumer"], consumer["checkpoint"], consumer["parked"]) == ("ear", 32, 2)
    assert city.redress("redrive", role="redress_oversight").exit_code == 2, "say which"
    assert "2 events go round again" in city.redress("redrive", "32", role="redress_oversight").stdout
    assert all(each["redrive"] for each in json.loads(city.redress("parked", "--json").stdout))


async def test_the_lease_is_seen(database: backends.Database) -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    async with (
        asyncpg.create_pool(database.dsn("redress_intake"), min_size=0) as pool,
        carriage.running(lease.leases(pool)("relay/main").hold(work)),
    ):

        async def seen() -> bool:
            return bool(await pool.fetch(lease.HOLDERS))

        await carriage.until(seen, "the lease is in the table")
