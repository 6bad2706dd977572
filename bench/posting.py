"""Rows on recording over HTTP: a process of intake, and the same process with the log left out.

Three times: answering alone; while a second process does what follows (relay, views, steps 2 and 3); and
doing that itself. With the log left out nothing follows.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

from bench import client, complaints, machine, silent
from bench.measure import Contestant, Group, Row, Sample, Scale
from bench.servers import Place
from bench.workers import together
from deploy.local import ports, process, services, tokens
from deploy.local.folder import Folder

RATE = "requests/s"
CONNECTIONS = 64
DURABLE = f"POST /v1/complaints, {CONNECTIONS} connections"
SILENT = "the same, log left out"
BESIDE, ALONE = "POST, what follows in a second process", "POST, what follows in the same process"

ROWS = (
    Row("post", "durable POST, one process", RATE, DURABLE, SILENT, 0.75),
    Row("post-beside", "the same while a second does what follows", RATE, BESIDE, SILENT, 0.75),
    Row("post-alone", "the same and what follows, in one process", RATE, ALONE, SILENT, 0.75),
)
INTAKE = (complaints.LOG, ("-m", "libs.service.run", "services.intake.app"))
VARIANTS = {
    DURABLE: (*INTAKE, ("off",)),
    SILENT: (silent.LOG, ("-m", "bench.silent"), ("off",)),
    BESIDE: (*INTAKE, ("off", "only")),
    ALONE: (*INTAKE, ("on",)),
}


@contextmanager
def contestants(place: Place, scale: Scale, wanted: set[str]) -> Iterator[Mapping[str, Contestant]]:
    """Each with a database of its own; its processes run while it is measured, and no others."""
    folder = Folder.at(place.folder / "system")
    folder.prepare()
    yield {
        name: partial(measured, place, scale, folder, place.dsn(place.migrated_database()), *variant)
        for name, variant in VARIANTS.items()
        if name in wanted
    }


def measured(
    place: Place,
    scale: Scale,
    folder: Folder,
    dsn: str,
    org: str,
    command: tuple[str, ...],
    backgrounds: Sequence[str],
) -> Sample:
    """By a client in another process, which talks to the first of these.

    What follows is worked off afterwards, or the next measurement would pay for it.
    """
    first, *others = (ports.free() for _ in backgrounds)
    with ExitStack() as stack:
        pids = {}
        for port, background in zip((first, *others), backgrounds, strict=True):
            usual = services.program("intake", port, folder, dsn, place.nats.url)
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
        sample = together(RATE, programs, client.post, first, CONNECTIONS, scale.seconds, template)
        machine.until_idle(programs)
        return sample


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
