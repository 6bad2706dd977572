"""What a channel is: it takes a notice out of the house, or says why it could not (NTF-3)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A notice as it leaves: opened, for its reader has to read it. `notice_id` stays over all attempts."""

    log: str
    notice_id: UUID
    complaint_id: UUID | None
    kind: str
    recipient: str
    language: str
    template: str
    written_at: datetime
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)

    def line(self) -> bytes:
        """One line of JSON (UTF-8), for whoever reads it outside."""
        fields = {
            "notice_id": str(self.notice_id),
            "complaint_id": str(self.complaint_id) if self.complaint_id else None,
            "kind": self.kind,
            "recipient": self.recipient,
            "to": self.to,
            "language": self.language,
            "subject": self.subject,
            "text": self.text,
            "template": self.template,
            "written_at": self.written_at.isoformat(),
        }
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


class Failed(Exception):
    """The notice did not arrive; the sentence says why, and names nothing personal."""


class Channel(Protocol):
    """One way to a recipient. The same notice may come twice: it is sent at least once."""

    async def send(self, notice: Outgoing) -> None:
        """Return when it has arrived as far as the channel can tell; Failed where it has not."""
        ...
