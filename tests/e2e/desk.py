"""A running intake for tests: the real application on a real database, clients of it, and bodies to send."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from libs.events.contracts.privacy import PersonalDataErased
from libs.events.decider import fresh_ids
from libs.events.log.postgres import PostgresLog
from libs.events.store import Context, EventStore
from libs.service.app import create_app
from services.intake.app import SERVICE
from tests import backends, service_kit

WAIT_SECONDS = 15
EVERY_SCOPE = ("complaints:read", "complaints:write", "personal:read")


class Intake:
    """The application, started."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def client(self, *scopes: str, **claims: Any) -> httpx.AsyncClient:
        """Somebody who calls; with every scope where none is named."""
        token = service_kit.token(scope=" ".join(scopes or EVERY_SCOPE), **claims)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://intake",
            headers={"authorization": f"Bearer {token}"},
            timeout=WAIT_SECONDS,
        )

    async def catch_up(self) -> None:
        """Let every view see everything that is on record."""
        for follower in self.app.state.followers:
            await follower.catch_up("main")


@contextlib.asynccontextmanager
async def running(database: backends.Database, folder: Path, **chosen: Any) -> AsyncIterator[Intake]:
    """An intake on that database, without a bus unless `nats_url` is chosen."""
    settings = service_kit.write_settings(folder, database_url=database.dsn("redress_intake"), **chosen)
    app = create_app(SERVICE, settings)
    async with app.router.lifespan_context(app):
        yield Intake(app)


def body(**changes: Any) -> dict[str, Any]:
    """What a caller sends; `changes` replace whole members, None leaves them out."""
    whole: dict[str, Any] = {
        "source": {"system": "crm", "reference": os.urandom(8).hex()},
        "channel": "phone",
        "received_at": "2026-11-20T09:12:00+08:00",
        "occurred_at": "2026-11-18T00:00:00+08:00",
        "complainant": {"name": "王小明", "phone": "13800000001", "preferred_channel": "phone"},
        "respondent": {"kind": "product", "reference": "LED-T8-18W", "name": "T8 灯管"},
        "product": {
            "order_number": "SO-1",
            "part_number": "LED-T8-18W",
            "delivered_on": "2026-11-10",
            "quantity": 40,
            "defective_quantity": 3,
            "requirement": "no flicker",
        },
        "narrative": "三支灯管闪烁。 Three tubes flicker 💡",
        "demand": {"kind": "replacement", "text": "换新的"},
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


async def erase(database: backends.Database, intake: Intake, subject: str) -> None:
    """Erase a person's data as oversight does; here, too, the key is forgotten at once."""
    now = intake.app.state.resources.now()
    async with PostgresLog(database.dsn("redress_oversight")) as log:
        store = EventStore(log, intake.app.state.resources.keys)
        event = PersonalDataErased(data_subject=subject, erased_at=now, author="dpo", reason="asked for")
        event_id = next(fresh_ids())
        context = Context(actor="dpo", erases=subject)
        await store.append("main", f"erasure-{event_id}", 0, [event], [event_id], context)
    intake.app.state.resources.keys.forget("main", subject)
