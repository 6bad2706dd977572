"""`python -m deploy.credentials DIRECTORY` makes what an installation keeps secret, each in its own file.

Compose and the dev overlay read these files, and both call the database `postgres` and the bus `nats`.
What is there already is kept: a further service gets its role's password, and nothing else changes.
"""

import base64
import secrets
import sys
from pathlib import Path

from deploy.local import database, nats, private, tokens

DATABASE = "postgres:5432/redress"
BUS = "nats:4222"
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
    for role in database.ROLES:
        name = role.removeprefix("redress_")
        keep(f"{name}-database-url", f"postgresql://{role}:{private.password()}@{DATABASE}")
    bus = keep("nats-password", private.password())
    keep("nats-url", f"nats://{nats.USER}:{bus}@{BUS}")
    keep("nats-auth.conf", f'authorization {{ user: {nats.USER}, password: "{bus}" }}\n')
    keep("key-encryption-key", base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    keep("jwks.json", tokens.public(keep("signing-keys.json", tokens.make_signing_keys())))


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.credentials DIRECTORY")
    write(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
