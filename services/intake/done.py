"""When the later steps of a complaint had their outcome, by its history elsewhere (decision 0007)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.events import history
from libs.events.contracts.handling import Step
from libs.events.contracts.improve import ComplaintJoinedImprovement, ImprovementNotNeeded
from libs.events.contracts.investigate import FindingRecorded
from libs.events.contracts.notify import NoticeDelivered, NoticeHandedOver, NoticeKind, Recipient
from libs.events.contracts.propose import ComplaintReopened, ExecutionAdvanced
from libs.events.envelope import Recorded
from libs.events.store import EventStore

Done = Mapping[Step, datetime]
# What is owed for a fault has clocks of its own from when the fault was put to somebody (step 7).
FOLDED: Final = (
    FindingRecorded,
    ExecutionAdvanced,
    NoticeDelivered,
    NoticeHandedOver,
    ComplaintJoinedImprovement,
    ImprovementNotNeeded,
    ComplaintReopened,
)


def follow(done: Done | None, recorded: Recorded[Any]) -> Done:
    """After one more of these; the first outcome of a step counts, and a further round begins anew."""
    event, before = recorded.event, done or {}
    if isinstance(event, ComplaintReopened):
        return {}
    step = _step(event)
    return before if step is None else {step: recorded.envelope.at, **before}


async def steps(store: EventStore, log: str, complaint_id: UUID) -> Done:
    """The later steps that are done, and since when."""
    return await history.of(store, follow, FOLDED).now(log, complaint_id) or {}


def _step(event: Any) -> Step | None:
    match event:
        case FindingRecorded():
            return Step.INVESTIGATE
        case ExecutionAdvanced(complete=True):
            return Step.PROPOSE
        case (
            NoticeDelivered(kind=NoticeKind.SOLUTION, recipient=Recipient.CUSTOMER)
            | NoticeHandedOver(kind=NoticeKind.SOLUTION, recipient=Recipient.CUSTOMER)
        ):
            return Step.NOTIFY
        case ComplaintJoinedImprovement() | ImprovementNotNeeded():
            return Step.IMPROVE
        case _:
            return None
