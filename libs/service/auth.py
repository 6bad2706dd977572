"""Who may call: all but health and metrics needs a token of a known organisation; operations name scopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

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
_CALLER: Final = "redress.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, for which organisation (= log), and what they may do."""

    subject: str
    org: str
    scopes: frozenset[str]


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
