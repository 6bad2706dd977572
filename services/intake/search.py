"""The words of a text as blind tokens: equal words give equal tokens, no token a word (decision 0004)."""

from __future__ import annotations

import asyncio
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from libs.events.contracts.personal import Erased
from libs.events.keys import KeyEncryptionKey

TOKEN_BYTES: Final = 8
# A longer text is found by what it begins with; this bounds one row of the index to 80 kB.
TOKENS_MAX: Final = 10_000
LONG_CHARACTERS: Final = 20_000  # some milliseconds of work
_PURPOSE: Final = "intake search"
# Scripts written without spaces, in which pairs of characters stand for words: Han, kana, Hangul.
_UNSPACED: Final = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN: Final = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_UNSPACED_CHARACTER: Final = re.compile(rf"[{_UNSPACED}]")


class BlindIndex:
    """Makes the tokens of one organisation's texts."""

    def __init__(self, key_encryption_key: KeyEncryptionKey) -> None:
        self._key = key_encryption_key.derive(_PURPOSE)

    def of(self, log: str, texts: Iterable[str | None]) -> list[int]:
        """The tokens of all `texts` together, each once, as signed 64-bit numbers; erased text has none."""
        spoken = (text for text in texts if text is not None and not isinstance(text, Erased))
        return sorted(self._token(log, term) for term in _distinct(spoken))

    async def of_any_length(self, log: str, texts: Sequence[str | None]) -> list[int]:
        """As `of`; a long text is worked through in a thread, so that requests do not wait for it."""
        if sum(len(text) for text in texts if text) <= LONG_CHARACTERS:
            return self.of(log, texts)
        return await asyncio.to_thread(self.of, log, texts)

    def _token(self, log: str, term: str) -> int:
        digest = hmac.digest(self._key, f"{log}\x00{term}".encode(), "sha256")
        return int.from_bytes(digest[:TOKEN_BYTES], "big", signed=True)


def _distinct(texts: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for text in texts:
        for term in terms(text):
            found.add(term)
            if len(found) == TOKENS_MAX:
                return found
    return found


def terms(text: str) -> Iterator[str]:
    """The words of a text in one spelling; for scripts without spaces, every two neighbouring characters."""
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _UNSPACED_CHARACTER.match(run):
            yield from (run[at : at + 2] for at in range(len(run) - 1))
        else:
            yield run
