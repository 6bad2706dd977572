"""The folder of a local system: its secrets, its logs, its state, and the lock that says whether it is up."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from deploy.local import database, private, tokens

LOCK_ATTEMPTS = 5
LOCK_PAUSE_SECONDS = 0.05


class AlreadyUp(Exception):
    """A system is already up in this folder."""


class NotUp(Exception):
    """No system is up in this folder."""


class KeyMissing(Exception):
    """The key-encryption key is gone while the database is there."""


@dataclass(frozen=True)
class Folder:
    """Paths are absolute. The folders of PostgreSQL and NATS belong to those modules."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "Folder":
        return cls(path.absolute())

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def nats(self) -> Path:
        return self.path / "nats"

    @property
    def attachments(self) -> Path:
        return self.path / "attachments"

    @property
    def outbox(self) -> Path:
        return self.path / "outbox"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def key_file(self) -> Path:
        return self.secrets / "key-encryption-key"

    @property
    def jwks_file(self) -> Path:
        return self.secrets / "jwks.json"

    def command(self, *words: str) -> str:
        """What to type at this terminal, to have `redress` do something here."""
        called = sys.argv[0] if Path(sys.argv[0]).name == "redress" else "redress"
        return shlex.join([called, *words, "--data-dir", str(self.path)])

    def prepare(self) -> None:
        """Make what is not there yet; raises KeyMissing rather than make another key for old fields."""
        for made in (self.path, self.logs, self.attachments, self.secrets):
            made.mkdir(parents=True, exist_ok=True)
        self.secrets.chmod(0o700)
        if self.postgres.exists() and not self.key_file.exists():
            raise KeyMissing(
                f"{self.key_file} is gone: personal fields cannot be read without it; put it back"
            )
        private.keep(self.key_file, lambda: base64.b64encode(secrets.token_bytes(32)).decode())
        private.write(self.jwks_file, tokens.public(self.signing_keys()))

    def signing_keys(self) -> str:
        return private.keep(self.secrets / "signing-keys.json", tokens.make_signing_keys)

    def passwords(self) -> dict[str, str]:
        """By database role."""
        made = private.keep(
            self.secrets / "passwords.json",
            lambda: json.dumps({role: private.password() for role in database.ROLES}),
        )
        return dict(json.loads(made))

    def clean(self) -> None:
        """Remove everything a system made here, and nothing else that may lie in the folder."""
        for made in (self.postgres, self.nats, self.attachments, self.outbox, self.logs, self.secrets):
            shutil.rmtree(made, ignore_errors=True)
        self.state.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock, which the kernel takes back however we end; raises AlreadyUp."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self.lock.open("a+") as file:
            self._take(file)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _take(self, file: TextIO) -> None:
        """Try for a moment: somebody who asks for the holder has the lock for an instant, too."""
        for _ in range(LOCK_ATTEMPTS):
            with contextlib.suppress(BlockingIOError):
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            time.sleep(LOCK_PAUSE_SECONDS)
        raise AlreadyUp(f"redress is already up in {self.path} (process {self.holder()})")

    def holder(self) -> int | None:
        """The process that holds the lock, or None."""
        with contextlib.suppress(FileNotFoundError), self.lock.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0)
        return None

    def write_state(self, state: dict[str, Any]) -> None:
        private.write(self.state, json.dumps(state, indent=2))

    def read_state(self) -> dict[str, Any]:
        """How the system that is up here is reached; raises NotUp."""
        if self.holder() is None or not self.state.exists():
            raise NotUp(f"no redress is up in {self.path}: start one with `{self.command('up')}`")
        return dict(json.loads(self.state.read_text()))
