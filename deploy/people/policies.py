"""Puts the shipped policy in force over HTTP, and has nearly everybody in it read it (GOV-1, PEN-3)."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from deploy.people.calls import Callers
from libs.policy import pack

PUBLISHER: Final = "general-manager"
VERSION: Final = 2
NEVER_READ: Final = frozenset({"sales-officer", "freight-officer"})  # sanctions cannot rest on it


async def publish(callers: Callers, today: date, name: str = "standard") -> None:
    """Publish the shipped pack for today, under its next version, and acknowledge it."""
    shipped = pack.load(name)
    text = (pack.FOLDER / f"{name}.yaml").read_text("utf-8")
    text = re.sub(r"(?m)^version: .*$", f"version: {VERSION}", text, count=1)
    text = re.sub(r"(?m)^effective_from: .*$", f"effective_from: {today}", text, count=1)
    await callers.post("oversight", "/v1/policies", PUBLISHER, {"text": text})
    await callers.post("oversight", f"/v1/policies/{VERSION}/publication", PUBLISHER)
    for person in shipped.people:
        if person not in NEVER_READ:
            await callers.post("oversight", f"/v1/policies/{VERSION}/acknowledgements", person)
