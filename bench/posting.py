"""The row on recording over HTTP: one process of intake, and the same process with the log left out."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

from bench import client, complaints, silent
from bench.measure import Contestant, Group, Row, Scale
from bench.servers import Place
from bench.workers import together
from deploy.local import ports, process, services, tokens
from deploy.local.folder import Folder

RATE = "requests/s"
DURABLE, SILENT = "POST /v1/complaints", "the same, log left out"
CONNECTIONS = 64

ROWS = (Row("post", f"durable POST, {CONNECTIONS} connections", RATE, DURABLE, SILENT, 0.75),)


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """Two processes, each with a database of its own; whoever is not asked is idle."""
    folder = Folder.at(place.folder / "system")
    folder.prepare()
    variants = {
        DURABLE: (complaints.LOG, (sys.executable, "-m", "libs.service.run", "services.intake.app")),
        SILENT: (silent.LOG, (sys.executable, "-m", "bench.silent")),
    }
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serving(place, scale, folder, org, command))
            for name, (org, command) in variants.items()
            if name in wanted
        }


@contextmanager
def serving(
    place: Place, scale: Scale, folder: Folder, org: str, command: tuple[str, ...]
) -> Iterator[Contestant]:
    """A running intake, measured by a client in another process."""
    port = ports.free()
    dsn = place.dsn(place.migrated_database())
    usual = services.program("intake", port, folder, dsn, place.nats.url)
    child = process.start(replace(usual, command=command, log=folder.logs / f"{org}.log"))
    try:
        template = request(folder, org)
        programs = {**place.programs, "service": child.pid}
        yield partial(together, RATE, programs, client.post, port, CONNECTIONS, scale.seconds, template)
    finally:
        child.stop()


def request(folder: Folder, org: str) -> bytes:
    """A complaint like all others here, from a customer and with a reference and a key of its own."""
    token = tokens.mint(folder.signing_keys(), org, tokens.SCOPES, complaints.ACTOR, tokens.TTL_SECONDS)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": client.NAME.decode()}
    return client.request("/v1/complaints", headers, json.dumps(body(), ensure_ascii=False).encode())


def body() -> dict[str, object]:
    """The request that `complaints.recorded` is the event of."""
    name = client.NAME.decode()
    event = complaints.recorded(complaints.NOBODY)
    return {
        "source": {"system": "crm", "reference": name},
        "channel": event.channel,
        "received_at": event.received_at.isoformat(),
        "occurred_at": event.occurred_at.isoformat() if event.occurred_at else None,
        "complainant": {
            "name": event.complainant.name,
            "phone": event.complainant.phone,
            "email": event.complainant.email,
            "customer_id": name,
        },
        "respondent": {"kind": event.respondent.kind, "reference": event.respondent.reference},
        "product": {"order_number": name, "part_number": "LATCH-20", "batch": "B2209", "quantity": 40},
        "narrative": event.narrative,
        "demand": {"kind": event.demand.kind, "text": event.demand.text},
    }


GROUP = Group(ROWS, contestants)
