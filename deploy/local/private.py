"""Files that hold secrets: made once, readable by their owner only, never half written."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write the whole file, mode 600, or leave the old one as it was."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def keep(path: Path, make: Callable[[], str]) -> str:
    """The text of the file; on first use, `make` it and keep it."""
    if not path.exists():
        write(path, make())
    return path.read_text()


def password() -> str:
    """192 random bits, safe inside a URL and a configuration file."""
    return secrets.token_urlsafe(24)
