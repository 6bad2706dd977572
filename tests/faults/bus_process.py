"""`python -m tests.faults.bus_process relay|consumer DSN NATS_URL [FILE]`: a process a fault test may kill.

The consumer writes a line for each event it handles: the complaint and the seq.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import asyncpg

from libs.events import lease
from libs.events.connection import Connection
from libs.events.consumer import Consumer
from libs.events.envelope import Recorded
from libs.events.log.postgres import PostgresLog
from libs.events.relay import Relay
from tests import carriage

DEADLY = "deadly"  # the actor of events that kill whoever handles them


class Notebook:
    """A file that several processes write to, a line at a time."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def note(self, recorded: Recorded[Any]) -> None:
        if recorded.envelope.actor == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(0.002)  # long enough to be killed in the middle
        os.write(self._file, f"{recorded.envelope.complaint_id} {recorded.envelope.seq}\n".encode())


async def main(part: str, dsn: str, nats_url: str, file: str = "") -> None:
    async with (
        Connection(nats_url) as connection,
        PostgresLog(dsn) as log,
        asyncpg.create_pool(dsn, min_size=0, max_size=3) as database,
    ):
        turns = lease.leases(database)
        if part == "relay":
            await Relay(log, connection, turns).run()
        else:
            await Consumer(
                "notebook",
                Notebook(Path(file)).note,
                store=carriage.store_on(log),
                connection=connection,
                database=database,
                turns=turns,
            ).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
