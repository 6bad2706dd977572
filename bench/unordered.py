"""The other comparison: pgbench, writing single rows without order into a table like the log's."""

import re
import subprocess
from pathlib import Path

import asyncpg

from bench import complaints, machine
from bench.measure import Sample
from bench.servers import Place
from deploy.local import postgres, process

CLIENTS = 32
OPTIONS = "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'log.events'::regclass"
TABLE = """
CREATE SEQUENCE unordered_seq;
CREATE TABLE unordered (LIKE log.events INCLUDING ALL){options};
"""
# Everything but the body is made where it is cheapest, in the server. A hash is 32 bytes of no meaning.
INSERT = """
INSERT INTO unordered
       (log, seq, event_id, stream, version, type, complaint_id, actor, traceparent, at, body, hash)
VALUES ('main', nextval('unordered_seq'), uuidv7(), 'intake-' || uuidv7(), 1, '{type}', uuidv7(), '{actor}',
        '{traceparent}', clock_timestamp(), :body, '\\x{hash}');
"""


async def prepare(place: Place, name: str) -> None:
    """Make its table beside the log, in the same database as an empty log."""
    connection = await asyncpg.connect(place.dsn_superuser(name))
    try:
        options = await connection.fetchval(OPTIONS)
        await connection.execute(TABLE.format(options=f" WITH ({options})" if options else ""))
    finally:
        await connection.close()


def insert(place: Place, name: str, seconds: float, content: bytes) -> Sample:
    """Rows a second by pgbench's own count, connecting left out."""
    script = place.folder / "unordered.sql"
    script.write_text(
        INSERT.format(
            type=complaints.TYPE,
            actor=complaints.ACTOR,
            traceparent=complaints.TRACEPARENT,
            hash="5a" * 32,
        )
    )
    with machine.cores_used(place.programs) as cores:
        said = _pgbench(place, name, script, max(1, round(seconds)), f"body=\\x{content.hex()}")
    found = re.search(r"tps = ([\d.]+)", said)
    if found is None:
        raise RuntimeError(f"pgbench did not say how fast it was:\n{said}")
    return Sample({"events/s": float(found[1])}, cores)


def _pgbench(place: Place, name: str, script: Path, seconds: int, variable: str) -> str:
    command = (
        *(postgres.binary("pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={script}"),
        *(f"--client={CLIENTS}", f"--jobs={machine.CORES}", f"--time={seconds}", f"--define={variable}"),
        place.dsn_superuser(name),
    )
    ran = subprocess.run(
        command, capture_output=True, check=False, text=True, env=process.plain_environment(), timeout=60
    )
    if ran.returncode != 0:
        raise RuntimeError(f"pgbench failed: {ran.stderr}")
    return ran.stdout
