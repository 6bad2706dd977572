"""An event as whoever follows a log hears of it, for tests that need no log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.events.envelope import Envelope, Recorded

NIL = UUID(int=0)


def recorded(event: Any, stream: str, at: datetime, seq: int = 1) -> Recorded[Any]:
    """`event` in a log called main, of a complaint where it names one."""
    about = getattr(event, "complaint_id", None)
    envelope = Envelope("main", seq, NIL, stream, seq, "t", about, "somebody", None, "", at, b"", b"")
    return Recorded(event, envelope)
