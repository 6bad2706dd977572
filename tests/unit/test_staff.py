"""The simulated staff: they do all that people can do here, and seldom what they know to be refused."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
import structlog

from deploy.people import calls, moods, policies, settlements, staff
from deploy.people.owing import Owed, has_begun, next_of
from deploy.simulation import contacts, parts, story, world
from deploy.simulation.resources import LOG
from libs.events.contracts import registry
from libs.events.memory_bus import NONE

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
SEEDS = (1, 2, 3, 4)
COMPLAINTS = 40
EVENTS_MAX = 100_000
CALLS_PER_COMPLAINT_MAX = 32
REFUSED_SHARE_MAX = 0.03
# Files and whole imports are sent by machines, and have their own tests.
OF_MACHINES = {("intake", "/v1/complaints/import"), ("intake", "/v1/complaints/{}/attachments")}
# What happens only where people do nothing for weeks, or by a chance too rare for so few complaints.
ELSEWHERE = {
    "attachment_added",
    "appeal_overdue",
    "contribution_overdue",
    "deadlines_recomputed",
    "duplicate_suspected",
    "first_reply_released",
    "investigation_resumed",
    "personal_data_erased",
    "supplier_overdue",
}


@dataclass
class Lived:
    """What was seen over several seeds."""

    done: set[tuple[str, str]] = field(default_factory=set)
    commands: set[tuple[str, str]] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    calls: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    async def take(self, told: story.Story) -> None:
        """One seed's story."""
        callers = told.staff.callers
        self.done |= set(callers.done)
        self.calls += callers.calls
        self.refusals += callers.refusals
        self.broken += [f"seed {told.seed}: {each}" for each in told.invariants if each.broken]
        self.events |= {each.type.split(".")[2] for each in await told.world.log.read(LOG, limit=EVENTS_MAX)}
        for name, app in told.world.apps.items():
            paths = app.openapi()["paths"].items()
            self.commands |= {
                (name, re.sub(r"\{[^}]*\}", "{}", path)) for path, does in paths if "post" in does
            }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lived() -> AsyncIterator[Lived]:
    """A month each in a small town: few goods and few customers, so that much coincides."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contacts, "PRODUCTS", 3)
        patch.setattr(contacts, "CUSTOMERS", 12)
        patch.setattr(contacts, "SERIAL_NUMBERS", 4)
        seen = Lived()
        for seed in SEEDS:
            await seen.take(await story.tell(seed, months=1, count=COMPLAINTS))
        yield seen
    structlog.configure(**before)


@pytest.mark.slow
async def test_every_command_is_given_by_somebody(lived: Lived) -> None:
    assert lived.commands - lived.done == OF_MACHINES


@pytest.mark.slow
async def test_everything_happens_that_can_happen(lived: Lived) -> None:
    ours = [each for each in registry.all_contracts() if each.service in ("clock", *parts.PARTS)]
    names = {each.name.split(".")[2] for each in ours}
    assert names - lived.events <= ELSEWHERE


@pytest.mark.slow
async def test_whatever_they_do_the_invariants_hold(lived: Lived) -> None:
    assert lived.broken == []


@pytest.mark.slow
async def test_they_know_better_than_to_try_what_is_refused(lived: Lived) -> None:
    assert lived.calls <= CALLS_PER_COMPLAINT_MAX * COMPLAINTS * len(SEEDS)
    assert lived.refusals.total() <= REFUSED_SHARE_MAX * lived.calls
    assert {"still_observed", "clause_does_not_apply"} <= lived.refusals.keys()  # a few, on purpose


@pytest.mark.rule("GOV-1")
async def test_the_policy_is_published_for_the_day_it_is_where_the_organisation_is() -> None:
    """At eight in the evening by UTC the next day has come there."""
    async with world.running(1, NONE) as found:
        found.now = world.START + timedelta(hours=20)
        callers = calls.Callers(found.clients, found.ground.signing_keys)
        await policies.publish(callers, found.now)
        assert not callers.refusals
        published = await callers.get("oversight", "/v1/policies/in-force", policies.PUBLISHER)
    assert (published.content["version"], published.content["shipped"]) == (policies.VERSION, False)


async def test_nobody_begins_with_what_comes_later() -> None:
    finding, proposal, measure, decision = (
        Owed(step, what, "quality", "quality-officer")
        for step, what in (
            ("investigate", "finding"),
            ("propose", "proposal"),
            ("improve", "measure"),
            ("penalize", "decision"),
        )
    )
    assert list(next_of([finding, proposal, measure, decision])) == [finding, decision]
    assert list(next_of([proposal, measure])) == [proposal, measure]


async def test_a_finding_waits_until_its_investigation_is_open_again() -> None:
    finding = Owed("investigate", "finding", "quality", "quality-officer")
    whole = ["investigation_opened", "evidence_added", "finding_recorded", "investigation_resumed"]
    begun = [
        has_begun({"steps": [{"on_record": [{"what": name} for name in whole[:n]]}]}, finding)
        for n in range(5)
    ]
    assert begun == [False, True, True, False, True]


async def test_a_dispute_is_settled_again_in_a_complaint_that_was_reopened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posted: list[str] = []

    async def post(_: staff.Staff, __: staff.Case, place: str, *___: object) -> calls.Answer:
        posted.append(place)
        return calls.Answer({})

    monkeypatch.setattr(settlements, "post", post)
    case = staff.Case(uuid4(), "2026-000001", 1, {}, (), memory={"case": {"solution": {"proposal": 2}}})
    everybody = staff.Staff(None, 1, {}, (), None)  # type: ignore[arg-type]  # nobody calls, nobody waits
    for _ in range(2):
        case.memory["declined"] = 2
        await settlements.propose(everybody, case, Owed("propose", "proposal", "after-sales", "x", None))
    assert posted == ["proposals/2/settlement"] * 2


@pytest.mark.parametrize(
    ("known", "thanked"),
    [
        ({}, moods.DESK),
        ({"case": {"answerable": None}}, moods.DESK),  # a case may be spoken of before anybody answers for it
        ({"case": {"answerable": {"person": "quality-officer"}}}, "quality-officer"),
    ],
)
async def test_thanks_go_to_whoever_answered_for_it(
    known: calls.Json, thanked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[calls.Json] = []
    monkeypatch.setattr(moods, "later", lambda *given: said.append(given[-1]))
    monkeypatch.setattr(staff.Case, "happens", lambda *_: True)
    case = staff.Case(uuid4(), "2026-000001", 1, {}, (), {"closed": True, "path": "resolved"}, memory=known)
    await moods.thank(staff.Staff(None, 1, {}, (), None), case)  # type: ignore[arg-type]  # nobody calls
    assert [each["person"] for each in said] == [thanked]
