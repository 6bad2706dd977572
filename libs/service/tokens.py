"""Bearer tokens (JWT, RFC 7519), verified and remembered.

A token says: `iss`, `aud`, `exp`, `sub` (who acts), `org` (the organisation, its log) and `scope`
(words separated by blanks, RFC 8693). EdDSA, ES256 or RS256, by the key that its `kid` names.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import jwt

from libs.service import failures
from libs.service.auth import Caller
from libs.service.keyset import KeySet

ALGORITHMS: Final = ("EdDSA", "ES256", "RS256")
CLAIMS: Final = ("iss", "aud", "exp", "sub", "org")
LEEWAY_SECONDS: Final = 10
TOKEN_CHARACTERS_MAX: Final = 8192
CACHED_TOKENS_MAX: Final = 10_000


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
