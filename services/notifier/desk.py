"""Finds what a person asks about: a notice in its words, or the first reply a customer is owed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from libs.events import errors
from libs.events.contracts.notify import Recipient
from libs.service import auth, commands
from libs.service.auth import Caller
from libs.service.wiring import Resources
from services.notifier import history, state, writing
from services.notifier.delivery import NOTICES
from services.notifier.history import Complaint

# For the signatures of endpoints.
Reader = Annotated[Caller, auth.require("complaints:read")]


async def notice(resources: Resources, log: str, notice_id: UUID) -> tuple[state.Known, int]:
    """A notice and its version; NotFound where there is none of that id."""
    past = await resources.store.read_stream(log, NOTICES.name(notice_id))
    # A stream of this service may also be that of a complaint's first reply.
    if not past or getattr(past[0].event, "notice_id", None) != notice_id:
        raise errors.NotFound("There is no such notice.")
    found = NOTICES.fold(NOTICES.initial, [each.event for each in past])
    assert not isinstance(found, state.NotWritten), "its first event wrote it"
    return found, past[-1].envelope.version


async def complaint(resources: Resources, log: str, complaint_id: UUID) -> Complaint:
    """A complaint as it stands now; NotFound where there is none."""
    found = await history.of(resources.store).now(log, complaint_id)
    if found is None:
        raise errors.NotFound("There is no such complaint.")
    return found


async def reached(call: commands.Call, letter: state.Letter) -> tuple[str, tuple[str, ...]]:
    """Where the recipient is reached as of now, and over which channels in turn."""
    written = letter.written
    channels = call.policy.notices.channels_for(written.recipient)
    if written.recipient is Recipient.STAFF or written.complaint_id is None:
        return letter.to, channels
    about = await complaint(call.resources, call.caller.org, written.complaint_id)
    return writing.address(about.complainant), writing.in_turn(channels, about.complainant)
