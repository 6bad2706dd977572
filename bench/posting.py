"""Rows on recording over HTTP: a process of intake, and the same process with the log left out.

Twice: with its work beside requests in a second process, as a busy intake runs, and all of it in one.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
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
CONNECTIONS = 64
APART, ALONE = f"POST /v1/complaints, {CONNECTIONS} connections", "POST, all work in one process"
SILENT_APART, SILENT_ALONE = "the same, log left out", "that, log left out"

ROWS = (
    Row("post", "durable POST, relay and views in a second process", RATE, APART, SILENT_APART, 0.75),
    Row("post-alone", "durable POST, all work in one process", RATE, ALONE, SILENT_ALONE, 0.75),
)
DURABLE = (complaints.LOG, ("-m", "libs.service.run", "services.intake.app"))
SILENT = (silent.LOG, ("-m", "bench.silent"))


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """Each with a database of its own; whoever is not asked is idle."""
    folder = Folder.at(place.folder / "system")
    folder.prepare()
    variants = {
        APART: (*DURABLE, ("off", "only")),
        SILENT_APART: (*SILENT, ("off", "only")),
        ALONE: (*DURABLE, ("on",)),
        SILENT_ALONE: (*SILENT, ("on",)),
    }
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serving(place, scale, folder, *variant))
            for name, variant in variants.items()
            if name in wanted
        }


@contextmanager
def serving(
    place: Place, scale: Scale, folder: Folder, org: str, command: tuple[str, ...], backgrounds: Sequence[str]
) -> Iterator[Contestant]:
    """A running intake, measured by a client in another process: it talks to the first of its processes."""
    port, dsn = ports.free(), place.dsn(place.migrated_database())
    with ExitStack() as stack:
        pids = {}
        for number, background in enumerate(backgrounds):
            usual = services.program("intake", ports.free() if number else port, folder, dsn, place.nats.url)
            child = process.start(
                replace(
                    usual,
                    command=(sys.executable, *command),
                    log=folder.logs / f"{org}-{background}.log",
                    environment={**usual.environment, "REDRESS_BACKGROUND": background},
                )
            )
            stack.callback(child.stop)
            pids[f"service ({background})"] = child.pid
        programs, template = {**place.programs, **pids}, request(folder, org)
        yield partial(together, RATE, programs, client.post, port, CONNECTIONS, scale.seconds, template)


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
