"""Carries the log to JetStream, in log order, under the log's own numbers; the only publisher of events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import structlog

from libs.events import bus, errors, every_log, metrics, stream
from libs.events.bus import Message
from libs.events.connection import Connection
from libs.events.lease import Turn
from libs.events.store import Log

POLL_SECONDS: Final = 0.25  # a wake-up call can be lost
INSPECT_SECONDS: Final = 1.0  # an idle stream can be damaged too
RETRY_SECONDS_MIN: Final = 0.1
RETRY_SECONDS_MAX: Final = 1.0
PAGE_EVENTS_FIRST: Final = 50  # bodies may be large; the page grows when they turn out not to be
PAGE_BYTES: Final = 4 * 1024 * 1024

logger = structlog.get_logger(__name__)


class Relay:
    """One a process; the process whose turn it is carries a log. Its checkpoint is the stream's end."""

    def __init__(self, log: Log, connection: Connection, turns: Callable[[str], Turn]) -> None:
        self._log = log
        self._connection = connection
        self._turns = turns

    async def run(self) -> None:
        """Carry every log, for ever."""
        await every_log.run(self._log, self._take_turns)

    async def _take_turns(self, name: str) -> None:
        carrier, turn = Carrier(self._log, self._connection, name), self._turns(f"relay/{name}")
        while True:
            try:
                await turn.hold(carrier.run)
            except Exception as error:  # of the lease's own: the relay must not take the service along
                logger.exception("turn failed", log=name, error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS_MAX)


class Carrier:
    """Carries one log."""

    def __init__(self, log: Log, connection: Connection, name: str) -> None:
        self._log = log
        self._connection = connection
        self._name = name
        self._last = 0
        self._page_events = PAGE_EVENTS_FIRST
        self._woken = connection.listen(name)

    async def run(self) -> None:
        """Carry for ever. Whatever goes wrong: say so once, look at the stream again, go on from there."""
        pause, told = RETRY_SECONDS_MIN, ""
        while True:
            try:
                await self._measure_lag()
                self._last = await self._settle()
                if told:
                    logger.info("relay recovered", log=self._name, last=self._last)
                pause, told = RETRY_SECONDS_MIN, ""
                await self._follow()
            except Exception as error:
                metrics.RELAY_FAILURES.labels(self._name).inc()
                if (kind := type(error).__name__) != told:
                    logger.warning("relay held up", log=self._name, error=kind, detail=_detail(error))
                told = kind
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY_SECONDS_MAX)

    async def catch_up(self, progress: Callable[[int], None] = lambda last: None) -> int:
        """Carry until the stream ends where the log does; gives the last sequence."""
        self._last = await self._settle()
        await self._carry(progress)
        return self._last

    async def _settle(self) -> int:
        """Have a stream that agrees with the log as far as it goes, and say how far that is."""
        found = await stream.inspect(self._connection, self._log, self._name)
        if found.fault is not None:
            logger.warning("stream disagrees with the log: refilling", log=self._name, stream=found.fault)
            metrics.REFILLS.labels(self._name).inc()
            await stream.delete(self._connection, self._name)
        if found.fault is not None or found.last is None:
            await stream.create(self._connection, self._name)
            return 0
        return found.last

    async def _follow(self) -> None:
        """Go on, until something fails or the stream is due for another look."""
        clock = asyncio.get_running_loop()
        until = clock.time() + INSPECT_SECONDS
        while clock.time() < until:
            self._woken.clear()
            await self._carry()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):  # wait_for can lose a cancellation (Python 3.11)
                    await self._woken.wait()

    async def _carry(self, progress: Callable[[int], None] = lambda last: None) -> None:
        """Publish what the log has more than the stream; while a page is on its way the next is prepared."""
        messages = await self._read(self._last)
        while messages:
            coming = self._read(self._last + len(messages))
            _, messages = await asyncio.gather(self._publish(messages), coming)
            progress(self._last)
            if messages:
                await self._measure_lag()

    async def _read(self, after: int) -> list[Message]:
        page = await self._log.read(self._name, after, self._page_events)
        if page:
            mean = sum(len(envelope.body) for envelope in page) // len(page) + 1
            self._page_events = max(1, min(stream.BATCH_MESSAGES_MAX, PAGE_BYTES // mean))
        return [bus.to_message(envelope) for envelope in page]

    async def _publish(self, messages: Sequence[Message]) -> None:
        for batch in batches(messages):
            self._last = await stream.publish(self._connection, self._name, batch, self._last)
            metrics.PUBLISHED.labels(self._name).inc(len(batch))

    async def _measure_lag(self) -> None:
        head = await self._log.head(self._name)
        metrics.RELAY_LAG.labels(self._name).set(head.seq - self._last)


def batches(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Cut `messages` so that each batch keeps within what may be in one; a large message is alone."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        full = len(batch) == stream.BATCH_MESSAGES_MAX or size + len(message.payload) > stream.BATCH_BYTES_MAX
        if batch and full:
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message.payload)
    if batch:
        yield batch


def _detail(error: Exception) -> str:
    """Only our own failures and the bus's are quoted: others may repeat what they choked on."""
    return str(error) if isinstance(error, errors.Failure) else ""
