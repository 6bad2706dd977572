"""The checker finds each fault it is there for: one that finds nothing proves nothing."""

import uuid

import pytest

from libs.events.envelope import Envelope
from tests import carriage
from tests.faults.checker import Acknowledged, Checker


async def ten_events() -> tuple[Checker, list[Envelope]]:
    log, name = carriage.new_log()
    await carriage.Author(carriage.store_on(log), name).write(10)
    events = await carriage.everything_in(log, name)
    answers = [Acknowledged(each.stream, each.version, each.event_id, each.seq) for each in events]
    return Checker(answers, {each.event_id for each in events}), events


async def test_what_agrees_has_no_faults() -> None:
    checker, events = await ten_events()
    assert checker.faults(events, events) == []


@pytest.mark.parametrize(
    ("hurt", "word"),
    [
        (lambda log: log[:-1], "lost"),
        (lambda log: log[:4] + log[5:], "lost"),
        (lambda log: [*log, log[3]._replace(seq=11)], "doubled"),
        (lambda log: [log[1], log[0], *log[2:]], "not 1, 2, 3"),
        (lambda log: [*log[:9], log[9]._replace(event_id=uuid.uuid4())], "another event"),
        (lambda log: [*log, log[3]._replace(seq=11, event_id=uuid.uuid4(), version=3)], "nobody wrote"),
    ],
)
async def test_a_hurt_log_is_found(hurt, word) -> None:  # type: ignore[no-untyped-def]  # lambdas of a table
    checker, events = await ten_events()
    assert any(word in fault for fault in checker.faults(hurt(events)))


@pytest.mark.parametrize(
    "hurt",
    [
        lambda log: log[:-1],
        lambda log: log[1:],
        lambda log: [log[1], log[0], *log[2:]],
        lambda log: [*log, log[-1]],
        lambda log: [*log[:5], log[5]._replace(body=b"{}"), *log[6:]],
    ],
)
async def test_a_hurt_stream_is_found(hurt) -> None:  # type: ignore[no-untyped-def]  # lambdas of a table
    checker, events = await ten_events()
    assert len(checker.faults(events, hurt(events))) == 1
