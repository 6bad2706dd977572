"""Who listens to a log is woken by what is appended to it, and by nothing that is of no concern."""

import asyncio

from tests import carriage

STREAM, RECORDED, WRITTEN = "intake-1", "complaints.intake.complaint_recorded.v1", "complaints.notifier.x.v1"
SECONDS_MAX = 10.0


def of_type(stream: str, event_type: str) -> bool:
    return event_type == RECORDED


def of_stream(stream: str, event_type: str) -> bool:
    return stream == STREAM


async def test_only_what_concerns_a_listener_wakes_it(nats_url: str) -> None:
    async with carriage.connected(nats_url) as telling, carriage.connected(nats_url) as told:
        by_type, by_stream = told.listen("main", of_type), told.listen("main", of_stream)
        every, own = told.listen("main"), telling.listen("main", of_type)
        elsewhere = told.listen("other")
        await telling.wake("main", 1, "notifier-1", [WRITTEN])
        await asyncio.wait_for(every.wait(), SECONDS_MAX)
        assert not any(each.is_set() for each in (by_type, by_stream, own))
        every.clear()
        await telling.wake("main", 3, STREAM, [WRITTEN, RECORDED])
        await asyncio.wait_for(every.wait(), SECONDS_MAX)
        assert all(each.is_set() for each in (by_type, by_stream, own))
        assert not elsewhere.is_set()
