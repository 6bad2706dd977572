"""Sends the lines of a file to intake's import, and tells how each was answered (REC-4, REC-9)."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx

from deploy.local import tokens
from deploy.local.folder import Folder

# Intake reads so many lines before it waits for answers to be read, which we do once all are sent.
LINES_AT_ONCE: Final = 64
LINE_BYTES_MAX: Final = 4 * 1024 * 1024  # as intake has it
ANSWER_SECONDS_MAX: Final = 120.0
ATTEMPTS_MAX: Final = 10
AGAIN_SECONDS: Final = 1.0
SCOPES: Final = ("complaints:write",)
TTL_SECONDS: Final = 24 * 60 * 60
TAKEN: Final = frozenset({HTTPStatus.CREATED, HTTPStatus.OK})
Result = dict[str, Any]


class NotTaken(ValueError):
    """Intake could not be asked, or takes nothing from us."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file; `content` is None where it is longer than any complaint."""

    number: int
    content: bytes | None
    ends_at: int

    @property
    def can_be_repeated(self) -> bool:
        """Whether intake knows it again by its source reference."""
        try:
            return bool(json.loads(self.content or b"").get("source"))
        except (ValueError, AttributeError):
            return False


@dataclass(frozen=True)
class Intake:
    """Where intake answers, and the token that it lets somebody record with."""

    url: str
    token: str

    @classmethod
    def local(cls, data_dir: Path) -> Intake:
        """That of the system that is up in the folder, for whoever can read its keys; NotUp."""
        folder = Folder.at(data_dir)
        state = folder.read_state()
        token = tokens.mint(folder.signing_keys(), state["log"], SCOPES, getpass.getuser(), TTL_SECONDS)
        return cls(state["services"]["intake"], token)

    def results(self, lines: Sequence[Line]) -> Iterator[tuple[Line, Result]]:
        """How each line was answered; what cannot be recorded just then is sent again where that is safe."""
        left = [line for line in lines if line.content is not None]
        yield from ((line, too_long()) for line in lines if line.content is None)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            again = []
            for line, result in self._sent(left):
                away = result["status"] == HTTPStatus.SERVICE_UNAVAILABLE
                if away and attempt < ATTEMPTS_MAX and line.can_be_repeated:
                    again.append(line)
                else:
                    yield line, result
            if not again:
                return
            left = again
            time.sleep(AGAIN_SECONDS)

    def _sent(self, lines: Sequence[Line]) -> list[tuple[Line, Result]]:
        if not lines:
            return []
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-ndjson"}
        content = b"".join((line.content or b"") + b"\n" for line in lines)
        try:
            address = f"{self.url.rstrip('/')}/v1/complaints/import"
            answer = httpx.post(address, content=content, headers=headers, timeout=ANSWER_SECONDS_MAX)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTaken(
                f"intake at {self.url} broke off at line {lines[0].number}: {type(error).__name__}: {error}; "
                "import the file again: what has a source reference is not recorded twice"
            ) from None
        if answer.status_code != HTTPStatus.OK:
            raise NotTaken(f"intake at {self.url} takes no import: {answer.status_code} {answer.text[:500]}")
        found = [json.loads(each) for each in answer.text.splitlines()]
        return [(lines[each["line"] - 1], each) for each in found]


def too_long() -> Result:
    """As intake would answer."""
    detail = f"The line is longer than {LINE_BYTES_MAX:,} bytes."
    problem = {"code": "line_too_long", "detail": detail}
    return {"status": HTTPStatus.UNPROCESSABLE_ENTITY, "problem": problem}


def batches(file: BinaryIO) -> Iterator[list[Line]]:
    """The lines that are not empty, some at a time; no more of a line is held than a complaint may have."""
    batch: list[Line] = []
    number = ends_at = 0
    while content := file.readline(LINE_BYTES_MAX + 2):
        number, ends_at, whole = number + 1, ends_at + len(content), content
        while not content.endswith(b"\n") and (content := file.readline(LINE_BYTES_MAX)):
            ends_at += len(content)
        whole = whole.rstrip(b"\r\n")
        if len(whole) > LINE_BYTES_MAX:
            batch.append(Line(number, None, ends_at))
        elif whole.strip():
            batch.append(Line(number, whole, ends_at))
        if len(batch) == LINES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
