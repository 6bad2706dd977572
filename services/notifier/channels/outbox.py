"""The channel `outbox`: each notice is a line of JSON in a file of the day, for a gateway to take."""

from __future__ import annotations

import asyncio
import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

from services.notifier.channels.channel import Failed, Outgoing


class Batch:
    """Lines that go into one file together, and whether they have."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.written = False
        self.failure: str | None = None


class Outbox:
    """Files `<log>-<day>.jsonl` (days in UTC), readable by their owner alone; a line once written stays.

    Notices that come while others are being written share the next write: one flush to disk for all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[Path, Batch] = {}
        self._writing = asyncio.Lock()

    async def send(self, notice: Outgoing) -> None:
        """See `Channel.send`: it has arrived when it is on disk."""
        day = datetime.now(UTC).date()
        file = self._folder / f"{notice.log}-{day}.jsonl"
        batch = self._waiting.setdefault(file, Batch())
        batch.lines.append(notice.line())
        async with self._writing:
            if not batch.written:
                self._waiting.pop(file, None)
                batch.written = True
                batch.failure = await asyncio.to_thread(write, file, batch.lines)
        if batch.failure is not None:
            raise Failed(batch.failure)


def write(file: Path, lines: list[bytes]) -> str | None:
    """Append whole lines, also beside another process that does; gives why not where it could not."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            begun = opened.seek(0, os.SEEK_END)
            try:
                opened.write(b"".join(lines))
                opened.flush()
                os.fdatasync(opened.fileno())
            except OSError:
                os.ftruncate(opened.fileno(), begun)  # no half a line stays
                raise
    except OSError as error:
        return f"the outbox cannot be written: {os.strerror(error.errno) if error.errno else 'unknown'}"
    return None
