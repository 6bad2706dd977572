"""Other complaints, looked up in tables and remembered from events: both know the same (REC-9, CLS-7)."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.policy.incidents import Likeness
from services.intake.desk import Desk
from services.intake.lookups import SqlNeighbours
from services.intake.neighbours import MemoryNeighbours
from tests import backends
from tests.complaint_history import (
    NOW,
    Writer,
    classified,
    joined,
    merged,
    raised,
    recorded,
    separated,
    withdrawn,
)
from tests.e2e import desk

ALIKE = Likeness(matched_on="respondent+part_number", reference="LED-T8-18W · LED-T8-18W")
FIELDS = {"respondent": "LED-T8-18W", "part_number": "LED-T8-18W"}
LONG_AGO = NOW - timedelta(days=400)
COMPLAINTS = [UUID(int=number) for number in range(1, 9)]
FIRST, SECOND = UUID(int=101), UUID(int=102)


async def everything_known(known: Any) -> list[Any]:
    """All that can be asked."""
    return [
        await known.incidents("main", ALIKE, LONG_AGO),
        await known.incidents("main", ALIKE, NOW + timedelta(days=1)),
        await known.incidents("main", Likeness(matched_on="batch", reference="B"), LONG_AGO),
        await known.alike("main", FIELDS, LONG_AGO, 1000),
        await known.alike("main", FIELDS, NOW + timedelta(seconds=1), 1000),
        await known.alike("main", FIELDS | {"part_number": "other"}, LONG_AGO, 1000),
        await known.alike("main", FIELDS, LONG_AGO, 2),
        [await known.merged_into("main", each) for each in COMPLAINTS],
        await known.suspicions("main", "C-1", {"order_number": "SO-1", "batch": "B"}, LONG_AGO),
        await known.suspicions("main", "C-1", {"respondent": "LED-T8-18W"}, LONG_AGO, 4),
        await known.suspicions("main", "C-2", {"order_number": "SO-1"}, LONG_AGO),
    ]


@pytest.mark.parametrize("seed", range(3))
async def test_tables_and_memory_know_the_same(
    database: backends.Database, tmp_path: Path, seed: int
) -> None:
    async with desk.running(database, tmp_path) as intake:
        resources = intake.app.state.resources
        pen = Writer(resources.store)
        for event, key in story(random.Random(seed)):
            await pen.says(event, key)
        await intake.catch_up()
        remembered, looked_up = MemoryNeighbours(), SqlNeighbours(resources.reading)
        for each in await resources.store.read("main"):
            remembered.note(each)
            remembered.note(each)
        found = await everything_known(looked_up)
        assert found == await everything_known(remembered)
        assert any(found[3]), "somebody is counted"
        head = (await resources.log.head("main")).seq
        assert await looked_up.come_to("main", head)
        assert not await looked_up.come_to("main", head + 1)
        assert isinstance(Desk(resources).neighbours, SqlNeighbours)


def story(chance: random.Random) -> list[tuple[Any, UUID | None]]:
    """Complaints of two customers, and what may become of them."""
    told: list[tuple[Any, UUID | None]] = []
    for each in COMPLAINTS:
        told.append((recorded(each, customer_id=f"C-{chance.randint(1, 2)}", number=str(each)), None))
        if chance.random() < 0.8:
            told.append((classified(each, founded=chance.random() < 0.8), None))
    told.append((raised(FIRST, *COMPLAINTS[:3]), FIRST))
    told.append((raised(SECOND, *COMPLAINTS[3:5]), SECOND))
    later = [
        joined(COMPLAINTS[0], FIRST),
        joined(COMPLAINTS[3], SECOND),
        merged(COMPLAINTS[5], COMPLAINTS[0]),
        merged(COMPLAINTS[6], COMPLAINTS[0]),
        separated(COMPLAINTS[6], COMPLAINTS[0]),
        withdrawn(COMPLAINTS[1]),
    ]
    return told + [(event, None) for event in later]
