"""The kinds of failure, each a class here; translated to HTTP and to the bus in exactly one place each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class Failure(Exception):
    """The request could not be carried out."""

    code: ClassVar[str] = "failure"

    def __init__(self, detail: str | None = None, **facts: Any) -> None:
        """`detail` replaces the class's own sentence; `facts` are particulars for machines."""
        super().__init__(detail or (type(self).__doc__ or "").strip().splitlines()[0])
        self.facts: Mapping[str, Any] = facts


class Malformed(Failure):
    """The request is not well formed."""

    code = "malformed"


class Refused(Failure):
    """The business rules do not allow this; subclasses say which rule, by a stable `code`."""

    code = "refused"


class NotFound(Failure):
    """There is no such thing."""

    code = "not_found"


class StaleVersion(Failure):
    """What the caller saw has changed since."""

    code = "stale_version"


class VersionConflict(Failure):
    """Others kept writing to the same stream; the command was tried several times in vain."""

    code = "version_conflict"


class Unavailable(Failure):
    """Something this service depends on does not answer."""

    code = "unavailable"

    def __init__(self, detail: str | None = None, *, retry_after_seconds: int = 1, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.retry_after_seconds = retry_after_seconds


class ContractError(Failure):
    """A stored or received event does not fit any contract known here."""

    code = "contract_error"


class IdempotencyMismatch(Failure):
    """The same reference or key was used before with other content."""

    code = "idempotency_mismatch"


class EventIdTaken(Failure):
    """An event with this id is on record with other content."""

    code = "event_id_taken"


class ForeignStream(Failure):
    """This database role does not own the category of the stream it tried to append to."""

    code = "foreign_stream"


class UnknownLog(Failure):
    """There is no log for this organisation."""

    code = "unknown_organisation"
