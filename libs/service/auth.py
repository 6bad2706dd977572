"""Who may call: bearer tokens (JWT, RFC 7519) verified against a key set (RFC 7517), and their scopes.

A token says: `iss`, `aud`, `exp`, `sub` (who acts), `org` (the organisation, its log) and `scope`
(words separated by blanks, RFC 8693). EdDSA, ES256 or RS256, by the key that its `kid` names.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

import jwt
from fastapi import Depends, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.events import errors
from libs.events.store import Log
from libs.service import failures, problem

OPEN: Final = frozenset({"/livez", "/readyz", "/metrics"})
ALGORITHMS: Final = ("EdDSA", "ES256", "RS256")
CLAIMS: Final = ("iss", "aud", "exp", "sub", "org")
LEEWAY_SECONDS: Final = 10
TOKEN_CHARACTERS_MAX: Final = 8192
CACHED_TOKENS_MAX: Final = 10_000
FILE_CHECK_SECONDS: Final = 1.0
FETCH_SECONDS_MAX: Final = 1.5
KEYS_SECONDS_MAX: Final = 300.0
UNKNOWN_KEY_PAUSE_SECONDS: Final = 10.0
_CALLER: Final = "redress.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, for which organisation (= log), and what they may do."""

    subject: str
    org: str
    scopes: frozenset[str]


class KeySet(Protocol):
    """Where the keys are that sign tokens."""

    async def key(self, token: str, key_id: str) -> jwt.PyJWK | None:
        """The key of that id, None where there is none; Unavailable when the keys cannot be had."""
        ...

    def changed(self) -> bool:
        """Whether tokens verified before must be verified again."""
        ...


class FileKeys:
    """A key set in a file, read again when it changes; while it is unreadable the last keys hold."""

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._next_check = 0.0
        self._stamp: tuple[int, int] | None = None
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self.changed()
        if not self._keys:
            raise ValueError(f"{path}: not a key set (RFC 7517) with at least one key")

    async def key(self, token: str, key_id: str) -> jwt.PyJWK | None:
        """See `KeySet.key`."""
        return self._keys.get(key_id)

    def changed(self) -> bool:
        """See `KeySet.changed`; looks at the file at most once a second."""
        if self._monotonic() < self._next_check:
            return False
        self._next_check = self._monotonic() + FILE_CHECK_SECONDS
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return False
            keys = {key.key_id: key for key in jwt.PyJWKSet.from_json(self._path.read_text("utf-8"))}
        except (OSError, ValueError, AttributeError, jwt.PyJWTError):
            return False  # a file that is just being replaced; JSON that is no object is an AttributeError
        self._stamp, self._keys = stamp, keys
        return True


class RemoteKeys:
    """A key set at an address, kept for minutes, and fetched again (not often) for an unknown key."""

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(
            url,
            lifespan=KEYS_SECONDS_MAX,
            timeout=FETCH_SECONDS_MAX,
            cooldown_duration=UNKNOWN_KEY_PAUSE_SECONDS,
        )

    async def key(self, token: str, key_id: str) -> jwt.PyJWK | None:
        """See `KeySet.key`."""
        try:
            return await asyncio.to_thread(self._client.get_signing_key, key_id)
        except jwt.PyJWKClientConnectionError:
            raise errors.Unavailable("The keys that sign tokens cannot be fetched.") from None
        except (jwt.PyJWKClientError, jwt.PyJWKSetError):
            return None

    def changed(self) -> bool:
        """See `KeySet.changed`; verified tokens hold until they expire."""
        return False


def keys(file: Path | None, url: str | None) -> KeySet:
    """The key set that settings name: a file, or else an address."""
    return FileKeys(file) if file else RemoteKeys(url or "")


class Verifier:
    """Turns bearer tokens into callers. Verified tokens are remembered, for one is used many times."""

    def __init__(
        self, keys: KeySet, issuer: str, audience: str, now: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self._verified: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def caller(self, token: str) -> Caller:
        """Who holds the token; Unauthenticated says what is wrong with it."""
        if self._keys.changed():
            self._verified.clear()
        if known := self._verified.get(token):
            if self._now() < known[0]:
                return known[1]
            del self._verified[token]
        expires_at, caller = await self._verify(token)
        self._verified[token] = (expires_at, caller)
        if len(self._verified) > CACHED_TOKENS_MAX:
            self._verified.popitem(last=False)
        return caller

    async def _verify(self, token: str) -> tuple[float, Caller]:
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise _refused("The token is too long.")
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.key(token, key_id) if isinstance(key_id, str) else None
            if key is None:
                raise _refused("The token names no key (kid) that is known here.")
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(CLAIMS)},
            )
        except jwt.PyJWTError as error:
            raise _refused(_REASONS.get(type(error), "The token is not valid.")) from None
        return claims["exp"] + LEEWAY_SECONDS, _caller(claims)


def _caller(claims: dict[str, Any]) -> Caller:
    subject, org, scope = claims["sub"], claims["org"], claims.get("scope", "")
    if not all(isinstance(claim, str) and claim.isprintable() for claim in (subject, org, scope)):
        raise _refused("The token's sub, org and scope must be printable text.")
    if not subject or not org:
        raise _refused("The token's sub and org must not be empty.")
    return Caller(subject, org, frozenset(scope.split()))


_REASONS: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidAudienceError: "The token is meant for others.",
    jwt.InvalidIssuerError: "The token's issuer is not trusted here.",
    jwt.InvalidAlgorithmError: f"The token must be signed with {', '.join(ALGORITHMS)}.",
    jwt.MissingRequiredClaimError: f"The token must say {', '.join(CLAIMS)}.",
}


def _refused(reason: str) -> failures.Unauthenticated:
    return failures.Unauthenticated(reason, token_given=True)


class Gate:
    """Stands before all routes: without a token of a known organisation only health and metrics answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._organisations: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            resources = scope["app"].state.resources
            try:
                caller = await resources.tokens.caller(_bearer(scope))
                if caller.org not in self._organisations:
                    await self._look_up(resources.log, caller.org)
            except errors.Failure as failure:
                await problem.response(failure)(scope, receive, send)
                return
            scope[_CALLER] = caller
        await self.app(scope, receive, send)

    async def _look_up(self, log: Log, org: str) -> None:
        self._organisations.update(await log.logs())
        if org not in self._organisations:
            raise errors.UnknownLog


def caller_of(request: Request) -> Caller:
    """Who makes this request; the gate has seen to it that somebody does."""
    caller: Caller = request.scope[_CALLER]
    return caller


def _bearer(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer" and token:
                return str(token.strip())
    raise failures.Unauthenticated


class _Token(SecurityBase):
    """Names the scheme in OpenAPI; the gate has read the token already."""

    def __init__(self) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="JWT with org and scope claims")
        self.scheme_name = "token"

    async def __call__(self, request: Request) -> Caller:
        return caller_of(request)


async def _allowed(needed: SecurityScopes, caller: Annotated[Caller, Depends(_Token())]) -> Caller:
    if not caller.scopes.issuperset(needed.scopes):
        raise failures.InsufficientScope(scope=needed.scope_str)
    return caller


def require(*scopes: str) -> Any:
    """What every operation depends on: `caller: Annotated[Caller, auth.require("complaints:write")]`."""
    return Security(_allowed, scopes=scopes)
