"""Whole histories across all services, on a bus that drops, doubles and reorders: what must hold, holds."""

import logging
import random
from collections import Counter, defaultdict

import pytest
import structlog
from typer.testing import CliRunner

from deploy.cli import main
from deploy.simulation import outcomes, story
from deploy.simulation.resources import LOG
from libs.events.contracts import improve, notify, propose
from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.classify import ComplaintClassified
from libs.events.contracts.investigate import FindingRecorded
from libs.events.memory_bus import Faults

COMPLAINTS = 8
WORSE = Faults(drop=0.2, double=0.2, reorder=True)


@pytest.fixture(autouse=True)
def quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def broken(told: story.Story) -> list[str]:
    return [f"{each.says}: {each.broken}" for each in told.invariants if each.broken]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_invariant_holds_of_any_history(seed: int) -> None:
    told = await story.tell(seed, months=1, count=COMPLAINTS)
    assert broken(told) == []
    assert len(told.staff.cases) == COMPLAINTS
    assert all(told.world.bus.counts[fault] for fault in ("dropped", "doubled"))


# What a closed complaint lacks when its events of these kinds are taken out of its history.
LACKS: dict[str, tuple[type, ...]] = {
    "a judgement": (ComplaintClassified,),
    "somebody who answers for it": (ComplaintAssigned,),
    "a finding": (FindingRecorded,),
    "the customer's answer": (propose.CustomerAnswered, propose.DisputeSettled),
    "its solution carried out": (propose.ExecutionAdvanced,),
    "the customer's having been told": (notify.NoticeDelivered, notify.NoticeHandedOver),
    "a measure found effective, or a reason for none": (
        improve.ImprovementNotNeeded,
        improve.ComplaintJoinedImprovement,
    ),
}


@pytest.mark.timeout(180)
async def test_whatever_is_taken_out_of_a_closed_complaint_is_missed() -> None:
    told = await story.tell(1, months=1, count=COMPLAINTS)
    by_complaint: defaultdict[object, list[object]] = defaultdict(list)
    for recorded in await told.world.store.read(LOG, limit=100_000):
        by_complaint[recorded.envelope.complaint_id].append(recorded.event)
    resolved = [
        events
        for events in by_complaint.values()
        for end, _ in outcomes.ends(events)
        if end.outcome is propose.Outcome.RESOLVED
    ]
    assert resolved
    for events in resolved:
        for what, kinds in LACKS.items():
            *_, (end, past) = outcomes.ends(each for each in events if not isinstance(each, kinds))
            assert what in set(past.lacks(end.outcome, set()))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [100, 107, 113, 117, 118])
async def test_every_invariant_holds_of_many_histories(seed: int) -> None:
    assert broken(await story.tell(seed, months=2, count=4 * COMPLAINTS)) == []


@pytest.mark.timeout(180)
async def test_the_whole_history_heard_again_in_another_order_changes_nothing() -> None:
    told = await story.tell(3, months=1, count=COMPLAINTS)
    before = await told.world.log.head(LOG)
    for seed in range(3):
        again = told.world.new_bus(random.Random(seed), WORSE)
        assert await again.settle() > before.seq
        assert again.parked == []
        assert await told.world.log.head(LOG) == before


@pytest.mark.timeout(180)
async def test_the_same_seed_gives_the_same_history() -> None:
    first, second = [await story.tell(4, months=1, count=COMPLAINTS) for _ in range(2)]
    histories = [await told.world.log.read(LOG, limit=100_000) for told in (first, second)]
    assert [(e.event_id, e.type, e.at) for e in histories[0]] == [
        (e.event_id, e.type, e.at) for e in histories[1]
    ]


@pytest.mark.timeout(180)
def test_the_command_prints_the_seed_and_what_held() -> None:
    result = CliRunner().invoke(
        main, ["simulate", "--months", "1", "--seed", "7", "--complaints", "3", "--seeds", "1"]
    )
    assert result.exit_code == 0, result.output
    assert "seed 7: 3 complaints" in result.output
    assert Counter(line.split()[0] for line in result.output.splitlines()[1:]) == {"held": 8}
