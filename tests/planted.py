"""Looks for a planted text in files, however its bytes may come to stand there."""

import base64
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote


def under(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below a folder, and what is in it."""
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # a socket, or a file that is gone by now
            if path.is_file():
                yield path, path.read_bytes()


def spellings(text: str) -> Iterator[bytes]:
    """The ways in which the bytes of a text come to stand in files."""
    utf8 = text.encode()
    yield utf8
    yield text.encode("utf-16-le")
    yield utf8.hex().encode()
    yield utf8.hex().upper().encode()
    yield quote(text).encode()
    if not text.isascii():
        yield text.encode("unicode_escape")
        yield text.encode("gb18030")
    for shift in range(3):  # base64 has three ways, by where it begins
        yield base64.b64encode(b"\0" * shift + utf8)[4:-4]


def finds(files: Iterable[tuple[Path, bytes]], texts: Iterable[str]) -> set[tuple[str, str]]:
    """Which text stands in which file."""
    wanted = [(text, spelling) for text in texts for spelling in spellings(text) if len(spelling) >= 6]
    return {(text, str(path)) for path, content in files for text, spelling in wanted if spelling in content}
