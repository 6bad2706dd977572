"""The JetStream stream of one log: made, looked over, written to in the log's numbers, thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

import nats.js.errors
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo

from libs.events import bus, errors
from libs.events.bus import Message
from libs.events.connection import Connection
from libs.events.store import Log

# nats-server takes at most 1,000 messages in one atomic batch (ADR-50), and holds them until the commit.
BATCH_MESSAGES_MAX: Final = 500
# An atomic batch has a fixed price of some milliseconds: a few messages, each naming its place, are faster.
ATOMIC_FROM: Final = 16
BATCH_BYTES_MAX: Final = 4 * 1024 * 1024
WRONG_LAST_SEQUENCE: Final = 10071


class Overtaken(errors.Failure):
    """The stream does not end where the publisher thought: somebody else published, or it is another one."""

    code = "overtaken"


@dataclass(frozen=True, slots=True)
class Inspection:
    """The stream against the log: its last sequence (None: there is no stream), and why it cannot stay."""

    last: int | None
    fault: str | None = None


def configuration(log: str) -> StreamConfig:
    """Everything is kept, and no single message can be deleted through the API: only the whole stream.

    `NEW`: should somebody set a limit, the relay stops there; the oldest event is never dropped for it.
    """
    return StreamConfig(
        name=bus.stream_of(log),
        subjects=[bus.subjects_of(log)],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=0,
        max_msgs=-1,
        max_bytes=-1,
        max_msgs_per_subject=-1,
        max_msg_size=-1,
        allow_atomic=True,
        allow_direct=True,
        deny_delete=True,
        deny_purge=True,
    )


async def create(connection: Connection, log: str) -> None:
    """Make the stream, empty; nothing to do where there is the same one."""
    await connection.jetstream.add_stream(configuration(log))


async def delete(connection: Connection, log: str) -> None:
    """Throw the stream away, its consumers with it; nothing to do where there is none."""
    with contextlib.suppress(nats.js.errors.NotFoundError):
        await connection.jetstream.delete_stream(bus.stream_of(log))


async def inspect(connection: Connection, log: Log, name: str) -> Inspection:
    """Compare the stream of the log `name` with the log. Cheap: a look at each end, none in between.

    What was published under expected sequences is the log's beginning as long as nothing was deleted and its
    last message is the log's: any other would have taken a number, and the next batch been refused.
    """
    try:
        served = await connection.jetstream.stream_info(bus.stream_of(name))
    except nats.js.errors.NotFoundError:
        return Inspection(None)
    state = served.state
    if fault := _misconfigured(served, name) or _incomplete(served):
        return Inspection(state.last_seq, fault)
    if state.last_seq == 0:
        return Inspection(0)
    stored = await connection.jetstream.get_msg(bus.stream_of(name), seq=state.last_seq)
    truth = await log.read(name, after=state.last_seq - 1, limit=1)
    if not truth:
        return Inspection(state.last_seq, "is ahead of the log")
    try:
        agrees = bus.from_message(stored.headers, stored.data) == truth[0]
    except bus.NotFromTheLog:
        agrees = False
    return Inspection(state.last_seq, None if agrees else "ends with a message that is not the log's")


def _incomplete(served: StreamInfo) -> str | None:
    state = served.state
    if state.messages == state.last_seq and not state.num_deleted and not state.lost:
        return None
    return f"holds {state.messages} messages of {state.last_seq}, from {state.first_seq}"


def _misconfigured(served: StreamInfo, log: str) -> str | None:
    stored, wanted = served.config.as_dict(), configuration(log).as_dict()
    wanted.pop("duplicate_window")  # unused, and the server has its own default
    differing = sorted(key for key, value in wanted.items() if stored.get(key, value) != value)
    return f"is configured otherwise: {', '.join(differing)}" if differing else None


async def publish(connection: Connection, log: str, messages: Sequence[Message], after: int) -> int:
    """Append `messages` to the stream if its last sequence is `after`; gives the new one.

    Raises Overtaken when it is not; Unavailable when an answer did not come. Then some of the first messages
    may be there, in their places, and the rest is not.
    """
    if len(messages) < ATOMIC_FROM:
        numbered = enumerate(messages, start=after)
        answers = await asyncio.gather(*(_publish_one(connection, each, place) for place, each in numbered))
    else:
        answers = [await _publish_batch(connection, messages, after)]
    for answer in answers:
        _raise_for(answer)
    last = after + len(messages)
    if answers[-1]["stream"] != bus.stream_of(log) or answers[-1]["seq"] != last:
        raise Overtaken
    return last


def _raise_for(answer: Mapping[str, Any]) -> None:
    error = answer.get("error", {})
    if error.get("err_code") == WRONG_LAST_SEQUENCE:
        raise Overtaken
    if error:
        raise errors.Unavailable(f"The stream refused: {error.get('err_code')} {error.get('description')}.")


async def _publish_one(connection: Connection, message: Message, after: int) -> dict[str, Any]:
    headers = message.headers | {"Nats-Expected-Last-Sequence": str(after)}
    return _read(await connection.request(message.subject, message.payload, headers))


async def _publish_batch(connection: Connection, messages: Sequence[Message], after: int) -> dict[str, Any]:
    """ADR-50. Only the commit is answered; whatever went wrong before it, the batch is refused as a whole."""
    batch = {"Nats-Batch-Id": uuid4().hex}
    first = {"Nats-Expected-Last-Sequence": str(after)}
    numbered = [
        replace(message, headers=message.headers | batch | {"Nats-Batch-Sequence": str(number)})
        for number, message in enumerate(messages, start=1)
    ]
    numbered[0].headers.update(first)
    *opening, last = numbered
    await connection.publish(opening)
    commit = last.headers | {"Nats-Batch-Commit": "1"}
    return _read(await connection.request(last.subject, last.payload, commit))


def _read(answer: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(answer.data)
    return decoded
