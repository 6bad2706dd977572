"""A running intake for every test of this folder that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests import backends
from tests.e2e import desk


@pytest.fixture
async def intake(module_database: backends.Database, tmp_path: Path) -> AsyncIterator[desk.Intake]:
    """Intake on a database that the tests of one module share, without a bus."""
    async with desk.running(module_database, tmp_path) as running:
        yield running


@pytest.fixture
async def client(intake: desk.Intake) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with every scope."""
    async with intake.client() as caller:
        yield caller
