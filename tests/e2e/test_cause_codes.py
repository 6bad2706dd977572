"""A cause's code is whatever the system that sends it calls the cause by (INV-1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from services.investigation.app import SERVICE
from tests import service_kit


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with service_kit.serving(SERVICE, tmp_path) as caller:
        yield caller


async def found(client: httpx.AsyncClient, code: str) -> httpx.Response:
    finding: dict[str, Any] = {"cause": {"code": code, "text": "worn out"}, "company_is_cause": True}
    return await client.post(f"/v1/complaints/{uuid4()}/findings", json=finding)


@pytest.mark.rule("INV-1")
async def test_a_code_is_taken_as_other_systems_write_it(client: httpx.AsyncClient) -> None:
    for code in ("driver-capacitor", "LINCOLN-ZEPHYR-/-MKZ.assembly", "AIR BAGS: FRONTAL", "焊接/过热", "7"):
        service_kit.problem(await found(client, code), 404, "not_found")
    service_kit.problem(await found(client, "x" * 200), 404, "not_found")


async def test_a_code_that_nobody_could_tell_from_another_is_refused(client: httpx.AsyncClient) -> None:
    for code in ("", " ", " padded", "padded ", "two\nlines", "bell\x07", "x" * 201):
        service_kit.problem(await found(client, code), 422, "malformed", "/cause/code")
