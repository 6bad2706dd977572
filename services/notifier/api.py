"""Notices over HTTP: what was said to whom, sending again, telling by hand, a person's own first reply."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from libs.policy import people
from libs.service import body, idempotency, paging, wiring
from libs.service.commands import Called
from libs.service.fields import Reference
from services.notifier import desk, promise, resend, state, tell, views
from services.notifier.clock import REPLIES
from services.notifier.delivery import NOTICES
from services.notifier.desk import Reader
from services.notifier.models import HandOverBody, NoticeAnswer, NoticeLine, ReplyAnswer, ReplyBody
from services.notifier.views import Status

router: Final = body.Router(tags=["notifications"])


@router.get("/v1/notifications", summary="What was said to whom, and whether it arrived (NTF-2, NTF-5)")
async def list_notifications(
    caller: Reader,
    resources: wiring.Wired,
    window: paging.Asked,
    complaint_id: Annotated[UUID | None, Query(description="Of one complaint.")] = None,
    status: Annotated[Status | None, Query(description="Only those that stand so.")] = None,
    owed_by: Annotated[Reference | None, Query(description="Left to this person to tell by hand.")] = None,
) -> paging.Page[NoticeLine]:
    """In the order they were written. With `owed_by` it is a person's work list (NTF-3)."""
    chosen = views.chosen(complaint_id, status, owed_by)
    async with resources.engine.connect() as connection:
        rows = await views.listed(connection, caller.org, chosen, window.after_time_and_id, window.fetch)
    shown, next_cursor = window.cut(rows, paging.position_by("written_at", "notice_id"))
    return paging.Page(items=[NoticeLine.model_validate(dict(row)) for row in shown], next_cursor=next_cursor)


@router.get("/v1/notifications/{notice_id}", summary="One notice in its words (NTF-4)")
async def read_notification(
    notice_id: UUID, caller: Reader, resources: wiring.Wired, response: Response
) -> NoticeAnswer:
    """The text as it was sent, by which template of which policy version."""
    found, version = await desk.notice(resources, caller.org, notice_id)
    response.headers["ETag"] = idempotency.etag(version)
    return _answer(found, version)


@router.post("/v1/notifications/{notice_id}/resend", summary="Send a notice once more (NTF-3)")
async def resend_notification(notice_id: UUID, call: Called) -> NoticeAnswer:
    """Over all channels anew, to where the recipient is reached now: amend the complaint first if need be."""
    before, _ = await desk.notice(call.resources, call.caller.org, notice_id)
    to, channels = await desk.reached(call, before.letter)
    about = before.letter.written.complaint_id
    command = resend.ResendNotice(
        to=to,
        channels=channels,
        author=call.caller.subject,
        under=_under(call),
        about=await _complained_of(call, about),
        now=call.now,
    )
    standing = await call.submit(NOTICES, notice_id, resend.decide, command, b"", about=about)
    return _answer(standing.state, standing.version)


@router.post("/v1/notifications/{notice_id}/handover", summary="The recipient was told by hand (NTF-3)")
async def hand_over_notification(notice_id: UUID, body: HandOverBody, call: Called) -> NoticeAnswer:
    """It counts as told from then on, and nobody owes it any more."""
    before, _ = await desk.notice(call.resources, call.caller.org, notice_id)
    about = before.letter.written.complaint_id
    command = resend.HandOverNotice(
        how=body.how,
        author=call.caller.subject,
        under=_under(call),
        about=await _complained_of(call, about),
        now=call.now,
    )
    standing = await call.submit(NOTICES, notice_id, resend.decide, command, body, about=about)
    return _answer(standing.state, standing.version)


@router.post("/v1/complaints/{complaint_id}/replies", summary="The customer was answered in person (SLA-1)")
async def tell_customer(complaint_id: UUID, body: ReplyBody, call: Called) -> ReplyAnswer:
    """What somebody said in their own words, on the phone or in person; it may be the first reply."""
    about = await desk.complaint(call.resources, call.caller.org, complaint_id)
    command = tell.TellCustomer(
        debtor=about.debtor(call.policy),
        data_subject=about.data_subject,
        term=about.reply_term(call.policy),
        as_of=about.as_of,
        text=body.text,
        author=call.caller.subject,
        under=_under(call),
        policy=call.policy,
        now=call.now,
    )
    standing = await call.submit(REPLIES, complaint_id, tell.decide, command, body, about=complaint_id)
    return ReplyAnswer(
        complaint_id=complaint_id,
        version=standing.version,
        replied=isinstance(standing.state, promise.Given),
        due_at=about.reply_due_at,
    )


async def _complained_of(call: Called, complaint_id: UUID | None) -> str | None:
    """Whom the complaint is about that a notice tells of; nobody, where it tells of none."""
    if complaint_id is None:
        return None
    return (await desk.complaint(call.resources, call.caller.org, complaint_id)).about(call.policy)


def _under(call: Called) -> frozenset[str]:
    """Everybody whom the caller answers to."""
    return frozenset(people.superiors(call.policy, call.caller.subject))


def _answer(notice: state.Notice, version: int) -> NoticeAnswer:
    assert not isinstance(notice, state.NotWritten), "the step has refused to work on what is not there"
    letter, written = notice.letter, notice.letter.written
    left_to = notice.owed_by if isinstance(notice, state.LeftToPerson) else None
    return NoticeAnswer(
        notice_id=written.notice_id,
        complaint_id=written.complaint_id,
        kind=written.kind,
        recipient=written.recipient,
        person=written.person,
        status=views.status(notice),
        version=version,
        language=written.language,
        template=written.template,
        channels=letter.channels,
        attempts=letter.attempts,
        owed_by=left_to.person if left_to else None,
        to=letter.to,
        subject=written.subject,
        text=written.text,
        due_at=written.due_at,
        written_at=written.written_at,
    )
