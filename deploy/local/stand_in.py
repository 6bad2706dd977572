"""The system user that PostgreSQL runs as when we are root, for it refuses to run as root itself."""

import contextlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

NAME = "redress-postgres"


class CannotStandIn(Exception):
    """PostgreSQL does not run as root, and no user could be made for it: run as an ordinary user."""


def user_for(directory: Path, program: Path) -> str:
    """Who may run `program` and owns `directory`: "" for ourselves, or a user of its own when we are root."""
    if os.geteuid() != 0:
        return ""
    make_user(NAME)
    let_read(program.parents[1])
    for path in (directory, program):
        let_through(path.resolve())
    give(directory, NAME)
    return NAME


def make_user(name: str) -> None:
    with contextlib.suppress(KeyError):
        pwd.getpwnam(name)
        return
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(
            ["useradd", "--system", "--shell", "/bin/false", name], check=False, capture_output=True
        )
    try:
        pwd.getpwnam(name)  # whoever made it: another `up` may have been faster
    except KeyError:
        raise CannotStandIn from None


def let_read(tree: Path) -> None:
    """Let others read and run what root may have unpacked for itself only (umask 077)."""
    if (tree / "bin" / "postgres").stat().st_mode & 0o005 == 0o005:
        return
    for path in (tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def let_through(path: Path) -> None:
    """Let others traverse the folders above `path` (not list them), so that the stand-in reaches it."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o011)


def give(path: Path, user: str) -> None:
    if user:
        shutil.chown(path, user, user)
