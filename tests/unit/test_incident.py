"""Batch incidents, and intake's reactions as a whole: whatever comes late, twice or in any order (CLS-7)."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.local import vehicles
from libs.events.contracts.classify import ComplaintClassified, IncidentRaised
from libs.events.contracts.handling import Severity, Step
from libs.events.memory_bus import ROUGH
from libs.policy.incidents import Likeness, batch_incident
from libs.service import commands
from services.intake import amend, grouping, incident, models, state
from services.intake.desk import STREAM
from tests import memory_intake
from tests.memory_intake import Intake
from tests.packs import TODAY, standard
from tests.unit.intake_situations import missed, on_record

NOW = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIKENESS = Likeness(matched_on="batch", reference="B2209")


def raising(*complaint_ids: UUID) -> incident.RaiseIncident:
    batch = batch_incident(standard(), len(complaint_ids), TODAY)
    assert batch is not None
    return incident.RaiseIncident(
        incident_id=grouping.id_of("main", LIKENESS, 0),
        likeness=LIKENESS,
        complaint_ids=complaint_ids,
        batch=batch,
        now=NOW,
    )


@pytest.mark.rule("CLS-7")
def test_an_incident_is_raised_once_with_its_complaints_its_leader_and_the_clause() -> None:
    command = raising(UUID(int=1), UUID(int=2), UUID(int=3))
    (event,) = incident.decide(command, incident.INITIAL)
    assert event.complaint_ids == command.complaint_ids
    assert (event.leader.person, event.ground.clause) == ("quality-head", "CLS-B1")
    assert (event.threshold, event.window_days) == (3, 30)
    assert incident.decide(command, incident.evolve(incident.INITIAL, event)) == []


def test_whoever_counts_finds_the_same_id_and_the_next_incident_another() -> None:
    assert grouping.id_of("main", LIKENESS, 0) == grouping.id_of("main", LIKENESS, 0)
    others = [
        ("other", LIKENESS, 0),
        ("main", LIKENESS, 1),
        ("main", Likeness(matched_on="batch", reference="B"), 0),
    ]
    ids = {grouping.id_of("main", LIKENESS, 0), *(grouping.id_of(*other) for other in others)}
    assert len(ids) == 4


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(tmp_path, NOW)


def batch(number: str | None, part: str = "P") -> dict[str, Any]:
    product = {"part_number": part, "order_number": "SO-1", "batch": number}
    rest = {"delivered_on": "2026-11-10", "quantity": 4, "defective_quantity": 1, "requirement": "none"}
    return {"product": product | rest, "respondent": {"kind": "product", "reference": f"of {part}"}}


async def incident_of(intake: Intake, complaint_id: UUID) -> UUID | None:
    joined = on_record(await intake.complaint(complaint_id)).handling.incident
    return joined.incident_id if joined else None


@pytest.mark.rule("CLS-7")
async def test_the_third_of_a_batch_within_the_window_raises_it_and_later_ones_join(intake: Intake) -> None:
    first = [await intake.records(**batch("B1", part)) for part in ("P", "Q")]
    await intake.settles()
    assert (await intake.counted())["IncidentRaised"] == 0
    intake.now = NOW + 29 * DAY
    first.append(await intake.records(**batch("B1", "R")))
    await intake.settles()
    ids = {await incident_of(intake, each) for each in first}
    assert len(ids) == 1
    assert None not in ids
    intake.now = NOW + 50 * DAY
    assert await incident_of(intake, await settled(intake, **batch("B1", "S"))) in ids
    for each in first:
        assert on_record(await intake.complaint(each)).handling.severity is Severity.MAJOR


@pytest.mark.rule("CLS-7")
async def test_too_few_too_late_or_of_something_else_are_no_incident(intake: Intake) -> None:
    for days in (0, 16, 32, 48):
        intake.now = NOW + days * DAY
        await settled(intake, **batch("B1"))
    await settled(intake, **batch(None, "other"))
    assert (await intake.counted())["IncidentRaised"] == 0


@pytest.mark.rule("CLS-7")
async def test_long_after_the_last_one_of_an_incident_another_one_begins(intake: Intake) -> None:
    for _ in range(3):
        await settled(intake, **batch("B1"))
    intake.now = NOW + 400 * DAY
    alone = await settled(intake, **batch("B1"))
    assert await incident_of(intake, alone) is None
    for _ in range(2):
        await settled(intake, **batch("B1"))
    assert await incident_of(intake, alone) is not None
    assert (await intake.counted())["IncidentRaised"] == 2


@pytest.mark.rule("CLS-7")
async def test_of_two_that_count_at_the_same_time_one_raises_it_and_both_join(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = intake.known.alike
    met: list[tuple[UUID, ...]] = []
    grouping_reaction = next(each for each in intake.reactions if each.name == "intake-incidents")

    async def meanwhile_another(log: str, fields: Any, since: datetime, limit: int) -> tuple[UUID, ...]:
        found = await look(log, fields, since, limit)
        if len(found) >= 3 and not met:
            met.append(found)
            for each in await intake.everything():
                if isinstance(each.event, ComplaintClassified):
                    await grouping_reaction.handle(each)
        return found

    monkeypatch.setattr(intake.known, "alike", meanwhile_another)
    alike = [await intake.records(**batch("B1", part)) for part in ("P", "Q", "R", "S")]
    await intake.settles()
    assert met
    assert (await intake.counted())["IncidentRaised"] == 1
    assert len({await incident_of(intake, each) for each in alike}) == 1


@pytest.mark.rule("CLS-7", "REC-6")
async def test_a_batch_that_is_supplied_later_counts_from_then(intake: Intake) -> None:
    late = await settled(intake, **batch(None, "late"))
    for part in ("P", "Q"):
        await settled(intake, **batch("B1", part))
    body = {"reason": "it stood on the box", "product": {"batch": "B1"}}
    amended = models.AmendmentBody.model_validate(body)
    command = amend.AmendComplaint(
        complaint_id=late,
        author="li.wei",
        reason=amended.reason,
        product=models.product(amended.product),
        required_details={},
        now=intake.now,
    )
    await commands.carry_out(
        intake.desk.resources, memory_intake.CALLER, STREAM, late, amend.decide, command, complaint_id=late
    )
    await intake.settles()
    assert await incident_of(intake, late) is not None


@pytest.mark.rule("CLS-7")
async def test_what_is_unfounded_or_taken_back_counts_for_nothing(intake: Intake) -> None:
    none_defective = batch("B1")
    none_defective["product"]["defective_quantity"] = 0
    for _ in range(3):
        await settled(intake, **none_defective)
    assert (await intake.counted())["ComplaintClassified"] == 3
    assert (await intake.counted())["IncidentRaised"] == 0


@pytest.mark.parametrize("seed", range(8))
async def test_doubled_late_and_in_any_order_everything_happens_once(tmp_path: Path, seed: int) -> None:
    intake = Intake(tmp_path, NOW, seed, ROUGH)
    alike = [await intake.records(**batch("B1", part)) for part in ("P", "Q", "R", "S", "T")]
    waiting = await intake.records(product={"order_number": "SO-1", "part_number": "waiting"})
    alone = await intake.records(**batch(None, "alone"))
    await intake.settles()
    for each in (*alike, alone):
        for step in (Step.INVESTIGATE, Step.PROPOSE):
            await intake.hears(missed(step, complaint_id=each), "investigation")
    intake.now = NOW + 40 * DAY  # what waits is late, too, and late again
    await intake.settles()
    assert intake.bus.parked == []
    counted = await intake.counted()
    assert counted["IncidentRaised"] == 1
    assert counted["ComplaintJoinedIncident"] == len(alike)
    assert counted["ComplaintAssigned"] == len(alike) + 1
    assert counted["ComplaintClassified"] == len(alike) + 2
    assert isinstance(await intake.complaint(waiting), state.Recorded)
    late = Counter(
        (each.event.complaint_id, each.event.step)
        for each in await intake.everything()
        if hasattr(each.event, "missed_at")
    )
    assert counted["ComplaintEscalated"] == sum(late.values())
    before = await intake.everything()
    await intake.hears_again()
    assert await intake.everything() == before


@pytest.fixture
def reports(vehicle_complaints: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in vehicle_complaints.read_text("utf-8").splitlines()[:400]]


@pytest.mark.timeout(120)
@pytest.mark.rule("CLS-7")
async def test_of_real_complaints_one_part_of_one_model_is_one_incident(
    intake: Intake, reports: list[dict[str, Any]]
) -> None:
    alike: Counter[tuple[str, str]] = Counter()
    for report in reports:
        body = vehicles.request(report)
        await intake.records(**body)
        if part := body["product"]["part_number"]:
            alike[body["respondent"]["reference"], part] += 1
    await intake.settles()
    raised = [each.event for each in await intake.everything() if isinstance(each.event, IncidentRaised)]
    often = {likeness: count for likeness, count in alike.items() if count >= 3}
    assert max(often.values()) > 10
    assert len(raised) == len(often)
    assert (await intake.counted())["ComplaintJoinedIncident"] == sum(often.values())


async def settled(intake: Intake, **changes: Any) -> UUID:
    """A complaint, with all that follows."""
    complaint_id = await intake.records(**changes)
    await intake.settles()
    return complaint_id
