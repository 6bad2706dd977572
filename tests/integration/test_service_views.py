"""A view applies each event once and in order, whoever else follows; one it cannot apply stops it loudly."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.events import errors
from libs.events.contracts import registry
from libs.events.contracts.intake import ComplaintSeparated, ComplaintWithdrawn
from libs.events.contracts.personal import ERASED
from libs.events.contracts.privacy import PersonalDataErased
from libs.events.envelope import Envelope, Recorded
from libs.events.keys import KeyRing
from libs.events.log.postgres import PostgresLog
from libs.events.store import Context, EventStore
from libs.service import projection, wiring
from libs.service.app import Service, create_app
from libs.service.projection import Follower
from libs.service.reaction import Reaction, context
from tests import backends, notes, service_kit
from tests.service_kit import SECONDS_MAX, until

TABLE = "CREATE TABLE intake.seen (place bigserial PRIMARY KEY, seq bigint NOT NULL, reason text NOT NULL)"
GRANT = "GRANT ALL ON intake.seen, intake.seen_place_seq TO redress_intake"


class Seen:
    """A view that writes down what it was shown, and cannot bear one text."""

    name = "seen"
    unbearable: str | None = None

    def concerns(self, stream: str, event_type: str) -> bool:
        return event_type == registry.contract_of(ComplaintWithdrawn).name

    async def project(self, connection: AsyncConnection, recorded: Recorded[Any]) -> None:
        if not isinstance(recorded.event, ComplaintWithdrawn):
            return
        if recorded.event.reason == self.unbearable:
            raise ZeroDivisionError
        statement = text("INSERT INTO intake.seen (seq, reason) VALUES (:seq, :reason)")
        await connection.execute(statement, {"seq": recorded.envelope.seq, "reason": recorded.event.reason})


@pytest.fixture
async def resources(database: backends.Database, tmp_path: Path) -> AsyncIterator[wiring.Resources]:
    connection = await asyncpg.connect(database.superuser_dsn)
    await connection.execute(TABLE)
    await connection.execute(GRANT)
    await connection.close()
    async with opened(database, tmp_path) as found:
        yield found


@contextlib.asynccontextmanager
async def opened(database: backends.Database, folder: Path, **chosen: Any) -> AsyncIterator[wiring.Resources]:
    settings = service_kit.write_settings(folder, database_url=database.dsn("redress_intake"), **chosen)
    async with wiring.opened(settings, "intake", wiring.read(settings)) as found:
        yield found


async def withdraw(resources: wiring.Resources, *reasons: str, subject: str = "somebody") -> None:
    for reason in reasons:
        complaint_id = uuid4()
        event = ComplaintWithdrawn(
            complaint_id=complaint_id,
            data_subject=subject,
            withdrawn_at=resources.now(),
            author="li.wei",
            reason=reason,
        )
        stream = f"intake-{complaint_id}"
        await resources.store.append("main", stream, 0, [event], [uuid4()], Context("li.wei", complaint_id))


async def separate(resources: wiring.Resources) -> None:
    """An event that no view here has a use for."""
    event = ComplaintSeparated(
        complaint_id=uuid4(),
        data_subject="somebody",
        separated_from=uuid4(),
        separated_at=resources.now(),
        author="li.wei",
        reason="another matter",
    )
    stream = f"intake-{event.complaint_id}"
    await resources.store.append("main", stream, 0, [event], [uuid4()], Context("li.wei", event.complaint_id))


def follower(resources: wiring.Resources, view: Seen | None = None) -> Follower:
    return Follower(view or Seen(), "intake", resources.store, resources.engine, resources.bus)


async def seen(resources: wiring.Resources) -> list[tuple[int, str]]:
    async with resources.engine.connect() as connection:
        rows = await connection.execute(text("SELECT seq, reason FROM intake.seen ORDER BY place"))
        return [(row.seq, row.reason) for row in rows]


async def until_seen(resources: wiring.Resources, wanted: list[str]) -> None:
    async def shown() -> bool:
        return [reason for _, reason in await seen(resources)] == wanted

    await until(shown)


async def test_replicas_race_and_each_event_is_applied_once_in_order(resources: wiring.Resources) -> None:
    reasons = [f"{n}" for n in range(60)]
    await withdraw(resources, *reasons)
    await asyncio.gather(*(follower(resources).catch_up("main", 7) for _ in range(4)))
    assert await seen(resources) == list(enumerate(reasons, 1))
    await follower(resources).catch_up("main")
    assert len(await seen(resources)) == 60


async def test_what_does_not_concern_a_view_is_passed_over_unopened(
    resources: wiring.Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = follower(resources)
    await withdraw(resources, "a")
    await following.catch_up("main")
    await separate(resources)
    await withdraw(resources, "b")
    opened_types: list[str] = []
    decode = resources.store.decode

    async def noting(log: str, envelopes: Sequence[Envelope]) -> list[Recorded[Any]]:
        opened_types.extend(each.type for each in envelopes)
        return await decode(log, envelopes)

    monkeypatch.setattr(resources.store, "decode", noting)
    await following.catch_up("main")
    assert opened_types == [registry.contract_of(ComplaintWithdrawn).name]
    assert await seen(resources) == [(1, "a"), (3, "b")]


async def test_a_place_is_written_down_though_nothing_concerns_the_view(
    resources: wiring.Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "NOTE_SECONDS", 0.0)
    await withdraw(resources, "a")
    await separate(resources)
    place = projection.Checkpoint("intake", Seen.name, resources.engine)
    await follower(resources).catch_up("main")
    await separate(resources)
    await follower(resources).catch_up("main")
    assert await place.find("main") == 3


async def test_whoever_asks_waits_until_a_view_has_come_to_an_event(resources: wiring.Resources) -> None:
    await withdraw(resources, "a")
    place = projection.Checkpoint("intake", Seen.name, resources.engine)
    asking = asyncio.create_task(place.come_to("main", 1))
    await asyncio.sleep(0)
    await follower(resources).catch_up("main")
    assert await asyncio.wait_for(asking, SECONDS_MAX)


async def test_a_view_goes_on_from_where_the_database_is_though_it_had_been_further(
    resources: wiring.Resources, database: backends.Database
) -> None:
    """A crash of PostgreSQL may undo the last moments of a view, its place with it."""
    following = follower(resources)
    await withdraw(resources, "a", "b")
    await following.catch_up("main")
    connection = await asyncpg.connect(database.superuser_dsn)
    await connection.execute("DELETE FROM intake.seen WHERE seq = 2")
    await connection.execute("UPDATE intake.checkpoints SET seq = 1")
    await connection.close()
    await withdraw(resources, "c")
    await following.catch_up("main")
    assert sorted(await seen(resources)) == [(1, "a"), (2, "b"), (3, "c")]


async def test_a_view_is_woken_by_an_append(resources: wiring.Resources) -> None:
    running = asyncio.create_task(follower(resources).run())
    try:
        await withdraw(resources, "first")
        await until_seen(resources, ["first"])
        await withdraw(resources, "second")
        await until_seen(resources, ["first", "second"])
    finally:
        running.cancel()


async def test_an_event_that_cannot_be_applied_stops_the_view_there_until_it_can(
    resources: wiring.Resources,
) -> None:
    await withdraw(resources, "a", "b", "poison", "c")
    view = Seen()
    view.unbearable = "poison"
    following = follower(resources, view)

    async def going_on() -> bool:
        return not following.stopped

    running = asyncio.create_task(following.run())
    try:
        await until_seen(resources, ["a", "b"])
        assert following.stopped == {"main": "ZeroDivisionError"}
        view.unbearable = None
        await until_seen(resources, ["a", "b", "poison", "c"])
        await until(going_on)
    finally:
        running.cancel()


async def test_a_view_that_stopped_is_told_by_readiness(
    resources: wiring.Resources, database: backends.Database, tmp_path: Path
) -> None:
    await withdraw(resources, "poison")
    view = Seen()
    view.unbearable = "poison"
    settings = service_kit.write_settings(tmp_path, database_url=database.dsn("redress_intake"))
    app = create_app(Service("intake", "Intake", views=lambda _: [view]), settings)
    async with service_kit.client(app) as client:

        async def told() -> bool:
            found = (await client.get("/readyz")).json()
            stopped: bool = found["checks"]["views"]["seen"] == {"main": "ZeroDivisionError"}
            return stopped and found["status"] == "degraded"

        await until(told)
        assert 'redress_background_faults_total{work="view seen"}' in (await client.get("/metrics")).text


async def test_work_beside_requests_can_be_another_process_s(
    resources: wiring.Resources, database: backends.Database, tmp_path: Path
) -> None:
    service = replace(notes.SERVICE, views=lambda _: [Seen()])
    url = database.dsn("redress_intake")
    off, only = (
        create_app(service, service_kit.write_settings(tmp_path, database_url=url, background=background))
        for background in ("off", "only")
    )
    async with service_kit.client(off) as client:
        assert (await client.post("/v1/notes", json={"text": "a"})).status_code == 201
        assert (await client.get("/readyz")).json()["checks"]["views"] == {}
        assert not off.state.followers
        async with service_kit.client(only) as beside:
            await until_seen(resources, ["a"])
            assert (await beside.get("/readyz")).json()["checks"]["views"] == {"seen": "ok"}
            assert (await beside.get("/metrics")).status_code == 200
            service_kit.problem(await beside.post("/v1/notes", json={"text": "b"}), 404, "not_found")


@pytest.mark.rule("SEC-2")
@pytest.mark.parametrize("background", ["on", "off"])
async def test_an_erasure_elsewhere_is_felt_here_within_a_second(
    resources: wiring.Resources, database: backends.Database, tmp_path: Path, background: str
) -> None:
    await withdraw(resources, "a secret", subject="erin")
    settings = service_kit.write_settings(
        tmp_path, database_url=database.dsn("redress_intake"), background=background
    )
    app = create_app(Service("intake", "Intake"), settings)
    async with service_kit.client(app), PostgresLog(database.dsn("redress_oversight")) as log:
        here: wiring.Resources = app.state.resources
        assert (await here.store.read("main"))[0].event.reason == "a secret"
        elsewhere = EventStore(log, KeyRing(log, here.key_encryption_key))
        event = PersonalDataErased(
            data_subject="erin", erased_at=here.now(), author="officer", reason="asked"
        )
        await elsewhere.append(
            "main", "erasure-erin", 0, [event], [uuid4()], Context("officer", erases="erin")
        )

        async def forgotten() -> bool:
            return (await here.store.read("main"))[0].event.reason is ERASED

        await until(forgotten)


async def test_a_reaction_goes_on_with_the_trace_and_names_its_cause(
    resources: wiring.Resources, database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> None:
    heard: asyncio.Queue[tuple[Recorded[Any], Context]] = asyncio.Queue()

    async def on_complaint_withdrawn(recorded: Recorded[Any]) -> None:
        await heard.put((recorded, context(recorded, "notes")))

    name = f"hearing-{uuid4().hex[:8]}"
    service = Service(
        "intake",
        "Intake",
        reactions=lambda _: [Reaction(name, (ComplaintWithdrawn,), on_complaint_withdrawn)],
    )
    url = database.dsn("redress_intake")
    settings = service_kit.write_settings(tmp_path, database_url=url, nats_url=nats_server.url)
    trace_id = uuid4().hex
    complaint_id = uuid4()
    app = create_app(service, settings)
    async with service_kit.client(app):
        event = ComplaintWithdrawn(
            complaint_id=complaint_id,
            data_subject="s",
            withdrawn_at=resources.now(),
            author="li.wei",
            reason="none",
        )
        about = Context("li.wei", complaint_id, traceparent=f"00-{trace_id}-{'1' * 16}-01")
        store: EventStore = app.state.resources.store
        await store.append("main", f"intake-{complaint_id}", 0, [event], [uuid4()], about)
        recorded, reacting = await asyncio.wait_for(heard.get(), SECONDS_MAX)
    assert (reacting.complaint_id, reacting.caused_by) == (complaint_id, recorded.envelope.event_id)
    _, reacting_trace, span, _ = reacting.traceparent.split("-")
    assert reacting_trace == trace_id
    assert span != "1" * 16


async def test_a_lost_database_is_an_outage_and_no_fault_of_the_view(tmp_path: Path) -> None:
    away = service_kit.resources(service_kit.write_settings(tmp_path))
    with pytest.raises(errors.Unavailable):
        await follower(away).catch_up("main")
