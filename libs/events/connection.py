"""The process's one connection to NATS: made anew whenever it is lost, and never in the way of an append."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Final, Self
from weakref import WeakKeyDictionary

import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.manager import JetStreamManager

from libs.events import bus, errors
from libs.events.bus import Message
from libs.events.tasks import end

CONNECT_SECONDS: Final = 5
REQUEST_SECONDS: Final = 5.0
RECONNECT_SECONDS_MIN: Final = 0.05
RECONNECT_SECONDS_MAX: Final = 1.0
CLOSED_CHECK_SECONDS: Final = 0.5
PING_SECONDS: Final = 5
PINGS_UNANSWERED_MAX: Final = 2
ANSWER_SECONDS_MAX: Final = 1.0
ANSWER_KEPT_SECONDS: Final = 1.0

Concerns = Callable[[str, str], bool]  # whether an event of this stream and type does

logger = structlog.get_logger(__name__)


def everything(stream: str, event_type: str) -> bool:
    """The default of `Connection.listen`."""
    return True


class _Client(Client):
    """nats-py with three things it has no way to ask for."""

    def fail_requests(self) -> None:
        """Have whoever waits for an answer hear that none will come; the client lets them wait it out."""
        for answer in [*self._resp_map.values()]:
            if not answer.done():
                answer.set_exception(nats.errors.ConnectionClosedError())

    async def answers(self, seconds: float) -> bool:
        """Whether the server answers within so many seconds.

        The client's own `flush` ends its reading for good where the answer comes after the deadline.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(seconds):
                await self._send_ping(answer)
                await asyncio.wait({answer})  # a deadline leaves it open for the client, who may yet set it
        return answer.done()

    async def publish_many(self, messages: Iterable[Message]) -> None:
        """Publish many messages at the cost of one (the client's own way checks every header anew).

        There are no replies. Headers must be plain text, as `bus.to_message` makes them.
        """
        if not self.is_connected:
            raise nats.errors.ConnectionClosedError
        await self._send_command(b"".join(_command(message) for message in messages))
        await self._flush_pending()


def _command(message: Message) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in message.headers.items())
    header = f"NATS/1.0\r\n{lines}\r\n".encode()
    sizes = len(header), len(header) + len(message.payload)
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (message.subject.encode(), *sizes, header, message.payload)


class Connection:
    """`async with Connection(url)` returns at once and connects in the background, for as long as it is open.

    Each reconnection is a new client: subscriptions of a lost one are dead, and whoever holds one finds out
    by a deadline and makes another. The client's own reconnecting is off: it replays what was buffered, and
    can leave a pull waiting for ever.
    """

    def __init__(self, url: str, name: str = "redress") -> None:
        self._url = url
        self._name = name
        self._client: _Client | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()
        self._answered = False
        self._asked_at = -ANSWER_KEPT_SECONDS  # of the loop's clock
        self._listeners: defaultdict[str, WeakKeyDictionary[asyncio.Event, Concerns]] = defaultdict(
            WeakKeyDictionary
        )

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep(), name="nats connection")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            await end({self._keeper})
        self._keeper = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection just now."""
        return self._client is not None and self._client.is_connected

    async def answers(self) -> bool:
        """Whether the server answers: a frozen one is connected for several seconds more.

        Told within `ANSWER_SECONDS_MAX`; asked at most once in `ANSWER_KEPT_SECONDS`, however often we are.
        """
        async with self._asking:
            loop = asyncio.get_running_loop()
            if self.connected and loop.time() >= self._asked_at + ANSWER_KEPT_SECONDS:
                self._answered = await self.client.answers(ANSWER_SECONDS_MAX)
                self._asked_at = loop.time()
        return self.connected and self._answered

    @property
    def client(self) -> _Client:
        """The client of the present connection; Unavailable when there is none."""
        if self._client is None or not self._client.is_connected:
            raise errors.Unavailable("The bus is not connected.")
        return self._client

    @property
    def jetstream(self) -> JetStreamManager:
        """JetStream's management requests, each with a deadline; Unavailable when there is no connection."""
        return self.client.jsm(timeout=REQUEST_SECONDS)

    async def request(self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None) -> Msg:
        """The answer to a request; Unavailable when there is no connection, no answer, or not in time."""
        try:
            return await self.client.request(subject, payload, timeout=REQUEST_SECONDS, headers=headers)
        except nats.errors.Error as error:
            raise errors.Unavailable(f"The bus did not answer: {type(error).__name__}.") from error

    async def publish(self, messages: Iterable[Message]) -> None:
        """Send messages that nobody answers; Unavailable when there is no connection."""
        try:
            await self.client.publish_many(messages)
        except nats.errors.Error as error:
            raise errors.Unavailable("The bus was lost while publishing.") from error

    async def wake(self, log: str, seq: int, stream: str, types: Collection[str]) -> None:
        """Tell all whom it concerns, in every process, that `log` has grown; for `EventStore.on_appended`.

        Never fails and never waits for NATS: a lost call is made good by everybody's poll.
        """
        self._notify(log, stream, types)
        if self.connected:
            with contextlib.suppress(nats.errors.Error, errors.Unavailable):
                await self.client.publish(bus.appended(log), " ".join((stream, *types)).encode())

    def listen(self, log: str, concerns: Concerns = everything) -> asyncio.Event:
        """An event set at each append to `log` that `concerns` its listener, who clears it.

        It is forgotten with the listener.
        """
        event = asyncio.Event()
        self._listeners[log][event] = concerns
        return event

    async def until_connected(self) -> None:
        """Return when there is a connection."""
        while not self.connected:  # noqa: ASYNC110 what is connected now may be lost at the next look
            await asyncio.sleep(RECONNECT_SECONDS_MIN)

    def _notify(self, log: str, stream: str, types: Collection[str]) -> None:
        for event, concerns in self._listeners.get(log, {}).items():
            if not event.is_set() and any(concerns(stream, each) for each in types):
                event.set()

    async def _keep(self) -> None:
        pause = RECONNECT_SECONDS_MIN
        told = False
        while True:
            closed = asyncio.Event()
            client = _Client()
            try:
                await self._connect(client, closed)
                self._client = client
                logger.info("bus connected")
                pause, told = RECONNECT_SECONDS_MIN, False
                await self._until_closed(client, closed)
                logger.warning("bus connection lost")
                told = True
            except (OSError, TimeoutError, nats.errors.Error) as error:
                if not told:
                    logger.warning("bus unreachable", error=type(error).__name__)
                    told = True
            finally:
                self._client = None
                client.fail_requests()
                with contextlib.suppress(OSError, nats.errors.Error):
                    await client.close()
            await asyncio.sleep(pause)
            pause = min(2 * pause, RECONNECT_SECONDS_MAX)

    async def _connect(self, client: _Client, closed: asyncio.Event) -> None:
        async def on_closed() -> None:
            closed.set()

        async def on_error(error: Exception) -> None:
            # Without a callback the client prints a traceback for each. What matters is a lost connection.
            logger.debug("bus client error", error=type(error).__name__)

        async def on_appended(message: Msg) -> None:
            stream, *types = message.data.decode().split()
            self._notify(message.subject.rpartition(".")[2], stream, types)

        async with asyncio.timeout(CONNECT_SECONDS):
            await client.connect(
                self._url,
                name=self._name,
                error_cb=on_error,
                disconnected_cb=on_closed,
                closed_cb=on_closed,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_SECONDS,
                ping_interval=PING_SECONDS,
                max_outstanding_pings=PINGS_UNANSWERED_MAX,
                pending_size=0,  # nothing is kept back for a connection to come
                no_echo=True,  # this process's own appends are told within it
                skip_subject_validation=True,
            )
            await client.subscribe(bus.appended("*"), cb=on_appended)

    async def _until_closed(self, client: _Client, closed: asyncio.Event) -> None:
        # The client can close without calling back (its last flush may fail), so it is also looked at.
        while not client.is_closed and client.is_connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSED_CHECK_SECONDS):
                    await closed.wait()
