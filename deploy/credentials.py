"""`python -m deploy.credentials DIRECTORY` makes what an installation keeps secret, each in its own file.

Compose and the dev overlay read these files, and both call the database `postgres` and the bus `nats`.
What is there already is kept: a further service gets its role's password, and nothing else changes.
"""

import base64
import json
import secrets
import sys
from pathlib import Path

import jwt.algorithms
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from deploy.local import private

DATABASE = "postgres:5432/redress"
BUS = "nats:4222"
ROLES = ("owner", "intake", "investigation", "resolution", "notifier", "oversight", "auditor")
KEY_BYTES = 32


def write(directory: Path) -> None:
    """Make the files that are missing.

    A container reads its files as a user that the host does not know, so they are open to every user;
    the directory, which no container sees, is open to its owner only.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(name: str, text: str) -> str:
        kept = private.keep(directory / name, lambda: text)
        (directory / name).chmod(0o444)
        return kept

    superuser = keep("postgres-password", private.password())
    keep("admin-database-url", f"postgresql://postgres:{superuser}@{DATABASE}")
    for role in ROLES:
        keep(f"{role}-database-url", f"postgresql://redress_{role}:{private.password()}@{DATABASE}")
    bus = keep("nats-password", private.password())
    keep("nats-url", f"nats://redress:{bus}@{BUS}")
    keep("nats-auth.conf", f'authorization {{ user: redress, password: "{bus}" }}\n')
    keep("key", base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    keep("jwks.json", public_keys(keep("signing-key.pem", signing_key())))


def signing_key() -> str:
    """An Ed25519 key in PEM (RFC 8410), with which tokens are signed where there is no identity provider."""
    return (
        ed25519.Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


def public_keys(signing_key: str) -> str:
    """The key set (RFC 7517) by which services verify what this key signed."""
    private_key = serialization.load_pem_private_key(signing_key.encode(), password=None)
    if not isinstance(private_key, ed25519.Ed25519PrivateKey):
        raise TypeError("the signing key is not an Ed25519 key")
    public = jwt.algorithms.OKPAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
    return json.dumps({"keys": [{**public, "use": "sig", "alg": "EdDSA", "kid": "local"}]}, indent=2)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.credentials DIRECTORY")
    write(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
