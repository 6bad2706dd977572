"""Tokens for a local system, signed with its own Ed25519 key (RFC 7519, RFC 8037)."""

import base64
import hashlib
import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM = "EdDSA"
ISSUER = AUDIENCE = "redress"
SCOPES = ("complaints:read", "complaints:write", "personal:read", "audit:read", "policy:write", "operations")
TTL_SECONDS = 24 * 60 * 60


def make_signing_keys() -> str:
    """A JWK set with one new private key."""
    algorithm = jwt.algorithms.OKPAlgorithm()
    jwk = algorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    return json.dumps({"keys": [jwk | {"kid": thumbprint(jwk), "alg": ALGORITHM, "use": "sig"}]})


def public(signing_keys: str) -> str:
    """The same JWK set without what signs."""
    keys = json.loads(signing_keys)["keys"]
    return json.dumps({"keys": [{name: value for name, value in key.items() if name != "d"} for key in keys]})


def thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638: a name for the key that anybody can compute."""
    required = {name: jwk[name] for name in ("crv", "kty", "x")}
    digest = hashlib.sha256(json.dumps(required, separators=(",", ":"), sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def mint(signing_keys: str, org: str, scopes: tuple[str, ...], subject: str, ttl_seconds: int) -> str:
    """A token that the services of this system accept for `ttl_seconds`."""
    key = json.loads(signing_keys)["keys"][0]
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "org": org,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + ttl_seconds,
    }
    return jwt.encode(claims, jwt.PyJWK(key).key, algorithm=ALGORITHM, headers={"kid": key["kid"]})
