"""What intake has to know of a complaint's history elsewhere: whether it is closed (decision 0007)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from libs.events import history
from libs.events.contracts.classify import ClassificationContested
from libs.events.contracts.propose import ComplaintClosed, ComplaintReopened
from libs.events.envelope import Recorded
from libs.events.store import EventStore

# A contest opens it again, and resolution says so in turn (CLS-5).
FOLDED: Final = (ComplaintClosed, ComplaintReopened, ClassificationContested)


def follow(_: bool | None, recorded: Recorded[Any]) -> bool:
    """Whether it is closed after one more of these."""
    return isinstance(recorded.event, ComplaintClosed)


async def is_closed(store: EventStore, log: str, complaint_id: UUID) -> bool:
    """Whether every step had its outcome, and nothing has opened it again since."""
    return bool(await history.of(store, follow, FOLDED).now(log, complaint_id))
