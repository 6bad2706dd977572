"""The chain finds what was altered, and where."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import errors, export, ledger
from libs.events.envelope import Envelope, Head
from libs.events.ledger import Chain, Checkpoint, Fault
from libs.events.memory import MemoryLog
from tests import appends

# Spaces, order, escapes and a doubled name: none of it survives a JSON parser.
BODIES = (b'{"b": 1,\t"a":2}', b'{"a":1,"a":2}', '{"text":"\\u9648 陈"}'.encode(), b"{}", b"[1.0, 1e0]")


async def written() -> list[Envelope]:
    log, stream = MemoryLog("main"), appends.stream()
    for number, body in enumerate(BODIES):
        await log.append(appends.append(stream, number, appends.event(body=body), complaint_id=None))
        await log.append(appends.append(caused_by=None, traceparent=""))
    return await log.read("main")


EVENTS = asyncio.run(written())
END = Head(EVENTS[-1].seq, EVENTS[-1].hash, EVENTS[-1].at)


def check(
    events: list[Envelope], head: Head | None = END, checkpoint: Checkpoint | None = None
) -> Fault | None:
    chain = Chain("main", checkpoint)
    return chain.follow(events) or chain.end(head)


def rewritten(events: list[Envelope]) -> list[Envelope]:
    """As somebody would who knows how the chain is made."""
    previous, result = ledger.genesis("main"), []
    for event in events:
        previous = ledger.link(previous, event)
        result.append(event._replace(hash=previous))
    return result


def test_the_link_is_what_the_description_says() -> None:
    """Made again from the description: an outsider's program in another language comes to the same."""
    event = EVENTS[0]
    micros = round((event.at - ledger.EPOCH) / timedelta(microseconds=1))
    parts = [
        EVENTS[1].hash,
        event.seq.to_bytes(8, "big"),
        micros.to_bytes(8, "big"),
        event.version.to_bytes(4, "big"),
    ]
    parts += [event.event_id.bytes, bytes(16), event.caused_by.bytes if event.caused_by else bytes(16)]
    for text in (event.log, event.stream, event.type, event.actor, event.traceparent):
        parts += [len(text.encode()).to_bytes(4, "big"), text.encode()]
    parts.append(hashlib.sha256(event.body).digest())
    assert ledger.link(EVENTS[1].hash, event) == hashlib.sha256(b"".join(parts)).digest()


def test_what_nobody_altered_is_sound() -> None:
    assert check(EVENTS) is None
    assert check([], Head(0, ledger.genesis("main"), END.at)) is None


@pytest.mark.rule("AUD-3")
@given(
    at=st.integers(0, len(EVENTS) - 1),
    change=st.sampled_from(
        [
            lambda e: e._replace(body=e.body + b" "),
            lambda e: e._replace(actor="somebody else"),
            lambda e: e._replace(at=e.at + timedelta(microseconds=1)),
            lambda e: e._replace(type="complaints.intake.complaint_withdrawn.v1"),
            lambda e: e._replace(complaint_id=uuid4()),
            lambda e: e._replace(caused_by=uuid4()),
            lambda e: e._replace(event_id=uuid4()),
            lambda e: e._replace(traceparent="x"),
            lambda e: e._replace(stream=appends.stream()),
            lambda e: e._replace(version=e.version + 1),
            lambda e: e._replace(hash=bytes(32)),
            lambda e: e._replace(log="other"),
            # A text may not lend letters to its neighbour.
            lambda e: e._replace(type=e.type + e.actor[0], actor=e.actor[1:]),
        ]
    ),
)
def test_every_column_of_every_event_is_covered(at: int, change: Callable[[Envelope], Envelope]) -> None:
    altered = [*EVENTS[:at], change(EVENTS[at]), *EVENTS[at + 1 :]]
    fault = check(altered)
    assert fault is not None
    assert fault.seq == at + 1


@given(at=st.integers(0, len(EVENTS) - 1))
def test_a_missing_event_is_named(at: int) -> None:
    fault = check(EVENTS[:at] + EVENTS[at + 1 :])
    assert fault is not None
    assert fault.seq == at + 1
    assert "missing" in fault.what


@given(at=st.integers(0, len(EVENTS) - 1))
def test_an_inserted_event_is_named(at: int) -> None:
    inserted = EVENTS[at]._replace(event_id=uuid4(), stream=appends.stream(), version=1)
    shifted = [event._replace(seq=event.seq + 1) for event in EVENTS[at:]]
    fault = check([*EVENTS[:at], inserted, *shifted])
    assert fault is not None
    assert fault.seq == at + 1


@given(at=st.integers(0, len(EVENTS) - 2))
def test_two_events_that_changed_places_are_named(at: int) -> None:
    first, second = EVENTS[at : at + 2]
    swapped = [second._replace(seq=first.seq), first._replace(seq=second.seq)]
    fault = check([*EVENTS[:at], *swapped, *EVENTS[at + 2 :]])
    assert fault is not None
    assert fault.seq == at + 1


def test_the_end_must_be_where_the_head_row_says() -> None:
    for head, seq, what in (
        (replace(END, seq=END.seq + 1), END.seq + 1, "missing"),
        (replace(END, seq=END.seq - 1), END.seq, "stands after the end"),
        (replace(END, hash=bytes(32)), END.seq, "head row"),
        (replace(END, at=END.at + timedelta(seconds=1)), END.seq, "head row"),
    ):
        fault = check(EVENTS, head)
        assert fault is not None
        assert fault.seq == seq
        assert what in fault.what


@pytest.mark.rule("AUD-4")
def test_a_checkpoint_shows_what_a_chain_made_anew_hides(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.json"
    Checkpoint.of("main", END).save(file)
    kept = Checkpoint.load(file)
    assert check(EVENTS, checkpoint=kept) is None

    forged = rewritten([EVENTS[0]._replace(actor="somebody else"), *EVENTS[1:]])
    head = replace(END, hash=forged[-1].hash)
    assert check(forged, head) is None
    fault = check(forged, head, kept)
    assert fault == Fault(END.seq, "not what the checkpoint says: the log was rewritten here or before")

    cut = EVENTS[:-3]
    head = Head(cut[-1].seq, cut[-1].hash, cut[-1].at)
    assert check(cut, head) is None
    fault = check(cut, head, kept)
    assert fault is not None
    assert (fault.seq, fault.what.partition(":")[0]) == (END.seq - 2, "missing")

    with pytest.raises(ValueError, match="of the log other"):
        Chain("main", replace(kept, log="other"))


@pytest.mark.parametrize(
    ("forge", "seq", "what"),
    [
        (lambda one, two, three: [three._replace(seq=1)], 1, "version 2 of"),
        (lambda one, two, three: [one, two._replace(at=one.at - timedelta(1))], 2, "time runs backwards"),
        (lambda one, two, three: [one, two._replace(event_id=one.event_id)], 2, "on record before"),
    ],
    ids=["version", "time", "id"],
)
def test_a_chain_made_anew_must_still_be_one_that_a_log_could_make(
    forge: Callable[..., list[Envelope]], seq: int, what: str
) -> None:
    fault = check(rewritten(forge(*EVENTS[:3])), None)
    assert fault is not None
    assert fault.seq == seq
    assert what in fault.what


def test_a_chain_that_was_never_built_is_no_chain() -> None:
    """Trap 25: a column that is filled, and checked against itself, proves nothing."""

    def naive(events: list[Envelope]) -> bool:
        return all(len(event.hash) == 32 for event in events)

    never_built = [event._replace(hash=ledger.genesis("main")) for event in EVENTS]
    assert naive(never_built)
    fault = check(never_built)
    assert fault is not None
    assert fault.seq == 1


def test_bytes_are_hashed_as_they_stand_and_survive_a_file(tmp_path: Path) -> None:
    """Trap 24: JSON written again is other bytes, so a sound log would be called forged."""
    for name in ("log.ndjson", "log.ndjson.gz"):
        with export.writing(tmp_path / name) as file:
            file.writelines(export.to_line(event) + "\n" for event in EVENTS)
        read = [event for page in export.pages(tmp_path / name) for event in page]
        assert read == EVENTS
        assert ledger.verify_pages("main", export.pages(tmp_path / name), Checkpoint.of("main", END)).sound
    naive = [event._replace(body=json.dumps(json.loads(event.body)).encode()) for event in EVENTS]
    fault = check(naive)
    assert fault is not None
    assert fault.seq == 1


@pytest.mark.parametrize("line", ["", "x", "[]", "{}", '{"log":1}', "null"])
def test_a_line_that_is_no_event_is_said_to_be_none(line: str) -> None:
    with pytest.raises(errors.ContractError):
        export.from_line(line)


def test_a_file_that_is_no_checkpoint_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.json"
    for text in ("", "{}", '{"log":"main","seq":1,"hash":"xyz","at":""}'):
        file.write_text(text)
        with pytest.raises(ValueError, match="no checkpoint"):
            Checkpoint.load(file)
