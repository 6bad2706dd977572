"""Only health and metrics answer without a token of a known organisation; scopes say what one may do."""

import http.server
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.events import errors
from libs.events.memory import MemoryLog
from libs.service import auth, body, failures, keyset, tokens
from libs.service.app import Service, create_app
from tests import service_kit
from tests.service_kit import problem, token

OTHER_KEY = Ed25519PrivateKey.generate()
router = body.Router()


@router.get("/v1/me")
async def me(caller: Annotated[auth.Caller, auth.require("things:read")]) -> dict[str, str]:
    return {"subject": caller.subject, "org": caller.org}


@router.post("/v1/both")
async def both(_: Annotated[auth.Caller, auth.require("things:read", "things:write")]) -> None: ...


ME = Service("me", "Me", (router,))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with service_kit.serving(ME, tmp_path) as caller:
        yield caller


async def call(client: httpx.AsyncClient, bearer: str, path: str = "/v1/me") -> httpx.Response:
    return await client.get(path, headers={"authorization": f"Bearer {bearer}"})


async def test_a_token_names_caller_and_organisation(client: httpx.AsyncClient) -> None:
    answer = await call(client, token(scope="things:read", sub="wang.fang", org="other"))
    assert answer.json() == {"subject": "wang.fang", "org": "other"}


@pytest.mark.parametrize(
    "path", ["/v1/me", "/v1/nothing", "/docs", "/openapi.json", "/", "/livez/x", "/metrics/"]
)
async def test_without_a_token_everything_is_closed(client: httpx.AsyncClient, path: str) -> None:
    del client.headers["authorization"]
    answer = await client.get(path)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="redress"'


async def test_health_and_metrics_are_open(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    for path in auth.OPEN:
        assert (await client.get(path)).status_code == 200


async def test_no_body_is_read_before_the_token(client: httpx.AsyncClient) -> None:
    async def never() -> AsyncIterator[bytes]:
        for _ in range(1):
            raise AssertionError("somebody read the body")
        yield b""

    problem(
        await client.post("/v1/both", content=never(), headers={"authorization": "Bearer x"}),
        401,
        "unauthenticated",
    )


def signed(key: Ed25519PrivateKey, header: dict[str, str]) -> str:
    claims = jwt.decode(token(), options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm="EdDSA", headers=header)


def without_signature() -> str:
    claims = jwt.decode(token(), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"kid": service_kit.KEY_ID})


def signed_with_the_public_key() -> str:
    public = json.loads(service_kit.key_set())["keys"][0]["x"]
    claims = jwt.decode(token(), options={"verify_signature": False})
    return jwt.encode(claims, public.ljust(32), algorithm="HS256", headers={"kid": service_kit.KEY_ID})


@pytest.mark.parametrize(
    "bearer",
    [
        "",
        "nonsense",
        "a.b.c",
        "x" * 9000,
        token(exp=int(time.time()) - 60),
        token(exp=None),
        token(nbf=int(time.time()) + 24 * 3600),
        token(iss="somebody"),
        token(aud="somebody"),
        token(sub=None),
        token(org=None),
        token(org=7),
        token(org=""),
        token(sub=""),
        token(sub="li\x00wei"),
        token(scope=["things:read"]),
        token()[:-6] + "AAAAAA",
        signed(OTHER_KEY, {"kid": service_kit.KEY_ID}),
        signed(service_kit.SIGNING_KEY, {"kid": "unknown"}),
        signed(service_kit.SIGNING_KEY, {}),
        without_signature(),
        signed_with_the_public_key(),
    ],
)
async def test_a_token_that_is_not_valid_is_refused(client: httpx.AsyncClient, bearer: str) -> None:
    answer = await call(client, bearer)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


async def test_another_scheme_is_no_token(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/me", headers={"authorization": f"Basic {token()}"}), 401, "unauthenticated")


async def test_an_organisation_without_a_log_is_unknown(client: httpx.AsyncClient) -> None:
    problem(await call(client, token(org="nobody", scope="things:read")), 403, "unknown_organisation")


async def test_a_scope_that_is_missing_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/both", headers={"authorization": f"Bearer {token(scope='things:read')}"})
    assert problem(answer, 403, "insufficient_scope")["scope"] == "things:read things:write"
    assert 'scope="things:read things:write"' in answer.headers["www-authenticate"]
    problem(await call(client, token(scope=None)), 403, "insufficient_scope")


async def test_scopes_are_named_per_operation_in_openapi(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["paths"]["/v1/me"]["get"]["security"] == [{"token": ["things:read"]}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert document["paths"].keys() == {"/v1/me", "/v1/both"}
    refused = document["paths"]["/v1/both"]["post"]["responses"]
    assert refused.keys() == {"200", "4XX", "5XX"}
    assert refused["4XX"]["content"].keys() == {"application/problem+json"}


async def test_a_verified_token_is_remembered_until_it_expires(tmp_path: Path) -> None:
    now = [time.time()]
    (tmp_path / "jwks").write_text(service_kit.key_set())
    verifier = tokens.Verifier(keyset.FileKeys(tmp_path / "jwks"), "redress", "redress", lambda: now[0])
    bearer = token(exp=int(now[0]) + 5)
    assert await verifier.caller(bearer) is await verifier.caller(bearer)
    now[0] += 20
    # The library looks at the real clock, by which the token is still good: so the cache did not answer.
    assert (await verifier.caller(bearer)).subject == "li.wei"
    now[0] = 0
    assert await verifier.caller(bearer) is await verifier.caller(bearer)


async def test_keys_are_read_again_when_their_file_changes(tmp_path: Path) -> None:
    file, seconds = tmp_path / "jwks", [0.0]
    file.write_text(service_kit.key_set())
    verifier = tokens.Verifier(keyset.FileKeys(file, lambda: seconds[0]), "redress", "redress")
    await verifier.caller(token())

    file.unlink()
    seconds[0] += 2
    await verifier.caller(token())  # a file that is being replaced changes nothing yet

    other = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(OTHER_KEY.public_key()))
    file.write_text(json.dumps({"keys": [{**other, "kid": "new"}]}))
    seconds[0] += 2
    await verifier.caller(signed(OTHER_KEY, {"kid": "new"}))
    with pytest.raises(failures.Unauthenticated):
        await verifier.caller(token())


@pytest.mark.parametrize("content", ["", "[]", '{"keys": []}', '{"keys": [{"kty": "odd"}]}'])
def test_a_file_without_keys_is_refused_at_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "jwks").write_text(content)
    with pytest.raises(ValueError, match="not a key set"):
        keyset.FileKeys(tmp_path / "jwks")


@pytest.fixture
def address() -> Iterator[str]:
    """Serves the key set over HTTP."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(service_kit.key_set().encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/jwks"
        server.shutdown()
        thread.join()


async def test_keys_come_from_an_address_too(tmp_path: Path, address: str) -> None:
    async with service_kit.serving(ME, tmp_path, jwks_file=None, jwks_url=address) as client:
        assert (await call(client, token(scope="things:read"))).status_code == 200
        problem(
            await call(client, signed(service_kit.SIGNING_KEY, {"kid": "unknown"})), 401, "unauthenticated"
        )


async def test_keys_that_cannot_be_fetched_are_no_fault_of_the_token(tmp_path: Path) -> None:
    async with service_kit.serving(
        ME, tmp_path, jwks_file=None, jwks_url="http://127.0.0.1:1/jwks"
    ) as client:
        answer = await call(client, token())
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"]


async def test_while_the_log_is_away_the_gate_says_so(tmp_path: Path) -> None:
    class Away(MemoryLog):
        async def logs(self) -> list[str]:
            raise errors.Unavailable

    app = create_app(ME, resources=service_kit.resources(service_kit.write_settings(tmp_path), Away("main")))
    async with service_kit.client(app) as client:
        problem(await client.get("/v1/me"), 503, "unavailable")


def test_a_route_that_reads_bodies_less_strictly_is_not_taken(tmp_path: Path) -> None:
    from fastapi import APIRouter

    loose = APIRouter()
    loose.get("/v1/loose")(lambda: None)
    with pytest.raises(TypeError, match="loose"):
        create_app(Service("x", "X", (loose,)), service_kit.write_settings(tmp_path))
