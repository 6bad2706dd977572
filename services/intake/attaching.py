"""Attachments over HTTP: the file itself is the body; its type is checked against its content (REC-10)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from email.message import Message
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

import uuid_utils.compat as uuids
from fastapi import Header, Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec, errors
from libs.events.contracts import intake as events
from libs.service import body, failures
from libs.service.fields import Reference
from services.intake import attach, attachments, dossier, media, state
from services.intake.desk import AtDesk, Called, PersonalReader, Reader

router: Final = body.Router(tags=["attachments"])

_DIGEST: Final = re.compile(r"(?:^|,\s*)sha-256=:([A-Za-z0-9+/]{43}=):")
_FILE: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final = {"required": True, "content": {media_type: _FILE for media_type in media.SIGNATURES}}


@router.post(
    "/v1/complaints/{complaint_id}/attachments",
    status_code=201,
    summary="Keep a file with the complaint (REC-10)",
    max_body_size=attachments.BYTES_MAX,
    openapi_extra={"requestBody": _BODY},
    responses={200: {"model": dossier.Attachment, "description": "This content was attached before"}},
)
async def add_attachment(
    complaint_id: UUID,
    filename: Annotated[Reference, Query(description="As people know it.")],
    request: Request,
    call: Called,
    content_digest: Annotated[
        str | None,
        Header(description="`sha-256=:<base64>:` (RFC 9530); a file that arrived otherwise is refused."),
    ] = None,
) -> dossier.Attachment:
    """The same content is attached once, whatever its name."""
    media_type = _media_type(request)
    content = await request.body()
    _check(content, media_type, content_digest)
    complaint = await call.desk.complaint(call.caller.org, complaint_id)
    if isinstance(complaint, state.NotRecorded):
        raise errors.NotFound("There is no such complaint.")
    sha256 = await call.desk.attachments.keep(call.caller.org, complaint.record.data_subject, content)
    command = attach.AddAttachment(
        complaint_id=complaint_id,
        attachment_id=uuids.uuid7(),
        filename=filename,
        media_type=media_type,
        size_bytes=len(content),
        sha256=sha256,
        author=call.caller.subject,
        now=call.now,
    )
    said = "\x00".join((media_type, filename, sha256)).encode()
    standing = await call.carry_out(complaint_id, attach.decide, command, said)
    kept = _of_content(standing.state, sha256)
    call.response.headers["Location"] = f"/v1/complaints/{complaint_id}/attachments/{kept.attachment_id}"
    if kept.attachment_id != command.attachment_id:
        call.response.status_code = 200
    return dossier.attachment(kept)


@router.get("/v1/complaints/{complaint_id}/attachments", summary="The files kept with a complaint")
async def list_attachments(complaint_id: UUID, caller: Reader, desk: AtDesk) -> list[dossier.Attachment]:
    """Names need personal:read."""
    history = await desk.history(caller.org, complaint_id)
    return list(dossier.build(history, personal="personal:read" in caller.scopes).attachments)


@router.get(
    "/v1/complaints/{complaint_id}/attachments/{attachment_id}",
    summary="One file, as it came",
    response_class=Response,
    responses={200: {"content": {media_type: _FILE for media_type in media.SIGNATURES}}},
)
async def read_attachment(
    complaint_id: UUID, attachment_id: UUID, caller: PersonalReader, desk: AtDesk
) -> Response:
    """Byte for byte; 404 with code `erased` where it was erased with its person's data."""
    for each in await desk.history(caller.org, complaint_id):
        kept = each.event
        if isinstance(kept, events.AttachmentAdded) and kept.attachment_id == attachment_id:
            key_id = codec.key_named_in(each.envelope.body)
            assert key_id is not None  # a name is always sealed
            content = await desk.attachments.read(caller.org, key_id, kept.sha256)
            return Response(content, media_type=kept.media_type, headers=_download(kept))
    raise errors.NotFound("There is no such attachment.")


def _media_type(request: Request) -> str:
    body.require_media_type(request, *media.SIGNATURES)
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    return message.get_content_type()


def _check(content: bytes, media_type: str, digest: str | None) -> None:
    if digest is not None:
        given = _DIGEST.search(digest)
        if given is None:
            raise failures.malformed("/content-digest", "digest_invalid", "Give sha-256=:<base64>:", "header")
        if not hmac.compare_digest(base64.b64decode(given[1]), hashlib.sha256(content).digest()):
            raise failures.malformed(
                "/content-digest", "digest_mismatch", "What arrived has another SHA-256", "header"
            )
    if not media.fits(content, media_type):
        raise failures.malformed("", "media_type_mismatch", f"The content is not {media_type}")


def _of_content(complaint: state.Complaint, sha256: str) -> events.AttachmentAdded:
    assert not isinstance(complaint, state.NotRecorded), "the step has refused"
    return next(kept for kept in complaint.record.attachments if kept.sha256 == sha256)


def _download(kept: events.AttachmentAdded) -> dict[str, str]:
    """A browser saves it and guesses nothing."""
    digest = base64.b64encode(bytes.fromhex(kept.sha256)).decode()
    return {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(kept.filename, safe='')}",
        "content-digest": f"sha-256=:{digest}:",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
    }
