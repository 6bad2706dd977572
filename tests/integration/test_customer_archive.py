"""Beside a complaint: what its customer bought, complained of, had mended; when we were in touch (REC-8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from libs.events.contracts import investigate, notify, propose
from services.intake.app import SERVICE
from tests import alongside, backends
from tests.complaint_history import NOW, Writer
from tests.contract import samples
from tests.e2e import desk
from tests.e2e.calls import Answer, expect, path, record
from tests.service_kit import problem

rule = pytest.mark.rule
BULB = {"order_number": "SO-7", "part_number": "BULB-9W", "serial_number": "SN-7", "quantity": 2}


@dataclass
class Running:
    """Intake, started; and the pens of the other services."""

    service: desk.Intake
    client: httpx.AsyncClient
    pens: dict[str, Writer]

    async def recorded(self, customer: str | None = "C-8", **changes: Any) -> Answer:
        complainant = desk.body()["complainant"] | {"customer_id": customer}
        return await record(self.client, complainant=complainant, **changes)

    async def says(self, category: str, event_class: type, about: Answer, **changes: Any) -> None:
        """Another service puts something on record of the complaint."""
        event = samples.sample(event_class, event_class.__name__)
        complaint_id = UUID(about["complaint_id"])
        fields = {name: getattr(event, name) for name in event.__slots__} | {"complaint_id": complaint_id}
        if "data_subject" in fields:
            fields["data_subject"] = "customer:C-8"
        await self.pens[category].says(event_class(**fields | changes), uuid4(), category)

    async def archive(self, about: Answer, **params: Any) -> dict[str, Any]:
        await self.service.catch_up()
        return dict(expect(await self.client.get(path(about, "customer"), params=params)))


@pytest.fixture
async def running(
    database: backends.Database, nats_server: backends.NatsServer, tmp_path: Path
) -> AsyncIterator[Running]:
    others = ("investigation", "resolution", "notifier")
    async with alongside.started(SERVICE, database, nats_server, tmp_path, others) as found:
        yield Running(desk.Intake(found.app), found.client, found.pens)


@rule("REC-8")
async def test_purchases_complaints_repairs_and_contacts_are_beside_it(running: Running) -> None:
    asked = await running.recorded(contact="enquiry", product=None)
    before = await running.recorded(product=BULB, channel="service_station")
    this, stranger = await running.recorded(), await running.recorded(customer="C-9")
    mended = samples.sample(propose.Remedy, "remedy")
    mended = type(mended)(kind=propose.RemedyKind.REPAIR, text="new driver", money=None)
    await running.says("resolution", propose.SolutionProposed, before, remedies=(mended,))
    done: dict[str, Any] = {"stage": propose.Stage.DONE, "advanced_at": NOW}
    await running.says("resolution", propose.ExecutionAdvanced, before, **done)
    visited: dict[str, Any] = {
        "solved_on_the_spot": True,
        "arrived_at": NOW,
        "author": "station-east-officer",
    }
    await running.says("investigation", investigate.FieldVisitMade, before, **visited)
    told: dict[str, Any] = {"author": "after-sales-officer", "told_at": NOW}
    await running.says("notifier", notify.CustomerTold, asked, **told)
    for recipient in notify.Recipient:
        notice: dict[str, Any] = {"kind": notify.NoticeKind.CLOSING, "recipient": recipient}
        await running.says("notifier", notify.NoticeDelivered, before, **notice, channel="outbox")

    own, earlier, enquiry = (await running.archive(this))["items"]
    assert [each["number"] for each in (own, earlier, enquiry)] == [
        each["number"] for each in (this, before, asked)
    ]
    assert earlier["purchase"].items() >= BULB.items()
    assert [each["by"] for each in earlier["repairs"]] == [["repair"], ["field_visit"]]
    assert [(each["what"], each["channel"]) for each in earlier["contacts"]] == [
        ("complaint", "service_station"),
        ("field_visit", None),
        ("closing", "outbox"),
    ]
    assert (enquiry["contact"], enquiry["purchase"], enquiry["repairs"]) == ("enquiry", None, [])
    assert [(each["what"], each["author"]) for each in enquiry["contacts"]][1:] == [
        ("reply", "after-sales-officer")
    ]
    assert [each["number"] for each in (await running.archive(stranger))["items"]] == [stranger["number"]]


@rule("REC-8", "SEC-1")
async def test_it_comes_page_by_page_without_anybodys_words(running: Running) -> None:
    answers = [await running.recorded() for _ in range(3)]
    first = await running.archive(answers[0], limit=2)
    rest = await running.archive(answers[0], limit=2, cursor=first["next_cursor"])
    numbers = [each["number"] for each in (*first["items"], *rest["items"])]
    assert (numbers, rest["next_cursor"]) == ([each["number"] for each in reversed(answers)], None)
    assert desk.body()["narrative"] not in str(first)
    assert desk.body()["complainant"]["name"] not in str(first)


@rule("REC-8")
async def test_of_whom_no_customer_id_is_known_there_is_no_archive(running: Running) -> None:
    unknown = await running.recorded(customer=None)
    assert await running.archive(unknown) == {"items": [], "next_cursor": None}
    nowhere = await running.client.get(f"/v1/complaints/{uuid4()}/customer")
    problem(nowhere, 404, "not_found")
