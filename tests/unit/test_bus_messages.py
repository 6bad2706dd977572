"""Events as messages and back, without a server."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as some
from nats.js.api import RawStreamMsg

from deploy.local import nats
from libs.events import bus, envelope, errors, patience, relay, stream
from libs.events.envelope import Append, Envelope, NewEvent
from libs.events.ledger import EPOCH

TEXTS = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"))
TIMES = some.integers(0, 2**52).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds))
ENVELOPES = some.builds(
    Envelope,
    log=some.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True),
    seq=some.integers(1, 2**63 - 1),
    event_id=some.uuids(),
    stream=TEXTS,
    version=some.integers(1, 2**31 - 1),
    type=TEXTS | some.just("complaints.intake.complaint_recorded.v1"),
    complaint_id=some.none() | some.uuids(),
    actor=TEXTS,
    caused_by=some.none() | some.uuids(),
    traceparent=TEXTS,
    at=TIMES,
    body=some.binary(),
    hash=some.binary(min_size=32, max_size=32),
)


def received(message: RawStreamMsg) -> Envelope:
    return bus.from_message(message.headers, message.data)


def through_nats(message: bus.Message) -> RawStreamMsg:
    """What is left of headers on the way: values without the spaces around them."""
    headers = {name: value.strip() for name, value in message.headers.items()}
    return RawStreamMsg(headers=headers, data=message.payload)


@given(ENVELOPES)
def test_an_envelope_survives_the_way_there_and_back(event: Envelope) -> None:
    assert received(through_nats(bus.to_message(event))) == event


@given(ENVELOPES)
def test_headers_and_subjects_are_plain_text_of_one_line(event: Envelope) -> None:
    message = bus.to_message(event)
    assert all(value.isascii() and value.isprintable() for value in message.headers.values())
    assert message.subject.startswith(f"complaints.{event.log}.")
    assert len(message.subject.split(".")) == 4
    assert message.subject.isascii()
    assert not set(message.subject) & set(" *>\r\n\t")


EVENT = Envelope(
    log="main",
    seq=4711,
    event_id=uuid.UUID("01a202fa-958d-736b-856f-b1be38f97381"),
    stream="intake-7",
    version=2,
    type="complaints.intake.complaint_recorded.v3",
    complaint_id=uuid.UUID("01a202fa-9590-7c41-9d0e-1b52f0a3c9d7"),
    actor="王芳 100%",
    caused_by=None,
    traceparent="",
    at=datetime(2026, 11, 22, 1, 12, 0, 482113, UTC),
    body=b'{"a":1}',
    hash=bytes(32),
)


def test_a_message_is_a_cloud_event() -> None:
    message = bus.to_message(EVENT)
    assert message.subject == "complaints.main.intake.complaint_recorded"
    assert message.headers == {
        "ce-specversion": "1.0",
        "ce-id": "01a202fa-958d-736b-856f-b1be38f97381",
        "ce-type": "complaints.intake.complaint_recorded.v3",
        "ce-source": "/main/intake",
        "ce-subject": "01a202fa-9590-7c41-9d0e-1b52f0a3c9d7",
        "ce-time": "2026-11-22T01:12:00.482113Z",
        "ce-sequence": "00000000000000004711",
        "ce-stream": "intake-7",
        "ce-streamversion": "2",
        "ce-actor": "%E7%8E%8B%E8%8A%B3%20100%25",
        "ce-hash": "00" * 32,
        "content-type": "application/json",
    }


@pytest.mark.parametrize("missing", ["ce-id", "ce-source", "ce-sequence", "ce-hash", "content-type"])
def test_a_message_of_somebody_else_is_known(missing: str) -> None:
    headers = bus.to_message(EVENT).headers
    del headers[missing]
    with pytest.raises(bus.NotFromTheLog):
        received(RawStreamMsg(headers=headers, data=b"{}"))
    with pytest.raises(bus.NotFromTheLog):
        received(RawStreamMsg(data=b"{}"))


def test_batches_keep_within_count_and_bytes() -> None:
    message = bus.to_message(EVENT)
    counts = [len(batch) for batch in relay.batches([message] * 1201)]
    assert counts == [500, 500, 201]
    large = replace(message, payload=bytes(stream.BATCH_BYTES_MAX // 2 + 1))
    assert [len(batch) for batch in relay.batches([large, message, large, large])] == [2, 1, 1]
    alone = replace(message, payload=bytes(stream.BATCH_BYTES_MAX + 1))
    assert [len(batch) for batch in relay.batches([message, alone, message])] == [1, 1, 1]
    assert list(relay.batches([])) == []


def test_the_longest_event_the_log_takes_fits_into_a_message() -> None:
    text = "囧" * (envelope.TEXT_BYTES_MAX // 3)
    longest = EVENT._replace(stream=text, actor=text, traceparent=text, type=text, caused_by=EVENT.event_id)
    message = bus.to_message(longest)
    header_bytes = sum(len(name) + len(value) + 4 for name, value in message.headers.items()) + 512
    assert header_bytes + envelope.BODY_BYTES_MAX <= envelope.MESSAGE_BYTES_MAX


@pytest.mark.parametrize("actor", ["a" * (envelope.TEXT_BYTES_MAX + 1), "囧" * envelope.TEXT_BYTES_MAX])
def test_what_the_bus_could_not_carry_the_log_does_not_take(actor: str) -> None:
    event = NewEvent(uuid.uuid4(), "complaints.intake.x.v1", b"{}")
    append = Append("main", "intake-1", 0, (event,), "tester")
    envelope.check(append)
    with pytest.raises(errors.Malformed):
        envelope.check(replace(append, actor=actor))
    large = replace(event, body=bytes(envelope.BODY_BYTES_MAX + 1))
    with pytest.raises(errors.Malformed):
        envelope.check(replace(append, events=(large,)))


def test_every_nats_of_ours_takes_messages_of_that_size() -> None:
    assert nats.MESSAGE_BYTES_MAX == envelope.MESSAGE_BYTES_MAX
    conf = Path(nats.__file__).parents[1] / "docker" / "nats.conf"
    assert f"max_payload: {envelope.MESSAGE_BYTES_MAX // 2**20}MB\n" in conf.read_text()


def test_patience_grows_and_ends() -> None:
    borne = patience.with_(errors.NotFound())
    with mock.patch("random.uniform", return_value=1.0):
        assert [borne.delay(attempt) for attempt in range(1, 8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert patience.with_(errors.ContractError()).attempts_max < patience.with_(KeyError()).attempts_max
    assert patience.with_(errors.Unavailable()).attempts_max > 100
    assert patience.with_(bus.NotFromTheLog()) == patience.with_(errors.ContractError())
