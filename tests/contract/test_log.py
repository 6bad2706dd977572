"""What every log does, in memory and in PostgreSQL."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from libs.events import errors, ledger
from libs.events.envelope import BODY_BYTES_MAX, Append, Appended, Claimed
from libs.events.store import ClaimTaken, KeysChanged, Log
from tests import appends
from tests.contract.conftest import Logs

NOBODY = uuid4()


async def refusal(log: Log, append: Append) -> Exception:
    """How an append is refused; and that it left nothing behind."""
    before, stream = await log.head("main"), await log.read_stream("main", append.stream)
    with pytest.raises(errors.Failure) as raised:
        await log.append(append)
    assert await log.head("main") == before
    assert await log.read_stream("main", append.stream) == stream
    return raised.value


async def test_what_was_appended_is_read_as_it_was(log: Log) -> None:
    events = (appends.event(), appends.event(body='{"a":"\\u0000 ﷽ 𝔘 \u2028"}'.encode()))
    append = appends.append(None, 0, *events)
    before = await log.head("main")
    appended = await log.append(append)
    assert (appended.version, appended.seq, appended.repeated) == (2, before.seq + 2, False)
    stored = await log.read_stream("main", append.stream)
    assert [(e.event_id, e.type, e.body) for e in stored] == [(e.event_id, e.type, e.body) for e in events]
    assert [(e.version, e.seq) for e in stored] == [(1, before.seq + 1), (2, before.seq + 2)]
    for e in stored:
        assert (e.log, e.actor, e.traceparent) == ("main", append.actor, append.traceparent)
        assert (e.complaint_id, e.caused_by, e.at) == (append.complaint_id, append.caused_by, appended.at)
    assert await log.head("main") == type(before)(appended.seq, stored[-1].hash, appended.at)


async def test_what_is_absent_stays_absent(log: Log) -> None:
    append = appends.append(complaint_id=None, caused_by=None, traceparent="")
    await log.append(append)
    [stored] = await log.read_stream("main", append.stream)
    assert (stored.complaint_id, stored.caused_by, stored.traceparent) == (None, None, "")


async def test_another_version_is_refused_and_the_current_one_named(log: Log) -> None:
    first = appends.append()
    await log.append(first)
    for expected in (0, 2):
        raised = await refusal(log, appends.append(first.stream, expected))
        assert isinstance(raised, errors.VersionConflict)
        assert raised.facts["current_version"] == 1
    assert isinstance(await refusal(log, appends.append(None, 1)), errors.VersionConflict)


async def test_a_repeat_is_answered_as_the_first_time_at_any_age(log: Log) -> None:
    append = appends.append(None, 0, appends.event(), appends.event())
    first = await log.append(append)
    await log.append(appends.append(append.stream, 2))
    await log.append(appends.append())
    head = await log.head("main")
    assert await log.append(append) == Appended(first.version, first.seq, first.at, repeated=True)
    assert await log.head("main") == head


@pytest.mark.parametrize(
    "change",
    [
        lambda a: appends.only(a, events=(appends.event(a.events[0].event_id, b"{}"), a.events[1])),
        lambda a: appends.only(a, events=(appends.event(a.events[0].event_id, type_="t.v2"), a.events[1])),
        lambda a: appends.only(a, stream=appends.stream()),
    ],
    ids=["other body", "other type", "other stream"],
)
async def test_an_event_id_with_other_content_is_refused(
    log: Log, change: Callable[[Append], Append]
) -> None:
    append = appends.append(None, 0, appends.event(), appends.event())
    await log.append(append)
    raised = await refusal(log, change(append))
    assert isinstance(raised, errors.EventIdTaken)
    assert raised.facts["event_id"] == str(append.events[0].event_id)


async def test_a_repeat_with_a_further_event_is_refused(log: Log) -> None:
    append = appends.append()
    await log.append(append)
    further = appends.event()
    raised = await refusal(log, appends.only(append, events=(*append.events, further)))
    assert isinstance(raised, errors.EventIdTaken)
    assert raised.facts["event_id"] == str(further.event_id)


async def test_a_claim_is_taken_once(log: Log) -> None:
    claim = appends.claim()
    first = appends.append(None, 0, appends.event(), appends.event(), claims=(claim,))
    appended = await log.append(first)
    claimed = Claimed(claim.name, claim.fingerprint, first.stream, 2, appended.seq)
    assert await log.find_claim("main", claim.name) == claimed
    raised = await refusal(log, appends.append(claims=(appends.claim(), appends.claim(claim.name))))
    assert isinstance(raised, ClaimTaken)
    assert raised.claimed == claimed
    assert await log.find_claim("main", uuid4()) is None


async def test_a_claim_may_be_taken_without_an_event(log: Log) -> None:
    append = appends.append()
    await log.append(append)
    head = await log.head("main")
    claim = appends.claim()
    alone = appends.only(append, expected_version=1, events=(), claims=(claim,))
    appended = await log.append(alone)
    assert (appended.version, appended.seq, appended.repeated) == (1, head.seq, False)
    assert await log.head("main") == head
    found = await log.find_claim("main", claim.name)
    assert found == Claimed(claim.name, claim.fingerprint, append.stream, 1, head.seq)


async def test_a_key_is_stored_with_the_append_that_first_uses_it(log: Log) -> None:
    key = appends.key()
    await log.append(appends.append(new_keys=(key,)))
    assert await log.key_of_subject("main", key.subject) == key
    assert await log.keys_by_id("main", [key.key_id, uuid4()]) == [key]
    assert await log.key_of_subject("main", "nobody") is None
    await log.append(appends.append(used_keys=(key.key_id,)))


async def test_a_second_key_of_a_subject_is_refused(log: Log) -> None:
    key = appends.key()
    await log.append(appends.append(new_keys=(key,)))
    assert isinstance(await refusal(log, appends.append(new_keys=(appends.key(key.subject),))), KeysChanged)
    assert await log.key_of_subject("main", key.subject) == key


async def test_an_erased_key_seals_nothing_any_more(logs: Logs) -> None:
    key, other = appends.key(), appends.key()
    await logs.intake.append(appends.append(new_keys=(key, other)))
    await logs.oversight.append(appends.append(appends.stream("erasure"), erases=key.subject))
    assert await logs.intake.key_of_subject("main", key.subject) is None
    assert await logs.intake.keys_by_id("main", [key.key_id, other.key_id]) == [other]
    assert isinstance(await refusal(logs.intake, appends.append(used_keys=(key.key_id,))), KeysChanged)
    await logs.intake.append(appends.append(new_keys=(appends.key(key.subject),)))


async def test_nothing_is_erased_outside_an_erasure(log: Log) -> None:
    key = appends.key()
    await log.append(appends.append(new_keys=(key,)))
    assert isinstance(await refusal(log, appends.append(erases=key.subject)), errors.ForeignStream)
    assert await log.key_of_subject("main", key.subject) == key


async def test_refusals_come_in_one_order(log: Log) -> None:
    claim, key = appends.claim(), appends.key()
    first = appends.append(claims=(claim,), new_keys=(key,))
    appended = await log.append(first)
    assert (await log.append(first)).repeated  # before: claim, version, key
    other_body = appends.only(first, events=(appends.event(first.events[0].event_id, b"{}"),))
    assert isinstance(await refusal(log, other_body), errors.EventIdTaken)
    new_event = appends.only(first, events=(appends.event(),))
    assert isinstance(await refusal(log, new_event), ClaimTaken)
    no_claim = appends.only(new_event, claims=())
    assert isinstance(await refusal(log, no_claim), errors.VersionConflict)
    right_version = appends.only(no_claim, expected_version=appended.version)
    assert isinstance(await refusal(log, right_version), KeysChanged)


async def test_a_log_that_does_not_exist_is_named(log: Log) -> None:
    calls = (
        log.append(appends.append(log="nowhere")),
        log.read_stream("nowhere", "intake-1"),
        log.read("nowhere"),
        log.head("nowhere"),
        log.find_claim("nowhere", NOBODY),
        log.key_of_subject("nowhere", "x"),
        log.keys_by_id("nowhere", [NOBODY]),
    )
    for call in calls:
        with pytest.raises(errors.UnknownLog) as raised:
            await call
        assert raised.value.facts["log"] == "nowhere"
    assert await log.logs() == ["main"]


@pytest.mark.parametrize(
    "append",
    [
        appends.append(complaint_id=UUID(int=0)),
        appends.append(caused_by=UUID(int=0)),
        appends.append(None, 0, appends.event(UUID(int=0))),
        appends.append(None, 0, appends.event(body=b"x" * (BODY_BYTES_MAX + 1))),
        appends.append(actor="a\0b"),
        appends.append(actor="\ud800"),
        appends.append(new_keys=(appends.key("\udfff"),)),
    ],
    ids=["nil complaint", "nil cause", "nil event", "too long", "NUL", "half a pair", "subject"],
)
async def test_what_cannot_be_kept_is_malformed(log: Log, append: Append) -> None:
    assert isinstance(await refusal(log, append), errors.Malformed)


async def test_the_longest_body_is_kept(log: Log) -> None:
    append = appends.append(None, 0, appends.event(body=b"x" * BODY_BYTES_MAX))
    await log.append(append)
    [stored] = await log.read_stream("main", append.stream)
    assert stored.body == append.events[0].body


async def test_pages_are_in_order_and_without_gaps(log: Log) -> None:
    start = (await log.head("main")).seq
    complaint = uuid4()
    for number in range(5):
        await log.append(appends.append(complaint_id=complaint if number % 2 else None))
    assert [e.seq for e in await log.read("main", start, 3)] == [start + 1, start + 2, start + 3]
    assert [e.seq for e in await log.read("main", start + 3, 9)] == [start + 4, start + 5]
    assert await log.read("main", start + 5) == []
    assert [e.seq for e in await log.read("main", start, 9, complaint)] == [start + 2, start + 4]
    assert [e.seq for e in await log.read("main", start + 2, 1, complaint)] == [start + 4]


async def test_large_events_are_all_read_in_more_pages(log: Log) -> None:
    start = (await log.head("main")).seq
    for _ in range(4):
        await log.append(appends.append(None, 0, appends.event(body=b"x" * (BODY_BYTES_MAX - 1))))
    seqs: list[int] = []
    while page := await log.read("main", seqs[-1] if seqs else start, 10):
        seqs += [envelope.seq for envelope in page]
    assert seqs == [start + 1, start + 2, start + 3, start + 4]


async def test_a_stream_is_read_from_any_version(log: Log) -> None:
    append = appends.append(None, 0, *(appends.event() for _ in range(3)))
    await log.append(append)
    assert [e.version for e in await log.read_stream("main", append.stream, 1)] == [2, 3]
    assert await log.read_stream("main", append.stream, 3) == []
    assert await log.read_stream("main", appends.stream()) == []


async def test_of_twenty_at_once_one_wins_and_none_is_lost(log: Log) -> None:
    append = appends.append()
    twenty = [appends.only(append, events=(appends.event(),)) for _ in range(20)]
    results = await asyncio.gather(*map(log.append, twenty), return_exceptions=True)
    won = [result for result in results if isinstance(result, Appended)]
    lost = [result for result in results if isinstance(result, errors.VersionConflict)]
    assert (len(won), len(lost)) == (1, 19)
    assert len(await log.read_stream("main", append.stream)) == 1


async def test_a_refused_append_never_fails_its_neighbours(log: Log) -> None:
    taken = appends.append(claims=(appends.claim(),), new_keys=(appends.key(),))
    await log.append(taken)
    bad: list[Append] = [
        appends.append(None, 7),
        appends.append(taken.stream, 0),
        appends.append(claims=taken.claims),
        appends.append(new_keys=(appends.key(taken.new_keys[0].subject),)),
        appends.append(used_keys=(uuid4(),)),
        appends.append(None, 0, taken.events[0]),
        appends.append(actor="\0"),
    ]
    good = [appends.append(claims=(appends.claim(),), new_keys=(appends.key(),)) for _ in bad]
    mixed = [one for pair in zip(good, bad, strict=True) for one in pair] + [taken]
    results = await asyncio.gather(*map(log.append, mixed), return_exceptions=True)
    assert [type(result) for result in results[1:-1:2]] == [
        errors.VersionConflict,
        errors.VersionConflict,
        ClaimTaken,
        KeysChanged,
        KeysChanged,
        errors.EventIdTaken,
        errors.Malformed,
    ]
    seqs = [result.seq for result in results[:-1:2] if isinstance(result, Appended)]
    assert seqs == list(range(seqs[0], seqs[0] + len(good)))
    last = results[-1]
    assert isinstance(last, Appended)
    assert last.repeated
    for append in good:
        assert len(await log.read_stream("main", append.stream)) == 1
        assert await log.find_claim("main", append.claims[0].name) is not None
        assert await log.key_of_subject("main", append.new_keys[0].subject) == append.new_keys[0]


async def test_two_appends_at_once_may_share_what_only_one_can_have(log: Log) -> None:
    claim, subject, event = appends.claim(), f"complainant:{uuid4()}", appends.event()
    pairs = {
        ClaimTaken: [appends.append(claims=(claim,)) for _ in range(2)],
        KeysChanged: [appends.append(new_keys=(appends.key(subject),)) for _ in range(2)],
        errors.EventIdTaken: [appends.append(None, 0, event) for _ in range(2)],
    }
    for refused, pair in pairs.items():
        first, second = await asyncio.gather(*map(log.append, pair), return_exceptions=True)
        assert isinstance(first, Appended)
        assert isinstance(second, refused)
    same = appends.append()
    assert [one.repeated for one in await asyncio.gather(log.append(same), log.append(same))] == [False, True]


@pytest.mark.rule("AUD-3")
async def test_the_chain_is_built_and_holds(log: Log) -> None:
    await asyncio.gather(*(log.append(appends.append(complaint_id=None)) for _ in range(50)))
    await log.append(appends.append(None, 0, appends.event(), appends.event(), caused_by=None))
    verdict = await ledger.verify(log, "main")
    head = await log.head("main")
    assert (verdict.fault, verdict.events, verdict.hash) == (None, head.seq, head.hash)
    events = await log.read("main", 0, 10_000)
    assert len({e.hash for e in events}) == len(events)  # one that was never built would be equal everywhere
    assert [e.at for e in events] == sorted(e.at for e in events)
