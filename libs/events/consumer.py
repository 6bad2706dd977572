"""Feeds one handler with every log's events: each complaint in order, none lost, the impossible parked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import asyncpg
import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from libs.events import bus, errors, every_log, metrics, patience, pull
from libs.events.connection import Connection
from libs.events.contracts import registry
from libs.events.envelope import MESSAGE_BYTES_MAX, Envelope, Recorded
from libs.events.lanes import Lanes
from libs.events.lease import FAILURES, Turn
from libs.events.parked import Shelf, lane_of
from libs.events.store import EventStore
from libs.events.tasks import Tasks

# Messages in hand: waiting in lanes, being handled, waiting to be tried again.
WINDOW: Final = 96
PULL_MIN: Final = 16  # asked for at once, so that a busy consumer does not ask for one after the other
WINDOW_BYTES: Final = 4 * MESSAGE_BYTES_MAX
HANDLERS_MAX: Final = 16  # at once, a log
HANDLER_SECONDS_MAX: Final = 30.0
ACK_WAIT_SECONDS: Final = 60.0
CHECKPOINT_SECONDS: Final = 0.5
REDRIVE_SECONDS: Final = 1.0
RETRY_SECONDS_MIN: Final = 0.1
RETRY_SECONDS_MAX: Final = 1.0
CAREFUL_FROM: Final = 3  # sessions begun at one place, and the process died in those before
BEHIND: Final = "behind an event that is parked"
DIED: Final = "the process died while handling it"

Handler = Callable[[Recorded[Any]], Awaitable[None]]
logger = structlog.get_logger(__name__)


class Foreign(errors.Failure):
    """The stream carries a message that the log does not know; the relay will refill it."""

    code = "foreign_message"


class Consumer:
    """A durable consumer `name`, one a process; of all processes, the one whose turn it is consumes a log.

    `handler` is called at least once for each event (of the contracts `events`, where given), so it must bear
    repeats. Events of one complaint reach it one after the other, in log order. A failure is tried again in
    place, with growing delay, while other complaints go on: a `nak` would let later events of the complaint
    overtake. When patience ends the event is parked, and so is, untried, every later event of its complaint:
    order is kept even then. A redrive takes the complaint's parked events in order, and what follows flows
    again. `Refused` is an answer, not a failure.

    The consumer's place is its checkpoint in PostgreSQL: whenever its turn comes, or the stream was made
    anew, JetStream is told to start over after that.
    """

    def __init__(
        self,
        name: str,
        handler: Handler,
        *,
        store: EventStore,
        connection: Connection,
        database: asyncpg.Pool,
        turns: Callable[[str], Turn],
        events: Sequence[type] = (),
    ) -> None:
        self.name = name
        self.handler = handler
        self.store = store
        self.connection = connection
        self.database = database
        self.events = events
        self._turns = turns

    async def run(self) -> None:
        """Consume every log, for ever."""
        await every_log.run(self.store.log, self._take_turns)

    async def _take_turns(self, log: str) -> None:
        turn = self._turns(f"consumer/{self.name}/{log}")
        while True:
            try:
                await turn.hold(lambda: self._consume(log))
            except Exception as error:  # of the lease's own: one consumer must not take the service along
                logger.exception("turn failed", consumer=self.name, log=log, error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS_MAX)

    async def _consume(self, log: str) -> None:
        """Consume one log for ever. Whatever goes wrong: say so once, start over from the checkpoint."""
        pause, told = RETRY_SECONDS_MIN, ""
        while True:
            session = Session(self, log)
            try:
                await session.run()
            except Exception as error:
                if session.received:
                    pause, told = RETRY_SECONDS_MIN, ""
                if (kind := type(_first_cause(error)).__name__) != told:
                    logger.warning("consumer held up", consumer=self.name, log=log, error=kind)
                told = kind
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY_SECONDS_MAX)

    def configuration(self, log: str) -> ConsumerConfig:
        """The durable on the log's stream. Attempts are counted here, so the server's are not limited."""
        subjects = [bus.subject_of(log, registry.contract_of(event).name) for event in self.events]
        return ConsumerConfig(
            name=self.name,
            durable_name=self.name,
            filter_subjects=subjects or None,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_ack_pending=2 * WINDOW,
            max_deliver=-1,
            # Its place is our checkpoint: on disk, each acknowledgement would wait for the disk once more.
            mem_storage=True,
        )


class Session:
    """One subscription's worth of consuming one log: from the checkpoint until something breaks."""

    def __init__(self, consumer: Consumer, log: str) -> None:
        self._consumer = consumer
        self._log = log
        self._shelf = Shelf(consumer.database, consumer.name, log)
        self._labels = (consumer.name, log)
        self._tasks = Tasks()
        self._lanes = Lanes(self._tasks)
        self._held: set[str] = set()  # lanes in which something is parked
        self._redriving: set[str] = set()
        self._room = asyncio.Semaphore(HANDLERS_MAX)
        self._settled = asyncio.Event()
        self._pending: dict[int, int] = {}  # in hand, in order: seq to bytes
        self._pending_bytes = 0
        self._last = 0
        self._checkpoint = 0
        self._careful = False
        self._suspect: int | None = None
        self.received = False

    async def run(self) -> None:
        """Ends by an exception only."""
        await self._begin()
        stream, jetstream = bus.stream_of(self._log), self._consumer.connection.jetstream
        await jetstream.add_consumer(stream, self._consumer.configuration(self._log))
        await jetstream.reset_consumer(stream, self._consumer.name, self._checkpoint + 1)
        pulled = pull.messages(self._consumer.connection, stream, self._consumer.name, self._space)
        try:
            async with self._tasks, contextlib.aclosing(pulled) as messages:
                self._tasks.create_task(self._keep_checkpoint())
                self._tasks.create_task(self._look_for_redrives())
                async for message in messages:
                    await self._take(message)
        finally:
            with contextlib.suppress(*FAILURES):
                await self._save()
                await self._shelf.end()

    async def _begin(self) -> None:
        """Find our place. Where process after process died, go on with one event at a time, noting each
        before it is handled: whoever follows knows which one to park.
        """
        place = await self._shelf.begin()
        self._checkpoint = self._last = place.seq
        self._held = await self._shelf.held_lanes()
        self._careful = place.begun >= CAREFUL_FROM
        self._suspect = place.trying
        self._room = asyncio.Semaphore(1 if self._careful else HANDLERS_MAX)

    async def _space(self) -> pull.Space:
        """How much more may be in hand; waits until any message fits."""
        while True:
            space = pull.Space(WINDOW - len(self._pending), WINDOW_BYTES - self._pending_bytes)
            if space.count >= PULL_MIN and space.size >= MESSAGE_BYTES_MAX:
                return space
            self._settled.clear()
            await self._settled.wait()

    async def _take(self, message: Msg) -> None:
        """Put a message into its lane. One seen before is done with, or in hand: it is not handled again."""
        seq = message.metadata.sequence.stream
        self.received = True
        if message.metadata.num_delivered > 1:
            metrics.REDELIVERIES.labels(*self._labels).inc()
        if seq <= self._last:
            if seq not in self._pending:
                await message.ack()
            return
        envelope = await self._read(message, seq)
        self._last = seq
        self._pending[seq] = len(message.data)
        self._pending_bytes += len(message.data)
        metrics.CONSUMER_LAG.labels(*self._labels).set(len(self._pending) + message.metadata.num_pending)
        self._lanes.add(lane_of(envelope), lambda: self._settle(envelope, message))

    async def _read(self, message: Msg, seq: int) -> Envelope:
        """The event of a message, or of the log in its place; Foreign where the log has none there."""
        with contextlib.suppress(bus.NotFromTheLog):
            envelope = bus.from_message(message.headers, message.data)
            if (envelope.log, envelope.seq) == (self._log, seq):
                return envelope
        logger.warning("message is not the log's", consumer=self._consumer.name, log=self._log, seq=seq)
        return await self._read_from_log(seq)

    async def _read_from_log(self, seq: int) -> Envelope:
        found = await self._consumer.store.log.read(self._log, after=seq - 1, limit=1)
        if not found:
            raise Foreign
        return found[0]

    async def _settle(self, envelope: Envelope, message: Msg) -> None:
        """Handle or park an event, then acknowledge it."""
        if lane_of(envelope) in self._held:
            await self._park(envelope, BEHIND, attempts=0)
        elif envelope.seq == self._suspect:
            await self._park(envelope, DIED, attempts=1)
        elif failure := await self._try(envelope):
            await self._park(envelope, *failure)
        with contextlib.suppress(nats.errors.Error):  # a lost one brings the message back, and _take ends it
            await message.ack()
        self._pending_bytes -= self._pending.pop(envelope.seq)
        self._settled.set()

    async def _try(self, envelope: Envelope) -> tuple[str, int] | None:
        """Handle an event with patience; the reason and the number of attempts when patience has ended."""
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._handle(envelope)
            except errors.Refused as refused:
                logger.info("refused", code=refused.code, **self._at(envelope))
            except Exception as error:
                metrics.RETRIES.labels(*self._labels).inc()
                reason, borne = _reason(error), patience.with_(error)
                if attempt.bit_count() == 1:  # the first, the second, the fourth ...
                    logger.warning("attempt failed", attempt=attempt, reason=reason, **self._at(envelope))
                if attempt >= borne.attempts_max:
                    return reason, attempt
                await asyncio.sleep(borne.delay(attempt))
                continue
            metrics.HANDLED.labels(*self._labels).inc()
            return None

    async def _handle(self, envelope: Envelope) -> None:
        async with self._room, asyncio.timeout(HANDLER_SECONDS_MAX):
            if self._careful:
                await self._shelf.attempt(envelope.seq)
            (recorded,) = await self._consumer.store.decode(self._log, [envelope])
            await self._consumer.handler(recorded)

    async def _park(self, envelope: Envelope, reason: str, attempts: int) -> None:
        """Keep the event and hold its lane. Until that is stored nothing else of the lane moves."""
        if attempts:
            logger.error("event parked", reason=reason, attempts=attempts, **self._at(envelope))
        self._held.add(lane_of(envelope))
        await self._shelf.park(envelope, reason, attempts)
        metrics.PARKED.labels(*self._labels).inc()

    async def _look_for_redrives(self) -> None:
        while True:
            metrics.PARKED.labels(*self._labels).set(await self._shelf.count())
            for lane in await self._shelf.lanes_to_redrive() - self._redriving:
                self._redriving.add(lane)
                self._lanes.add(lane, partial(self._redrive, lane))
            await asyncio.sleep(REDRIVE_SECONDS)

    async def _redrive(self, lane: str) -> None:
        """Handle a lane's parked events in order; the first that fails again ends it."""
        while (seq := await self._shelf.first_of(lane)) is not None:
            envelope = await self._read_from_log(seq)
            if failure := await self._try(envelope):
                await self._park(envelope, *failure)
                await self._shelf.rest(lane)
                break
            await self._shelf.release(seq)
            logger.info("redriven", **self._at(envelope))
        else:
            self._held.discard(lane)
        self._redriving.discard(lane)

    async def _keep_checkpoint(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            await self._save()

    async def _save(self) -> None:
        """Everything below the first message in hand is done with."""
        floor = next(iter(self._pending)) - 1 if self._pending else self._last
        if floor > self._checkpoint:
            await self._shelf.advance(floor)
            self._checkpoint = floor
            self._go_on_as_usual()

    def _go_on_as_usual(self) -> None:
        if self._careful:
            self._careful = False
            for _ in range(HANDLERS_MAX - 1):
                self._room.release()

    def _at(self, envelope: Envelope) -> dict[str, Any]:
        return {
            "consumer": self._consumer.name,
            "log": self._log,
            "seq": envelope.seq,
            "type": envelope.type,
            "event_id": str(envelope.event_id),
        }


def _reason(error: Exception) -> str:
    """Why an attempt failed. Only our own failures are quoted: others may repeat what they choked on."""
    return f"{error.code}: {error}" if isinstance(error, errors.Failure) else type(error).__name__


def _first_cause(error: BaseException) -> BaseException:
    """What ended a group of tasks."""
    return _first_cause(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
