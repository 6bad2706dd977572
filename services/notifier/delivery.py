"""Sends what is due: one attempt over one channel, then on record what became of it (NTF-3, traps 12 to 14).

The first attempt follows the writing; every later one is a deadline that the clock passes, so that no retry
depends on anybody's publishing it. A notice is sent at least once, under the same id each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from prometheus_client import Counter

from libs.events.contracts.personal import Erased
from libs.events.decider import Stream, standing, transact
from libs.events.store import Context
from libs.policy.pack import Pack
from libs.service import telemetry
from libs.service.outbound import Outbound
from libs.service.wiring import Resources
from services.notifier import deliver, history, state
from services.notifier.channels.channel import Channel, Failed, Outgoing
from services.notifier.channels.jetstream import JetStream
from services.notifier.channels.outbox import Outbox

NOTICES: Final[Stream[state.Notice]] = Stream("notifier", state.INITIAL, state.evolve)
CHANNEL_SECONDS_MAX: Final = 10.0
FAMILY: Final = "notices"

attempts = Counter("redress_notice_attempts", "Attempts to deliver a notice.", ["channel", "outcome"])


def channels(resources: Resources) -> dict[str, Channel]:
    """The channels of this service, by the names that policies use."""
    return {
        "outbox": Outbox(resources.settings.outbox_dir),
        "jetstream": JetStream(Outbound(FAMILY, resources.bus)),
    }


class Sender:
    """Sends notices of any organisation."""

    def __init__(self, resources: Resources, by_name: Mapping[str, Channel]) -> None:
        self._resources = resources
        self._channels = by_name

    async def send(
        self, log: str, notice_id: UUID, *, first: bool = False, cause: UUID | None = None
    ) -> None:
        """Make the attempt that is due, if one is; with `first` only if none was made before.

        `cause`: the event that calls for it; None where a clock does.
        """
        notice = (await standing(self._resources.store, log, NOTICES, notice_id)).state
        if not isinstance(notice, state.Sending) or not self._is_due(notice, first):
            return
        failure = await self._attempt(log, notice)
        attempts.labels(notice.channel, "failed" if failure else "delivered").inc()
        now = self._resources.now()
        policy = await self._resources.policies.in_force(log, now)
        command = deliver.RecordAttempt(
            channel=notice.channel,
            attempt=notice.letter.attempts + 1,
            failure=failure,
            final=_erased(notice.letter),
            about=await self._about(log, notice.letter, policy) if failure else None,
            policy=policy,
            now=now,
        )
        context = Context(
            actor="notifier",
            complaint_id=notice.letter.written.complaint_id,
            caused_by=cause,
            traceparent=telemetry.traceparent(),
        )
        await transact(self._resources.store, log, NOTICES, notice_id, deliver.decide, command, context)

    async def _about(self, log: str, letter: state.Letter, policy: Pack) -> str | None:
        """The person complained of (ASG-4)."""
        complaint_id = letter.written.complaint_id
        if complaint_id is None:
            return None
        complaint = await history.of(self._resources.store).now(log, complaint_id)
        return complaint.about(policy) if complaint else None

    def _is_due(self, notice: state.Sending, first: bool) -> bool:
        """The first attempt is due as soon as there is something to send, whatever the clocks say."""
        if notice.letter.attempts == 0:
            return True
        return not first and notice.next_at <= self._resources.now()

    async def _attempt(self, log: str, notice: state.Sending) -> str | None:
        """Why it did not arrive; None when it did."""
        channel = self._channels.get(notice.channel)
        if _erased(notice.letter):
            return "the recipient's personal data was erased"
        if channel is None:
            return "there is no such channel here"
        try:
            async with asyncio.timeout(CHANNEL_SECONDS_MAX):
                await channel.send(outgoing(log, notice.letter))
        except Failed as failed:
            return str(failed)
        except TimeoutError:
            return f"the channel took longer than {CHANNEL_SECONDS_MAX:.0f} s"
        return None


def outgoing(log: str, letter: state.Letter) -> Outgoing:
    """The notice as it leaves the house."""
    written = letter.written
    return Outgoing(
        log=log,
        notice_id=written.notice_id,
        complaint_id=written.complaint_id,
        kind=written.kind,
        recipient=written.recipient,
        language=written.language,
        template=written.template,
        written_at=written.written_at,
        to=letter.to,
        subject=written.subject,
        text=written.text,
    )


def _erased(letter: state.Letter) -> bool:
    return isinstance(letter.to, Erased) or isinstance(letter.written.text, Erased)
