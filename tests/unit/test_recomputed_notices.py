"""A day off announced late moves by when a notice has to have arrived, where that is working time (SLA-2)."""

from datetime import datetime, timedelta

import pytest

from libs.events.contracts import notify
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Severity, Step
from libs.events.contracts.notify import NoticeKind
from libs.events.contracts.policy import PolicyPublished
from libs.events.contracts.term import Breach, DeadlinesRecomputed
from libs.events.lease import Undisputed
from libs.policy import deadlines
from libs.policy.pack import Pack
from libs.policy.schema.deadlines import Errand
from libs.service import policies
from libs.service.clock import Ticker
from libs.service.wiring import Resources
from tests import complaint_history as says
from tests.complaint_history import NOW
from tests.packs import changed, standard, text_with
from tests.unit.notifier_office import Office, office
from tests.unit.notifier_says import THIS

TODAY, MINUTE, DAY = NOW.date(), timedelta(minutes=1), timedelta(days=1)
# Announced on that very day: what was due in the afternoon is due on the next working day.
V2 = ("version: 1", "version: 2")
SNOW = ("single_days: []", f"single_days: [{{day: {TODAY}, name: {{zh: 雪, en: snow}}}}]")
rule = pytest.mark.rule


@pytest.fixture
def desk(shared: Resources) -> Office:
    return office(shared)


def due(policy: Pack) -> datetime:
    return deadlines.due(policy, Errand.UNFOUNDED_REPLY, Severity.SERIOUS, NOW).due_at


BEFORE, AFTER = due(standard()), due(changed(V2, SNOW))


async def passes(desk: Office, until: datetime) -> None:
    """Time goes by; whatever falls due in it is passed at its time, as a running service does."""
    log = desk.resources.log
    ticker = Ticker(desk.ticking, log, lambda: desk.now[0], Undisputed)
    while (at := desk.kept.next_at("main")) is not None and at <= until:
        desk.now[0] = max(desk.now[0], at)
        await ticker.sweep("main")
        await desk.settle()
    desk.now[0] = until


async def published(desk: Office) -> None:
    said = PolicyPublished(
        name="standard",
        version=2,
        effective_from=TODAY,
        text=text_with(V2, SNOW, ("effective_from: 2026-01-01", f"effective_from: {TODAY}")),
        author="general-manager",
        published_at=desk.now[0],
    )
    await desk.says(said, policies.key_of("main"), "policy")
    desk.resources.policies.changed("main")


@rule("SLA-2", "NTF-1")
async def test_a_reply_that_reached_nobody_is_due_and_late_by_the_new_calendar_only(desk: Office) -> None:
    desk.outbox.shut.add("*")
    desk.jetstream.shut.add("*")
    await desk.says(says.recorded(THIS))
    await desk.says(says.classified(THIS, founded=False))
    (notice,) = [n for n in await desk.said(notify.NoticeWritten) if n.kind is NoticeKind.UNFOUNDED_REPLY]
    assert notice.due_at == BEFORE
    await published(desk)
    await passes(desk, NOW + 5 * MINUTE)
    (event,) = await desk.said(DeadlinesRecomputed)
    (moved,) = event.moved
    assert (moved.due.step, moved.about) == (Step.NOTIFY, str(notice.notice_id))
    assert (moved.before_at, moved.due.due_at, moved.breach) == (BEFORE, AFTER, None)
    assert (event.complaint_id, event.ground.policy) == (THIS, "standard@2")
    await passes(desk, AFTER - MINUTE)
    assert BEFORE not in [each.due_at for each in await desk.said(DeadlineMissed)]
    await passes(desk, AFTER)
    assert [each.due_at for each in await desk.said(DeadlineMissed)].count(AFTER) == 1


@rule("SLA-2", "NTF-1")
async def test_what_was_missed_by_the_old_calendar_only_is_lifted(desk: Office) -> None:
    desk.outbox.shut.add("*")
    desk.jetstream.shut.add("*")
    await desk.says(says.recorded(THIS))
    await desk.says(says.classified(THIS, founded=False))
    await passes(desk, BEFORE + MINUTE)
    await published(desk)
    await passes(desk, BEFORE + 5 * MINUTE)
    (event,) = await desk.said(DeadlinesRecomputed)
    assert [each.breach for each in event.moved] == [Breach.LIFTED]


@rule("SLA-2")
async def test_nothing_is_said_of_what_has_arrived_and_of_the_first_reply_which_is_on_the_clock(
    desk: Office,
) -> None:
    await desk.says(says.recorded(THIS))
    await desk.says(says.classified(THIS, founded=False))
    await published(desk)
    await passes(desk, NOW + DAY)
    assert await desk.said(DeadlinesRecomputed) == []
