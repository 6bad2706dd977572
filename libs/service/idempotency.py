"""Requests that may be sent again: idempotency keys as claims in the log, and versions as entity tags.

A key holds for one caller of one organisation. The first answer is found again by its claim, at any age;
other content under the same key is refused. draft-ietf-httpapi-idempotency-key-header; RFC 9110, 8.8.3, 13.1
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.requests import Request

from libs.events import errors
from libs.events.envelope import Claim, Claimed
from libs.service import auth, failures

REPLAYED: Final = {"Idempotent-Replayed": "true"}
KEY_CHARACTERS_MAX: Final = 255
_KEY: Final = re.compile(r"[\x21\x23-\x7e]{1,255}")
_ETAG: Final = re.compile(r'"([1-9][0-9]{0,17})"')
# The claims of any organisation, whatever their kind, are names in this space.
CLAIMS: Final = UUID("7e1b5c1e-93a4-4b0e-9d0b-52d9a2a5f0c3")


def claim_name(*parts: str) -> UUID:
    """The name of a claim made of `parts`, which no other parts give (each is preceded by its length)."""
    return uuid.uuid5(CLAIMS, "".join(f"{len(part)}:{part}" for part in parts))


def fingerprint(secret: bytes, *parts: bytes) -> bytes:
    """32 bytes over `parts`. Keyed, so that nobody can try out which personal data gave a fingerprint."""
    content = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.digest(secret, content, hashlib.sha256)


def check(claims: Iterable[Claim], taken: Claimed) -> None:
    """IdempotencyMismatch when a claim of ours was taken before with other content."""
    for claim in claims:
        if claim.name == taken.name and not hmac.compare_digest(claim.fingerprint, taken.fingerprint):
            raise errors.IdempotencyMismatch


@dataclass(frozen=True, slots=True)
class Once:
    """The idempotency key of one request, if it has one."""

    request: Request
    key: str | None

    @contextlib.contextmanager
    def claims(self, body: BaseModel | bytes) -> Iterator[tuple[Claim, ...]]:
        """The claims for `Context.claims`, held while the block runs: none without a key.

        RequestInProgress while this process is busy with the same key; others find the claim in the log.
        """
        if self.key is None:
            yield ()
            return
        claim = self._claim(self.key, body)
        running: set[UUID] = self.request.app.state.running
        if claim.name in running:
            raise failures.RequestInProgress
        running.add(claim.name)
        try:
            yield (claim,)
        finally:
            running.remove(claim.name)

    def _claim(self, key: str, body: BaseModel | bytes) -> Claim:
        caller = auth.caller_of(self.request)
        content = body if isinstance(body, bytes) else body.model_dump_json().encode()
        method, path = self.request.method, self.request.scope["path"]
        secret = self.request.app.state.resources.fingerprint_key
        return Claim(
            name=claim_name("key", caller.org, caller.subject, key),
            fingerprint=fingerprint(secret, method.encode(), path.encode(), content),
        )


async def _once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Repeat a request under the same key, and it is carried out once.", max_length=257
        ),
    ] = None,
) -> Once:
    if idempotency_key is None:
        return Once(request, None)
    # The draft makes it a quoted string; most clients send it bare. Both name the same key.
    key = idempotency_key.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        detail = f"A key is 1 to {KEY_CHARACTERS_MAX} visible ASCII characters without quotes"
        raise failures.malformed("/idempotency-key", "key_invalid", detail, "header")
    return Once(request, key)


async def _if_match(
    if_match: Annotated[
        str | None, Header(description="The ETag the caller saw; refused (412) when it is no longer current.")
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip()
    if found := _ETAG.fullmatch(tag):
        return int(found[1])
    if "," in tag:
        raise failures.malformed("/if-match", "etag_list", "Give one entity tag", "header")
    raise errors.StaleVersion  # a tag that we never gave, or a weak one, matches nothing


def etag(version: int) -> str:
    """The entity tag of a stream's version."""
    return f'"{version}"'


# For the signatures of endpoints: `once: idempotency.Key, if_match: idempotency.IfMatch`.
Key = Annotated[Once, Depends(_once)]
IfMatch = Annotated[int | None, Depends(_if_match)]
