"""Puts the shipped policy in force over HTTP, and has nearly everybody in it read it (GOV-1, PEN-3)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from deploy.people.calls import Callers, Json, Unexpected
from libs.policy import pack

PUBLISHER: Final = "general-manager"
VERSION: Final = 2
NEVER_READ: Final = frozenset({"sales-officer", "freight-officer"})  # sanctions cannot rest on it


async def publish(callers: Callers, now: datetime, name: str = "standard") -> None:
    """Publish the shipped pack for the day it is there, under its next version, and acknowledge it.

    Unexpected where that is refused: sanctions could rest on nothing.
    """
    shipped = pack.load(name)
    text = (pack.FOLDER / f"{name}.yaml").read_text("utf-8")
    text = re.sub(r"(?m)^version: .*$", f"version: {VERSION}", text, count=1)
    text = re.sub(r"(?m)^effective_from: .*$", f"effective_from: {shipped.day_of(now)}", text, count=1)
    await _post(callers, "/v1/policies", PUBLISHER, {"text": text})
    await _post(callers, f"/v1/policies/{VERSION}/publication", PUBLISHER)
    for person in shipped.people:
        if person not in NEVER_READ:
            await _post(callers, f"/v1/policies/{VERSION}/acknowledgements", person)


async def _post(callers: Callers, path: str, person: str, body: Json | None = None) -> None:
    answer = await callers.post("oversight", path, person, body)
    if not answer:
        raise Unexpected(f"POST oversight {path} by {person}: {answer.content}")
