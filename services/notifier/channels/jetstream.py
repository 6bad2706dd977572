"""The channel `jetstream`: each notice is published on `notices.<log>.<kind>` for other systems (NTF-6)."""

from __future__ import annotations

from typing import Protocol

from libs.events import errors
from services.notifier.channels.channel import Failed, Outgoing


class Publisher(Protocol):
    """See `libs.service.outbound.Outbound`."""

    async def publish(self, log: str, what: str, id: str, payload: bytes) -> None:
        """Unavailable where it may not have been stored."""
        ...


class JetStream:
    """The stream `notices-<log>`; the notice's id is the message's, so repeats can be told."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def send(self, notice: Outgoing) -> None:
        """See `Channel.send`: it has arrived when the stream has stored it."""
        try:
            await self._publisher.publish(notice.log, notice.kind, str(notice.notice_id), notice.line())
        except errors.Unavailable as error:
            raise Failed(str(error)) from None
