"""What intake has to know of a complaint's history elsewhere: whether it is closed (decision 0007)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from libs.events.contracts.classify import ClassificationContested
from libs.events.contracts.propose import ComplaintClosed, ComplaintReopened
from libs.events.contracts.registry import contract_of
from libs.events.store import Log

_CLOSED: Final = contract_of(ComplaintClosed).name
# A contest opens it again, and resolution says so in turn (CLS-5).
_OPENED: Final = {contract_of(ComplaintReopened).name, contract_of(ClassificationContested).name}


async def is_closed(of: Log, log: str, complaint_id: UUID) -> bool:
    """Whether every step had its outcome, and nothing has opened it again since."""
    closed, after = False, 0
    while page := await of.read(log, after, complaint_id=complaint_id):
        for envelope in page:
            closed = envelope.type == _CLOSED or (closed and envelope.type not in _OPENED)
        after = page[-1].seq
    return closed
