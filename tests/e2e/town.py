"""All services in one process on simulated time, called over HTTP: for what goes from one to the next."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import httpx

from deploy.people.calls import Callers, Json
from deploy.simulation import world
from deploy.simulation.resources import LOG
from libs.events.memory_bus import NONE
from libs.events.store import PAGE_EVENTS

T = TypeVar("T")
DESK = "after-sales-officer"


class Town:
    """A world with people in it who call."""

    def __init__(self, of: world.World, callers: Callers) -> None:
        self.world = of
        self.callers = callers

    async def calls(self, service: str, path: str, body: Json | None = None, person: str = DESK) -> Json:
        """A command, carried out, and all that follows from it at once."""
        answer = await self.callers.post(service, path, person, body)
        assert answer, answer.content
        await self.world.settle()
        return answer.content

    async def asks(self, service: str, path: str, person: str = DESK) -> Json:
        """What a service answers."""
        return (await self.callers.get(service, path, person)).content

    async def records(self, **changes: Any) -> UUID:
        """A contact, by its id."""
        body: Json = {
            "channel": "phone",
            "received_at": self.world.now.isoformat(),
            "complainant": {"name": "示例顾客", "phone": "000", "customer_id": "C-1"},
            "respondent": {"kind": "product", "reference": "LED-T8-18W"},
            "product": {
                "order_number": "SO-1",
                "part_number": "LED-T8-18W",
                "delivered_on": "2025-12-01",
                "quantity": 40,
                "defective_quantity": 3,
                "requirement": "no flicker",
            },
            "narrative": "三支灯管闪烁",
            "demand": {"kind": "replacement"},
        }
        sent = {name: value for name, value in (body | changes).items() if value is not None}
        return UUID((await self.calls("intake", "/v1/complaints", sent))["complaint_id"])

    async def waits(self, time: timedelta) -> None:
        """Time goes by, and everything that falls due in it happens at its time."""
        until: datetime = self.world.now + time
        await self.world.run(until, _nothing)

    async def said(self, kind: type[T]) -> list[T]:
        """The events of a kind, in log order."""
        found: list[T] = []
        after = 0
        while page := await self.world.store.read(LOG, after, PAGE_EVENTS):
            found += [each.event for each in page if isinstance(each.event, kind)]
            after = page[-1].envelope.seq
        return found


async def _nothing() -> None:
    return None


@contextlib.asynccontextmanager
async def living(seed: int = 1) -> AsyncIterator[Town]:
    """A Monday morning in January 2026; nothing has happened yet."""
    async with world.running(seed, NONE) as found, contextlib.AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{name}")
            )
            for name, app in found.apps.items()
        }
        yield Town(found, Callers(clients, found.ground.signing_keys))
