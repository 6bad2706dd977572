"""What a file is, by its first bytes: attachments are believed by content, not by name or header (REC-10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

# Brands of the ISO base media file format (ISO/IEC 14496-12), which both HEIC and MP4 are.
_HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}
_MP4_BRANDS: Final = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"M4V ",
    b"MSNV",
}
_TEXT_CONTROLS: Final = frozenset("\t\n\r\f")


def _begins(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(signatures)


def _brand(brands: set[bytes]) -> Callable[[bytes], bool]:
    return lambda content: content[4:8] == b"ftyp" and content[8:12] in brands


def _is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in _TEXT_CONTROLS for character in text)


SIGNATURES: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "image/jpeg": _begins(b"\xff\xd8\xff"),
    "image/png": _begins(b"\x89PNG\r\n\x1a\n"),
    "image/webp": _is_webp,
    "image/heic": _brand(_HEIC_BRANDS),
    "application/pdf": _begins(b"%PDF-"),
    "video/mp4": _brand(_MP4_BRANDS),
    "text/plain": _is_text,
}


def fits(content: bytes, media_type: str) -> bool:
    """Whether content is of that type, a key of SIGNATURES; where there is none it is of none."""
    return bool(content) and SIGNATURES[media_type](content)
