"""Which appends share a batch."""

import asyncio
from collections import deque
from datetime import UTC, datetime

from libs.events.envelope import Append, Appended
from libs.events.log import appender
from libs.events.log.appender import Waiting, next_batch
from tests import appends


async def batches(*several: Append) -> list[list[Append]]:
    queue = deque(Waiting(append, asyncio.get_running_loop().create_future()) for append in several)
    found = []
    while together := next_batch(queue):
        found.append([waiting.append for waiting in together])
    return found


async def test_what_has_nothing_in_common_goes_together() -> None:
    several = [appends.append(claims=(appends.claim(),), new_keys=(appends.key(),)) for _ in range(20)]
    assert await batches(*several) == [several]
    assert await batches() == []


async def test_a_batch_ends_where_two_would_touch_the_same_thing() -> None:
    event, claim, subject = appends.event(), appends.claim(), "complainant:1"
    stream = appends.stream()
    pairs = [
        (appends.append(stream), appends.append(stream)),
        (appends.append(None, 0, event), appends.append(None, 0, event)),
        (appends.append(claims=(claim,)), appends.append(claims=(claim,))),
        (appends.append(new_keys=(appends.key(subject),)), appends.append(new_keys=(appends.key(subject),))),
    ]
    for one, two in pairs:
        before, between, after = (appends.append() for _ in range(3))
        assert await batches(before, one, between, two, after) == [[before, one, between], [two, after]]


async def test_an_erasure_is_by_itself() -> None:
    one, two = appends.append(), appends.append()
    erasure = appends.append(appends.stream("erasure"), erases="complainant:1")
    assert await batches(one, erasure, two) == [[one], [erasure], [two]]


async def test_a_batch_is_bounded() -> None:
    many = [appends.append() for _ in range(appender.BATCH_APPENDS_MAX + 1)]
    assert [len(batch) for batch in await batches(*many)] == [appender.BATCH_APPENDS_MAX, 1]
    body = b"x" * (appender.BATCH_BYTES_MAX * 2 // 5)
    large = [appends.append(None, 0, appends.event(body=body)) for _ in range(5)]
    assert [len(batch) for batch in await batches(*large)] == [2, 2, 1]


async def test_who_gave_up_is_left_out() -> None:
    one, two = (Waiting(appends.append(), asyncio.get_running_loop().create_future()) for _ in range(2))
    one.answer.cancel()
    assert next_batch(deque([one, two])) == [two]
    given = Appended(1, 1, datetime.now(UTC))
    two.tell(given)
    two.give_up()
    assert two.answer.result() == given
