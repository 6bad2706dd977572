"""The notifier on a log in memory: others' pens, channels that can be made to fail, a clock by hand."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from libs.events.contracts import notify as events
from libs.events.contracts import registry
from libs.events.envelope import Recorded
from libs.events.memory import MemoryLog
from libs.service.clock import Clock
from libs.service.deadlines import MemoryDeadlines
from libs.service.reaction import Reaction
from libs.service.wiring import Resources
from services.notifier import clock, reactions
from services.notifier.channels.channel import Failed, Outgoing
from services.notifier.delivery import NOTICES, Sender
from tests.complaint_history import NOW, Writer
from tests.contract import samples

T = TypeVar("T")


def happened(event_class: type[T], **changes: Any) -> T:
    """An event of any contract: what matters is given, the rest is filled in."""
    filled: Any = samples.sample(event_class, registry.contract_of(event_class).name)
    made: T = replace(filled, **changes)
    return made


class Hatch:
    """A channel in memory; it fails for the addresses in `shut`, and for all when that holds a star."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.tries: defaultdict[UUID, int] = defaultdict(int)
        self.shut: set[str] = set()

    async def send(self, notice: Outgoing) -> None:
        """See `Channel.send`."""
        self.tries[notice.notice_id] += 1
        if self.shut & {"*", notice.to}:
            raise Failed("the hatch is shut")
        self.sent.append(notice)


@dataclass
class Office:
    """The service's reactions and clock; `pen` writes what other services say."""

    resources: Resources
    pen: Writer
    hear: tuple[Reaction, ...]
    kept: MemoryDeadlines
    ticking: Clock
    outbox: Hatch
    jetstream: Hatch
    now: list[datetime] = field(default_factory=lambda: [NOW])
    noted: int = 0

    async def says(self, event: Any, key: UUID | None = None, category: str = "intake") -> Recorded[Any]:
        """Another service says something, and whatever follows from it is done."""
        said = await self.pen.says(event, key, category)
        await self.settle()
        return said

    async def settle(self) -> None:
        """Hear everything there is to hear, in log order, until nothing new comes."""
        while page := await self.resources.store.read("main", after=self.noted):
            for recorded in page:
                self.noted = recorded.envelope.seq
                self.kept.note(recorded)
                await self.hears(recorded)

    async def hears(self, recorded: Recorded[Any]) -> None:
        """Hear one event, for the first time or again."""
        for reaction in self.hear:
            if isinstance(recorded.event, reaction.events):
                await reaction.handle(recorded)

    async def waits(self, time: timedelta) -> None:
        """Time goes by, and everything that falls due in it is passed at its time."""
        until = self.now[0] + time
        while (at := self.kept.next_at("main")) is not None and at <= until:
            self.now[0] = max(self.now[0], at)
            for deadline in await self.kept.due("main", self.now[0]):
                await self.ticking.pass_deadline(deadline)
            await self.settle()
        self.now[0] = until

    async def everything(self) -> list[Any]:
        """All that is on record, in log order."""
        return [each.event for each in await self.resources.store.read("main")]

    async def said(self, kind: type[T]) -> list[T]:
        """What is on record of one kind."""
        return [event for event in await self.everything() if isinstance(event, kind)]

    async def written(self) -> list[tuple[str, str]]:
        """What was written to whom: kind, and person or `customer`."""
        return [
            (notice.kind, notice.person or "customer") for notice in await self.said(events.NoticeWritten)
        ]

    async def text(self, kind: str) -> str:
        """The words of the newest notice of that kind."""
        return next(n.text for n in reversed(await self.said(events.NoticeWritten)) if n.kind == kind)


def office(shared: Resources) -> Office:
    """A new one, with nothing on record."""
    now = [NOW]
    resources = replace(shared, log=MemoryLog("main", now=lambda: now[0]), now=lambda: now[0])
    outbox, jetstream = Hatch(), Hatch()
    sender = Sender(resources, {"outbox": outbox, "jetstream": jetstream})
    kept = MemoryDeadlines(NOTICES.category, clock.changes)
    return Office(
        resources=resources,
        pen=Writer(resources.store),
        hear=reactions.sending(resources, sender),
        kept=kept,
        ticking=clock.clock(resources, kept, sender),
        outbox=outbox,
        jetstream=jetstream,
        now=now,
    )
