"""Data keys: sealed is bound to its place, wrapped is bound to its subject, cached is not for long."""

import base64
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import errors, keys
from libs.events.envelope import WrappedKey
from libs.events.keys import DataKey, KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from tests import appends

MASTER = KeyEncryptionKey(bytes(range(32)))
KEY = DataKey(uuid4(), bytes(range(64)))


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@given(text=st.text(st.characters(exclude_categories=["Cs"])), place=st.binary(max_size=40))
def test_what_was_sealed_opens_at_its_place_alone(text: str, place: bytes) -> None:
    sealed = KEY.seal(text, place)
    assert KEY.open(sealed, place) == text
    assert sealed == KEY.seal(text, place)
    with pytest.raises(errors.ContractError):
        KEY.open(sealed, place + b"x")


@given(first=st.text("ab", max_size=3), second=st.text("ab", max_size=3), at=st.sampled_from([b"1", b"2"]))
def test_no_nonce_meets_two_plaintexts(first: str, second: str, at: bytes) -> None:
    one, two = (KEY.seal_bytes(text.encode(), place) for text, place in ((first, b"1"), (second, at)))
    same = (first, b"1") == (second, at)
    assert (one[: keys.NONCE_BYTES] == two[: keys.NONCE_BYTES]) == same


@pytest.mark.parametrize("position", [0, 12, -1])
def test_a_sealed_text_that_was_altered_does_not_open(position: int) -> None:
    sealed = bytearray(KEY.seal_bytes(b"words", b"here"))
    sealed[position] ^= 1
    with pytest.raises(errors.ContractError, match="altered or moved"):
        KEY.open_bytes(bytes(sealed), b"here")


def test_a_wrapped_key_belongs_to_one_subject_of_one_log() -> None:
    key, wrapped = MASTER.new_key("main", "li")
    assert MASTER.unwrap("main", wrapped).material == key.material
    for log, subject in (("other", "li"), ("main", "wang")):
        with pytest.raises(errors.ContractError):
            MASTER.unwrap(log, WrappedKey(wrapped.key_id, subject, wrapped.wrapped))
    with pytest.raises(errors.ContractError, match="wrong key-encryption key"):
        KeyEncryptionKey(bytes(32)).unwrap("main", wrapped)


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert MASTER.derive("fingerprint") == MASTER.derive("fingerprint")
    assert len({MASTER.derive("fingerprint"), MASTER.derive("search"), bytes(range(32))}) == 3


def test_the_key_file_is_read_or_it_is_said_what_is_wrong_with_it(tmp_path: Path) -> None:
    file = tmp_path / "kek"
    file.write_text(base64.b64encode(bytes(range(32))).decode() + "\n")
    assert KeyEncryptionKey.from_file(file).derive("x") == MASTER.derive("x")
    for wrong in ("", "not base64!", base64.b64encode(bytes(31)).decode()):
        file.write_text(wrong)
        with pytest.raises(ValueError, match="not a key-encryption key"):
            KeyEncryptionKey.from_file(file)


async def stored_key(log: MemoryLog, subject: str) -> WrappedKey:
    _, wrapped = MASTER.new_key("main", subject)
    await log.append(appends.append(new_keys=(wrapped,)))
    return wrapped


async def test_a_ring_gives_a_new_key_until_one_is_stored() -> None:
    log = MemoryLog("main")
    ring = KeyRing(log, MASTER)
    key, wrapped = await ring.for_sealing("main", "li")
    assert wrapped is not None
    assert (await ring.for_sealing("main", "li"))[0].key_id != key.key_id
    ring.remember("main", wrapped, key, ring.forgotten)
    assert await ring.for_sealing("main", "li") == (key, None)
    assert (await ring.for_opening("main", [key.key_id]))[key.key_id] is key


async def test_a_ring_reads_what_it_has_not_and_leaves_out_what_was_erased() -> None:
    log = MemoryLog("main")
    wrapped = await stored_key(log, "li")
    ring = KeyRing(log, MASTER)
    assert set(await ring.for_opening("main", [wrapped.key_id, uuid4()])) == {wrapped.key_id}
    key, new = await ring.for_sealing("main", "li")
    assert (key.key_id, new) == (wrapped.key_id, None)
    assert await ring.for_opening("main", []) == {}


@pytest.mark.rule("SEC-2")
async def test_an_erasure_elsewhere_is_noticed_before_long() -> None:
    log, clock = MemoryLog("main"), Clock()
    wrapped = await stored_key(log, "li")
    ring = KeyRing(log, MASTER, clock)
    await ring.for_opening("main", [wrapped.key_id])
    await log.append(appends.append(appends.stream("erasure"), erases="li"))
    clock.seconds = keys.CACHE_SECONDS_MAX + 1
    assert await ring.for_opening("main", [wrapped.key_id]) == {}
    assert (await ring.for_sealing("main", "li"))[1] is not None


async def test_what_is_forgotten_is_read_again() -> None:
    log = MemoryLog("main")
    wrapped = await stored_key(log, "li")
    ring = KeyRing(log, MASTER)
    await ring.for_sealing("main", "li")
    await log.append(appends.append(appends.stream("erasure"), erases="li"))
    ring.forget("main", "li")
    ring.forget("main", "nobody")
    assert await ring.for_opening("main", [wrapped.key_id]) == {}


async def test_a_ring_holds_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "CACHED_KEYS_MAX", 3)
    log = MemoryLog("main")
    ring = KeyRing(log, MASTER)
    wrapped = [await stored_key(log, f"s{number}") for number in range(5)]
    for one in wrapped:
        await ring.for_sealing("main", one.subject)
    assert len(ring._by_id) == len(ring._by_subject) == 3
    assert len(await ring.for_opening("main", [one.key_id for one in wrapped])) == 5


@pytest.mark.rule("SEC-2")
async def test_a_key_whose_time_is_up_is_not_in_memory_for_long() -> None:
    log, clock = MemoryLog("main"), Clock()
    ring = KeyRing(log, MASTER, clock)
    old, renewed, new = [await stored_key(log, subject) for subject in ("li", "wang", "zhao")]
    await ring.for_opening("main", [old.key_id, renewed.key_id])
    clock.seconds = keys.CACHE_SECONDS_MAX + 1
    await ring.for_opening("main", [renewed.key_id])
    await ring.for_opening("main", [new.key_id])
    assert [key_id for _, key_id in ring._by_id] == [renewed.key_id, new.key_id]
