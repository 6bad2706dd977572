"""Feeds one handler with the events of every log: each complaint in order, none lost, the impossible ones parked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from libs.events import bus, errors, every_log, metrics
from libs.events.connection import Connection
from libs.events.contracts import registry
from libs.events.envelope import Envelope, Recorded
from libs.events.lease import Turn
from libs.events.parked import FAILURES, Shelf, lane_of
from libs.events.store import EventStore

WINDOW: Final = 512  # messages in hand: waiting in lanes, being handled, waiting to be tried again
HANDLERS_MAX: Final = 16  # at once, a log
PULL_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 0.5
SILENCE_SECONDS: Final = (
    1.5  # without message or heartbeat the subscription is dead, whatever the client says
)
ACK_WAIT_SECONDS: Final = 60.0
HANDLER_SECONDS: Final = 30.0
CHECKPOINT_SECONDS: Final = 0.5
REDRIVE_SECONDS: Final = 1.0
RETRY_SECONDS_MIN: Final = 0.1
RETRY_SECONDS_MAX: Final = 1.0
JITTER: Final = 0.2  # of each delay, either way

EXPIRED: Final = ("404", "408")  # the pull ended; 409 with this description did, too
FULFILLED: Final = "Batch Completed"

Handler = Callable[[Recorded[Any]], Awaitable[None]]
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a kind of failure is tried, and how long between: doubling from the first delay to the longest."""

    attempts_max: int
    delay_seconds: float = 0.1
    delay_seconds_max: float = 5.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th failure."""
        delay = min(self.delay_seconds * 2.0 ** min(attempt - 1, 16), self.delay_seconds_max)
        return delay * random.uniform(1 - JITTER, 1 + JITTER)


# Unavailable is nobody's fault: it is waited out for about an hour before a person is asked.
PATIENCE: Final[Sequence[tuple[type[Exception], Patience]]] = (
    (errors.Unavailable, Patience(attempts_max=130, delay_seconds_max=30.0)),
    (errors.VersionConflict, Patience(attempts_max=10)),
    (errors.NotFound, Patience(attempts_max=6)),
    (errors.ContractError, Patience(attempts_max=2)),
    (Exception, Patience(attempts_max=6)),
)


class NoLongerServed(errors.Failure):
    """The pull ended in a way that calls for a new subscription."""

    code = "no_longer_served"


class Foreign(errors.Failure):
    """The stream carries a message that the log does not know; the relay will refill it."""

    code = "foreign_message"


class Consumer:
    """A durable consumer `name`, one a process; of all processes, the one whose turn it is consumes a log.

    `handler` is called at least once for each event (of the contracts `events`, where given), so it must bear repeats. Events
    of one complaint reach it one after the other in log order. A failure is tried again in place, with growing delay, while
    other complaints go on: a `nak` would let later events of the complaint overtake. When patience ends (see PATIENCE) the
    event is parked, and from then on every later event of its complaint is parked behind it, untried: order is kept even
    then. A redrive takes the complaint's parked events in order, and what follows flows again.
    `Refused` is an answer, not a failure.

    The consumer's place is its checkpoint in PostgreSQL. Each time its turn comes, or the stream was made anew, it has
    JetStream start over after that.
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
        await self._turns(f"consumer/{self.name}/{log}").hold(lambda: self._consume(log))

    async def _consume(self, log: str) -> None:
        """Consume one log for ever. Whatever goes wrong: say so once, start over from the checkpoint."""
        pause, told = RETRY_SECONDS_MIN, ""
        while True:
            session = Session(self, log)
            try:
                await session.run()
            except Exception as error:
                cause = _first_cause(error)
                if (kind := type(cause).__name__) != told:
                    logger.warning("consumer held up", consumer=self.name, log=log, error=kind)
                told = kind
            if session.received:
                pause, told = RETRY_SECONDS_MIN, ""
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY_SECONDS_MAX)

    def configuration(self, log: str) -> ConsumerConfig:
        """The durable on the log's stream. Tries are counted here, so the server's are not limited."""
        subjects = [bus.subject_of(log, registry.contract_of(event).name) for event in self.events]
        return ConsumerConfig(
            name=self.name,
            durable_name=self.name,
            filter_subjects=subjects or None,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_ack_pending=2 * WINDOW,
            max_deliver=-1,
        )


class Session:
    """One subscription's worth of consuming one log: from the checkpoint until something breaks."""

    def __init__(self, consumer: Consumer, log: str) -> None:
        self._consumer = consumer
        self._log = log
        self._shelf = Shelf(consumer.database, consumer.name, log)
        self._labels = (consumer.name, log)
        self._pending: dict[int, None] = {}  # seqs in hand, in order
        self._lanes: dict[str, deque[Callable[[], Awaitable[None]]]] = {}
        self._held: set[str] = set()
        self._redriving: set[str] = set()
        self._room = asyncio.Semaphore(HANDLERS_MAX)
        self._settled = asyncio.Event()
        self._checkpoint = 0
        self._last = 0
        self._tasks = asyncio.TaskGroup()
        self.received = False

    @property
    def floor(self) -> int:
        """Everything up to here is done with."""
        return next(iter(self._pending)) - 1 if self._pending else self._last

    async def run(self) -> None:
        """Ends by an exception only."""
        self._checkpoint = self._last = await self._shelf.checkpoint()
        self._held = await self._shelf.held_lanes()
        jetstream, stream = self._consumer.connection.jetstream, bus.stream_of(self._log)
        await jetstream.add_consumer(stream, self._consumer.configuration(self._log))
        await jetstream.reset_consumer(stream, self._consumer.name, self._checkpoint + 1)
        try:
            async with self._tasks:
                self._tasks.create_task(self._keep_checkpoint())
                self._tasks.create_task(self._look_for_redrives())
                async with contextlib.aclosing(self._pull()) as messages:
                    async for message in messages:
                        await self._take(message)
        finally:
            with contextlib.suppress(*FAILURES):
                await self._save()

    # -- what comes in

    async def _pull(self) -> AsyncGenerator[Msg]:
        """Messages for as long as the server shows signs of life."""
        client = self._consumer.connection.client
        inbox = client.new_inbox()
        arrived: asyncio.Queue[Msg] = asyncio.Queue()

        async def on_message(message: Msg) -> None:
            arrived.put_nowait(message)

        subscription = await client.subscribe(inbox, cb=on_message)
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{bus.stream_of(self._log)}.{self._consumer.name}"
        try:
            while True:
                wanted = await self._space()
                await client.publish(subject, _pull_request(wanted), reply=inbox)
                while wanted:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        message = await arrived.get()
                    if message.reply:
                        wanted -= 1
                        yield message
                    elif _ends_pull(message):
                        break
        finally:
            with contextlib.suppress(Exception):  # the client may be gone, and its subscriptions with it
                await subscription.unsubscribe()

    async def _space(self) -> int:
        """How many more messages may be in hand; waits until there are some."""
        while (space := WINDOW - len(self._pending)) <= 0:
            self._settled.clear()
            await self._settled.wait()
        return space

    async def _take(self, message: Msg) -> None:
        """Put one message into its lane. One seen before is done with, or in hand: either way it is not handled again."""
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
        self._pending[seq] = None
        metrics.CONSUMER_LAG.labels(*self._labels).set(len(self._pending) + message.metadata.num_pending)
        self._enqueue(lane_of(envelope), lambda: self._settle(envelope, message))

    async def _read(self, message: Msg, seq: int) -> Envelope:
        """The event of a message, or of the log in its place; Foreign where the log has none there."""
        with contextlib.suppress(bus.NotFromTheLog):
            envelope = bus.from_message(message)
            if (envelope.log, envelope.seq) == (self._log, seq):
                return envelope
        logger.warning("message is not the log's", consumer=self._consumer.name, log=self._log, seq=seq)
        return await self._read_from_log(seq)

    async def _read_from_log(self, seq: int) -> Envelope:
        found = await self._consumer.store.log.read(self._log, after=seq - 1, limit=1)
        if not found:
            raise Foreign
        return found[0]

    # -- lanes

    def _enqueue(self, lane: str, work: Callable[[], Awaitable[None]]) -> None:
        if waiting := self._lanes.get(lane):
            waiting.append(work)
            return
        self._lanes[lane] = deque([work])
        self._tasks.create_task(self._work_off(lane))

    async def _work_off(self, lane: str) -> None:
        """One after the other. The one at work stays in the lane, so that the next to come waits behind it."""
        waiting = self._lanes[lane]
        while waiting:
            await waiting[0]()
            waiting.popleft()
        del self._lanes[lane]

    async def _settle(self, envelope: Envelope, message: Msg) -> None:
        """Handle or park an event, then acknowledge it."""
        if lane_of(envelope) in self._held:
            await self._park(envelope, "behind an event that is parked", attempts=0)
        elif failure := await self._try(envelope):
            await self._park(envelope, *failure)
        with contextlib.suppress(
            nats.errors.Error
        ):  # a lost acknowledgement brings the message back, and _take ends it
            await message.ack()
        del self._pending[envelope.seq]
        self._settled.set()

    async def _try(self, envelope: Envelope) -> tuple[str, int] | None:
        """Handle an event with patience; gives the reason and the number of attempts when patience has ended."""
        attempt = 0
        while True:
            try:
                await self._handle(envelope)
            except errors.Refused as refused:
                logger.info("refused", consumer=self._consumer.name, code=refused.code, **_place(envelope))
            except Exception as error:
                attempt += 1
                reason = _reason(error)
                metrics.RETRIES.labels(*self._labels).inc()
                logger.warning(
                    "attempt failed",
                    consumer=self._consumer.name,
                    reason=reason,
                    attempt=attempt,
                    **_place(envelope),
                )
                patience = patience_with(error)
                if attempt >= patience.attempts_max:
                    return reason, attempt
                await asyncio.sleep(patience.delay(attempt))
                continue
            metrics.HANDLED.labels(*self._labels).inc()
            return None

    async def _handle(self, envelope: Envelope) -> None:
        async with self._room, asyncio.timeout(HANDLER_SECONDS):
            (recorded,) = await self._consumer.store.decode(self._log, [envelope])
            await self._consumer.handler(recorded)

    async def _park(self, envelope: Envelope, reason: str, attempts: int) -> None:
        """Keep the event and hold its lane. Until that is stored nothing else of the lane moves."""
        lane = lane_of(envelope)
        if lane not in self._held:
            logger.error("event parked", consumer=self._consumer.name, reason=reason, **_place(envelope))
        self._held.add(lane)
        await self._shelf.park(envelope, reason, attempts)
        metrics.PARKED.labels(*self._labels).inc()

    # -- what goes on beside

    async def _keep_checkpoint(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            await self._save()

    async def _save(self) -> None:
        if (floor := self.floor) > self._checkpoint:
            await self._shelf.advance(floor)
            self._checkpoint = floor

    async def _look_for_redrives(self) -> None:
        while True:
            metrics.PARKED.labels(*self._labels).set(await self._shelf.count())
            for lane in await self._shelf.lanes_to_redrive() - self._redriving:
                self._redriving.add(lane)
                self._enqueue(lane, lambda lane=lane: self._redrive(lane))  # type: ignore[misc]  # bound now
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
            logger.info("redriven", consumer=self._consumer.name, **_place(envelope))
        else:
            self._held.discard(lane)
        self._redriving.discard(lane)


def patience_with(error: Exception) -> Patience:
    """How a failure is borne."""
    return next(patience for kind, patience in PATIENCE if isinstance(error, kind))


def _pull_request(wanted: int) -> bytes:
    return json.dumps(
        {
            "batch": wanted,
            "expires": int(PULL_SECONDS * 1e9),
            "idle_heartbeat": int(HEARTBEAT_SECONDS * 1e9),
        }
    ).encode()


def _ends_pull(status: Msg) -> bool:
    """Whether a status message ends the pull in the ordinary way; NoLongerServed when in another."""
    headers = status.headers or {}
    code, description = headers.get("Status", ""), headers.get("Description", "")
    if code == "100":
        return False
    if code in EXPIRED or description == FULFILLED:
        return True
    raise NoLongerServed(f"The pull ended: {code} {description.strip()}.")


def _place(envelope: Envelope) -> dict[str, Any]:
    return {
        "log": envelope.log,
        "seq": envelope.seq,
        "type": envelope.type,
        "event_id": str(envelope.event_id),
    }


def _reason(error: Exception) -> str:
    """Why an attempt failed. Only our own failures are quoted: others may repeat personal data they choked on."""
    if isinstance(error, errors.Failure):
        return f"{error.code}: {error}"
    return type(error).__name__


def _first_cause(error: BaseException) -> BaseException:
    """What ended a group of tasks."""
    return _first_cause(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
