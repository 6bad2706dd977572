"""Two hundred small organisations, each by a seed of its own, on a bad bus: every invariant holds of each."""

from __future__ import annotations

import logging

import pytest
import structlog

from deploy.simulation import story

pytestmark = pytest.mark.timeout(120)
SEEDS = range(1000, 1200)
AT_ONCE = 20
COMPLAINTS = 2


@pytest.fixture(autouse=True)
def silence() -> None:
    """Thousands of lines a second would only slow it down."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@pytest.mark.slow
@pytest.mark.parametrize("first", SEEDS[::AT_ONCE])
async def test_every_invariant_holds_of_hundreds_of_seeds(first: int) -> None:
    broken = []
    for seed in range(first, first + AT_ONCE):
        told = await story.tell(seed, months=1, count=COMPLAINTS)
        broken += [f"seed {seed}: {each.says}: {each.broken}" for each in told.invariants if each.broken]
        assert len(told.staff.cases) == COMPLAINTS
    assert broken == []
