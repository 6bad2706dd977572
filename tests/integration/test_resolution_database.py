"""Resolution's own tables: they say what memory says."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sql

from libs.events import errors
from libs.service import wiring
from services.resolution import tables, views
from services.resolution.lookups import MemoryLookups
from services.resolution.views import Cases
from tests import backends, service_kit
from tests.recorded import recorded
from tests.unit.resolution_situations import (
    AGAIN,
    DAY,
    MEASURE,
    NOW,
    POLICY,
    appeal_it,
    complete_it,
    effective,
    given,
    impose,
    ineffective,
    measured,
    open_it,
    plan_it,
    punish,
    raise_it,
    recur,
    reduce_it,
    reward_it,
    waive_head,
    when,
)


@pytest.fixture
async def resources(database: backends.Database, tmp_path: Path) -> AsyncIterator[wiring.Resources]:
    chosen = service_kit.write_settings(tmp_path, database_url=database.dsn("redress_resolution"))
    async with wiring.opened(chosen, "resolution", wiring.read(chosen)) as found:
        yield found


class Told:
    """Events as both hear them: the tables, and the memory of a simulation."""

    def __init__(self, resources: wiring.Resources) -> None:
        self.table = Cases(resources.engine, resources.policy.calendar.zone)
        self.memory = MemoryLookups()
        self.resources = resources
        self.count = 0

    async def hear(self, *happened: Any) -> None:
        async with self.resources.engine.begin() as connection:
            for event in happened:
                self.count += 1
                heard = recorded(event, "s", NOW, self.count)
                self.memory.note(heard)
                await self.table.project(connection, heard)
            await connection.execute(sql.delete(tables.CHECKPOINTS))
            place = {"log": "main", "projection": self.table.name, "seq": self.count}
            await connection.execute(sql.insert(tables.CHECKPOINTS).values(place))

    async def observed(self, at: Any = recur.recorded_at) -> Sequence[UUID]:
        found = await self.table.observed("main", "cold-solder", at, self.count)
        assert list(found) == list(await self.memory.observed("main", "cold-solder", at, self.count))
        return found

    async def deducted(self, person: str = "production-officer") -> dict[date, Decimal]:
        found = await self.table.deducted("main", person)
        assert found == await self.memory.deducted("main", person)
        return dict(found)


@pytest.mark.rule("IMP-2")
async def test_a_measure_is_found_by_its_cause_while_it_is_observed(resources: wiring.Resources) -> None:
    told = Told(resources)
    await told.hear(*when(plan_it, measured()))
    assert await told.observed() == []
    await told.hear(*when(complete_it, measured(plan_it)))
    assert await told.observed() == [MEASURE]
    assert await told.observed(complete_it.now - DAY) == []
    assert await told.observed(complete_it.observed_until + DAY) == []
    await told.hear(*when(recur, measured(plan_it, complete_it)))
    assert await told.observed() == []
    await told.hear(*when(complete_it, measured(plan_it, complete_it, recur)))
    await told.hear(*when(ineffective, measured(plan_it, complete_it)))
    assert await told.observed() == []
    async with resources.engine.connect() as connection:
        (row,) = await views.improvements(connection, "main", None, None, "cold-solder", None, 10)
    assert (row["status"], row["complaint_ids"]) == ("reopened", [*plan_it.complaint_ids, AGAIN])


async def test_what_proved_effective_can_still_be_put_in_doubt(resources: wiring.Resources) -> None:
    told = Told(resources)
    await told.hear(
        *when(plan_it, measured()),
        *when(complete_it, measured(plan_it)),
        *when(effective, measured(plan_it, complete_it)),
    )
    assert await told.observed() == [MEASURE]


async def test_no_recurrence_is_denied_before_the_list_has_come_to_it(resources: wiring.Resources) -> None:
    told = Told(resources)
    await told.hear(*when(plan_it, measured()))
    with pytest.raises(errors.Unavailable):
        await told.table.observed("main", "cold-solder", NOW, told.count + 1)


@pytest.mark.rule("LAW-1", "PEN-4")
async def test_what_months_bear_follows_sanctions_and_appeals(resources: wiring.Resources) -> None:
    told = Told(resources)
    case = given(open_it, raise_it)
    await told.hear(*when(open_it, given()), *when(impose, case))
    assert await told.deducted() == {date(2026, 11, 1): Decimal("160.00")}
    await told.hear(
        *when(replace(impose, complaint_id=AGAIN), case),
        *when(appeal_it, given(open_it, *punish)),
        *when(reduce_it, given(open_it, *punish, appeal_it)),
    )
    assert await told.deducted() == {date(2026, 11, 1): Decimal("210.00")}
    assert await told.deducted("nobody") == {}


@pytest.mark.rule("PEN-5", "PEN-6", "GOV-1")
async def test_the_ledger_has_a_line_for_every_decision(resources: wiring.Resources) -> None:
    told = Told(resources)
    charged = given(open_it, raise_it)
    await told.hear(*when(impose, charged), *when(waive_head, charged), *when(reward_it, charged))

    async def lines(column: str = "entry", **wanted: Any) -> list[str]:
        filters = {"person": None, "unit": None, "month": None, "after": None, "limit": 10, **wanted}
        async with resources.engine.connect() as connection:
            return [row[column] for row in await views.ledger(connection, "main", **filters)]

    assert await lines() == ["sanction", "waiver", "reward"]
    assert await lines("policy") == [POLICY.reference] * 3
    assert await lines(person="production-head") == ["waiver"]
    assert await lines(unit="station-east", month=date(2026, 11, 1)) == ["reward"]
    assert await lines(month=date(2026, 10, 1)) == []
    assert await lines(after=1) == ["waiver", "reward"]
