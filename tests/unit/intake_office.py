"""Intake with people who call it over HTTP, and a notifier that tells the customer when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx

from libs.events.contracts.notify import NoticeDelivered, NoticeKind, Recipient
from libs.events.contracts.policy import PolicyPublished
from libs.events.store import Context
from libs.service import policies
from libs.service.app import create_app
from services.intake import state
from services.intake.app import SERVICE
from services.intake.handling import Term
from tests import service_kit
from tests.memory_intake import Intake
from tests.packs import text_with

SHANGHAI = ZoneInfo("Asia/Shanghai")
DETAILS = ["part_number", "delivered_on", "quantity", "defective_quantity", "requirement"]
ANSWER: dict[str, Any] = {"reason": "the customer answered", "unavailable_details": DETAILS}


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A time of November 2026 in Shanghai; the 20th is a Friday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


class Office(Intake):
    """Intake with callers, and a notifier that tells the customer when the test says so."""

    client: httpx.AsyncClient

    async def wants_details(self, **changes: Any) -> UUID:
        """A complaint of which nothing but the order is known; a fire, so that two hours are allowed."""
        given = {
            "product": {"order_number": "SO-1"},
            "narrative": "灯管起火",
            "received_at": self.now.isoformat(),
        }
        complaint_id = await self.records(**given | changes)
        await self.settles()
        return complaint_id

    async def asks(self, complaint_id: UUID) -> NoticeDelivered:
        """The customer is told what is wanted of them."""
        told = NoticeDelivered(
            notice_id=uuid4(),
            complaint_id=complaint_id,
            kind=NoticeKind.DETAILS_WANTED,
            recipient=Recipient.CUSTOMER,
            channel="outbox",
            attempt=1,
            delivered_at=self.now,
        )
        await self.hears(told, "notifier")
        await self.settles()
        return told

    async def calls(
        self, complaint_id: UUID, what: str, caller: str = "li.wei", /, **body: Any
    ) -> dict[str, Any]:
        """Somebody does something over HTTP, and what follows happens."""
        scope = "complaints:read complaints:write"
        headers = {"Authorization": f"Bearer {service_kit.token(sub=caller, scope=scope)}"}
        path = f"/v1/complaints/{complaint_id}/{what}"
        answer = await self.client.post(path, json=body, headers=headers)
        assert answer.status_code in (200, 201), answer.text
        await self.settles()
        return dict(answer.json())

    async def dossier(self, complaint_id: UUID) -> dict[str, Any]:
        """GET /v1/complaints/{id}."""
        return dict((await self.client.get(f"/v1/complaints/{complaint_id}")).json())

    async def deadlines(self, complaint_id: UUID) -> dict[str, Any]:
        """GET …/deadlines."""
        answer = await self.client.get(f"/v1/complaints/{complaint_id}/deadlines")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def term(self, complaint_id: UUID) -> Term:
        """What intake owes next."""
        complaint = await self.complaint(complaint_id)
        assert isinstance(complaint, state.Open)
        assert complaint.record.handling.term is not None
        return complaint.record.handling.term

    async def publishes(self, version: int, day: date, *changes: tuple[str, str]) -> None:
        """Oversight publishes the standard policy, changed."""
        dated = (f"version: {version}", f"effective_from: {day}")
        text = text_with(("version: 1", dated[0]), ("effective_from: 2026-01-01", dated[1]), *changes)
        event = PolicyPublished(
            name="standard",
            version=version,
            effective_from=day,
            text=text,
            author="general-manager",
            published_at=self.now,
        )
        stream = f"policy-{policies.key_of('main')}"
        past = await self.store.read_stream("main", stream)
        await self.store.append(
            "main", stream, len(past), [event], [uuid4()], Context("general-manager", None)
        )
        self.desk.resources.policies.changed("main")
        await self.settles()

    async def said(self, kind: type) -> list[Any]:
        """The events of a kind, in order."""
        return [each.event for each in await self.everything() if isinstance(each.event, kind)]


@asynccontextmanager
async def opened(folder: Path, now: datetime) -> AsyncIterator[Office]:
    """The office, with its doors open."""
    found = Office(folder, now)
    app = create_app(replace(SERVICE, views=lambda _: ()), resources=found.desk.resources)
    app.state.desk = found.desk
    async with service_kit.client(app) as client:
        found.client = client
        yield found
