"""Investigation's own tables: what they say of repairs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from libs.events.contracts.handling import Severity
from libs.events.contracts.propose import (
    CostBearer,
    ExecutionAdvanced,
    Remedy,
    RemedyKind,
    SolutionProposed,
    Stage,
)
from libs.events.contracts.reckoning import Reckoning
from libs.service import wiring
from services.investigation import recompute, state
from services.investigation.repairs import MemoryRepairs
from services.investigation.tables import INVESTIGATIONS
from services.investigation.term import Term
from services.investigation.views import Investigations, Repair
from tests import backends, service_kit
from tests.complaint_history import DAY, GROUND, NOW
from tests.recorded import recorded
from tests.unit.investigation_situations import (
    DUE,
    SNOWED,
    THIS,
    add_evidence,
    after,
    file_of,
    given,
    miss,
    open_it,
    record_finding,
    when,
)

FIRST, SECOND = UUID(int=71), UUID(int=72)


@pytest.fixture
async def resources(database: backends.Database, tmp_path: Path) -> AsyncIterator[wiring.Resources]:
    chosen = service_kit.write_settings(tmp_path, database_url=database.dsn("redress_investigation"))
    async with wiring.opened(chosen, "investigation", wiring.read(chosen)) as found:
        yield found


class Told:
    """Events as both views hear them: the table, and the memory of a simulation."""

    def __init__(self, resources: wiring.Resources) -> None:
        self.table = Investigations(resources.engine)
        self.memory = MemoryRepairs()
        self._resources = resources
        self._count = 0

    async def hear(self, *happened: Any, key: UUID | None = None) -> None:
        for event in happened:
            self._count += 1
            stream = f"investigation-{key}" if key else f"resolution-{event.complaint_id}"
            heard = recorded(event, stream, NOW, self._count)
            self.memory.note(heard)
            async with self._resources.engine.begin() as connection:
                await self.table.project(connection, heard)

    async def repaired(self, serial_number: str = "SN-1", code: str = "driver-capacitor") -> Repair | None:
        found = await self.table.last("main", serial_number, code)
        assert found == await self.memory.last("main", serial_number, code)
        return found


def found_for(complaint_id: UUID) -> list[Any]:
    opening = replace(open_it, investigation_id=complaint_id, complaint_id=complaint_id)
    opened = when(opening, state.INITIAL)
    return [*opened, *when(record_finding, given(opening, add_evidence))]


def proposed(complaint_id: UUID, kind: RemedyKind) -> SolutionProposed:
    return SolutionProposed(
        complaint_id=complaint_id,
        data_subject="customer:C-1",
        proposal=1,
        remedies=(Remedy(kind=kind, text="as agreed", money=None),),
        cost_bearer=CostBearer.COMPANY,
        warranty=None,
        quote=None,
        approvals=(),
        proposer="quality-officer",
        ground=GROUND,
        proposed_at=NOW,
    )


def done(complaint_id: UUID, at: datetime) -> ExecutionAdvanced:
    return ExecutionAdvanced(
        complaint_id=complaint_id,
        data_subject="customer:C-1",
        proposal=1,
        stage=Stage.DONE,
        note=None,
        complete=True,
        author="station-east-officer",
        advanced_at=at,
    )


@pytest.mark.rule("INV-6")
async def test_the_last_repair_of_a_fault_on_a_unit_is_found(resources: wiring.Resources) -> None:
    told = Told(resources)
    await told.hear(*found_for(FIRST), key=FIRST)
    await told.hear(proposed(FIRST, RemedyKind.REPAIR))
    assert await told.repaired() is None, "only proposed"
    await told.hear(done(FIRST, NOW))
    assert await told.repaired() == Repair(FIRST, NOW)
    assert await told.repaired(serial_number="SN-2") is None
    assert await told.repaired(code="broken-glass") is None
    await told.hear(*found_for(SECOND), key=SECOND)
    await told.hear(proposed(SECOND, RemedyKind.RETURN_AND_REFUND), done(SECOND, NOW + DAY))
    assert await told.repaired() == Repair(FIRST, NOW), "what was returned was not repaired"
    await told.hear(proposed(SECOND, RemedyKind.PART_REPLACEMENT), done(SECOND, NOW + DAY))
    assert await told.repaired() == Repair(SECOND, NOW + DAY)


LATE = replace(miss, now=NOW + 4 * DAY)  # the finding was due after three days
LATER_BUT_PAST = replace(
    open_it, due=Term(due_at=NOW + 4 * DAY, warn_at=NOW + 3 * DAY), as_of=20, now=NOW + 5 * DAY
)
STILL_TO_COME = replace(LATER_BUT_PAST, due=Term(due_at=NOW + 9 * DAY, warn_at=NOW + 8 * DAY))
MOVED = recompute.RecomputeDeadlines(policy=SNOWED, now=NOW + 4 * DAY)
reckoned = replace(open_it, due=replace(DUE, reckoned=Reckoning(since=NOW, severity=Severity.SERIOUS)))
STORIES: dict[str, tuple[Any, ...]] = {
    "late": (open_it, LATE),
    "late where the assignment has moved it to": (open_it, LATE, LATER_BUT_PAST),
    "in time there": (open_it, LATE, STILL_TO_COME),
    "lifted": (reckoned, LATE, MOVED),
    "late all the same": (reckoned, LATE, replace(MOVED, now=NOW + 30 * DAY)),
}


@pytest.mark.rule("SLA-2", "SLA-3")
@pytest.mark.parametrize("story", STORIES)
async def test_the_list_says_by_when_it_is_due_and_whether_it_is_late_as_the_record_does(
    story: str, resources: wiring.Resources
) -> None:
    told = Told(resources)
    stands: state.Investigation = state.INITIAL
    for command in STORIES[story]:
        happened = when(command, stands)
        assert happened, "each of these changes something"
        await told.hear(*happened, key=THIS)
        stands = after(stands, happened)
    async with resources.engine.connect() as connection:
        row = (await connection.execute(select(INVESTIGATIONS.c.due_at, INVESTIGATIONS.c.overdue))).one()
    term = file_of(stands).term
    assert (row.due_at, row.overdue) == (term.due_at, term.missed)
