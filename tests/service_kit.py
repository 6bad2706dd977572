"""For tests of services: an application on a log in memory (or real servers), a client, tokens, problems."""

import asyncio
import base64
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from fastapi import FastAPI
from pydantic import SecretStr

from libs.events.connection import Connection
from libs.events.keys import KeyEncryptionKey
from libs.events.memory import MemoryLog
from libs.events.store import Log
from libs.policy import pack
from libs.service import database, keyset, tokens, wiring
from libs.service.app import Service, create_app
from libs.service.settings import Settings

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
SCOPES = "complaints:read complaints:write"
KEY_ID = "test"
SECONDS_MAX = 20.0
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"a key that only tests sign with.")

# By default errors would be drawn with every variable in every frame, which takes seconds each.
structlog.configure(processors=[structlog.stdlib.add_log_level, structlog.processors.KeyValueRenderer()])


def token(**claims: Any) -> str:
    """A token of somebody in organisation `main` who may read and write; a claim that is None is left out."""
    said: dict[str, Any] = {
        "iss": "redress",
        "aud": "redress",
        "sub": "li.wei",
        "org": "main",
        "scope": SCOPES,
        "exp": int(time.time()) + 3600,
        **claims,
    }
    header = {"kid": KEY_ID}
    return jwt.encode(
        {k: v for k, v in said.items() if v is not None}, SIGNING_KEY, algorithm="EdDSA", headers=header
    )


def key_set() -> str:
    """The key set (RFC 7517) that verifies `token`."""
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(SIGNING_KEY.public_key()))
    return json.dumps({"keys": [{**public, "kid": KEY_ID, "alg": "EdDSA", "use": "sig"}]})


def private_key_pem() -> bytes:
    """The signing key, for a test that gives it to another process."""
    return SIGNING_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_settings(folder: Path, **chosen: Any) -> Settings:
    """Settings whose files are in `folder`; servers are nowhere unless `chosen` says where."""
    (folder / "key").write_bytes(base64.b64encode(bytes(range(32))))
    (folder / "jwks.json").write_text(key_set())
    given = {
        "database_url": NOWHERE,
        "nats_url": "nats://127.0.0.1:1",
        "key_file": folder / "key",
        "jwks_file": folder / "jwks.json",
        "attachments_dir": folder / "attachments",
        "outbox_dir": folder / "outbox",
        "shutdown_pause_seconds": 0,
        **chosen,
    }
    return Settings.model_validate(given)


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which another process reads these settings."""
    said = settings.model_dump(exclude_none=True)
    plain = {k: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for k, v in said.items()}
    return {**os.environ, **{f"REDRESS_{name.upper()}": value for name, value in plain.items()}}


def resources(
    settings: Settings, log: Log | None = None, now: Callable[[], datetime] = wiring.utc_now
) -> wiring.Resources:
    """What a service stands on, on a log in memory with the organisations `main` and `other`."""
    return wiring.Resources(
        settings=settings,
        log=log or MemoryLog("main", "other", now=now),
        engine=database.engine(settings.database_url.get_secret_value(), "test"),
        bus=Connection(settings.nats_url.get_secret_value()),
        key_encryption_key=KeyEncryptionKey.from_file(settings.key_file),
        tokens=tokens.Verifier(
            keyset.named(settings.jwks_file, settings.jwks_url), settings.jwt_issuer, settings.jwt_audience
        ),
        policy=pack.load(settings.policy),
        now=now,
    )


@contextlib.asynccontextmanager
async def client(app: FastAPI, bearer: str | None = "", **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a started application, with a token (None: without). A bug is a 500, as in real life."""
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer or token()}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers, **options) as caller,
    ):
        yield caller


@contextlib.asynccontextmanager
async def serving(
    service: Service, folder: Path, log: Log | None = None, **chosen: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `service` on a log in memory: the short way for most tests."""
    app = create_app(service, resources=resources(write_settings(folder, **chosen), log))
    async with client(app) as caller:
        yield caller


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds that nobody will tell us; a TimeoutError when it never does."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await holds():  # noqa: ASYNC110 there is nothing to wait on but the thing itself
            await asyncio.sleep(0.02)


def problem(answer: httpx.Response, status: int, code: str, *pointers: str) -> dict[str, Any]:
    """Check that an answer is this problem, with faults at exactly these pointers if any are named."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = answer.json()
    assert content["status"] == status
    assert content["code"] == code
    assert content["type"] == f"urn:redress:problem:{code}"
    assert content["title"]
    assert content["detail"]
    assert content["trace_id"] == answer.headers["traceparent"].split("-")[1]
    if pointers:
        assert sorted(fault["pointer"] for fault in content["errors"]) == sorted(pointers)
    return content
