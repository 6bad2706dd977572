"""Events to bytes and back: what is sealed, what old versions become, what is refused."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import codec, errors
from libs.events.contracts import personal, registry
from libs.events.contracts.values import PersonalText
from libs.events.envelope import Envelope
from libs.events.keys import DataKey
from tests.contract import samples

KEY = DataKey(uuid4(), bytes(range(64)))
KEYS = {KEY.key_id: KEY}
PLACE = codec.Place("main", "intake-1", uuid4())
anything = st.text(st.characters(exclude_categories=["Cs"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    name: PersonalText
    phone: PersonalText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingSaid:
    """Something was said."""

    data_subject: str
    said: PersonalText
    by: Person | None = None
    also: tuple[Person, ...] = ()
    loudness: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Careless:
    """Personal, but nobody's."""

    said: PersonalText


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests enter is gone after each."""
    for name in ("_contracts", "_types", "_upcasts"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    registry.contract("intake", version=3)(ThingSaid)


def stored(body: bytes, type_: str = "complaints.intake.thing_said.v3") -> Envelope:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Envelope(
        *(PLACE.log, 1, PLACE.event_id, PLACE.stream, 1, type_, None, "me", None, "", at, body, bytes(32))
    )


def encoded(event: object, key: DataKey | None = KEY) -> bytes:
    return codec.encode(event, PLACE, key).body


def decoded(body: bytes, type_: str = "complaints.intake.thing_said.v3", keys: Any = KEYS) -> Any:
    return codec.decode(stored(body, type_), keys).event


@given(said=anything, name=anything, phone=st.none() | anything, more=st.lists(anything, max_size=3))
def test_every_text_comes_back_as_it_was(said: str, name: str, phone: str | None, more: list[str]) -> None:
    also = tuple(Person(name=one) for one in more)
    event = ThingSaid(data_subject="s", said=said, by=Person(name=name, phone=phone), also=also)
    assert decoded(encoded(event)) == event


@pytest.mark.parametrize("contract", samples.contracts(), ids=lambda c: c.name)
def test_every_contract_comes_back_as_it_was(contract: registry.Contract) -> None:
    event = samples.event(contract)
    assert decoded(encoded(event), contract.name) == event


@pytest.mark.rule("SEC-1")
def test_no_personal_text_is_in_the_bytes() -> None:
    event = ThingSaid(data_subject="s", said="陈晓在哭", by=Person(name="Chen Xiao", phone="13800001234"))
    body = encoded(event)
    for planted in ("陈晓在哭", "\\u9648", "Chen", "13800001234", "MTM4MDAwMDEyMzQ"):
        assert planted.encode() not in body
    assert json.loads(body)["by"]["phone"]["sealed"].startswith(str(KEY.key_id))
    assert codec.key_named_in(body) == KEY.key_id


def test_the_same_event_has_the_same_bytes_each_time_it_is_sealed() -> None:
    event = ThingSaid(data_subject="s", said="again")
    assert encoded(event) == encoded(event)
    elsewhere = codec.encode(event, replace(PLACE, event_id=uuid4()), KEY)
    assert elsewhere.body != encoded(event)


@pytest.mark.rule("SEC-2")
def test_without_its_key_a_text_reads_erased_and_the_rest_stays() -> None:
    event = ThingSaid(data_subject="s", said="words", by=Person(name="Chen"), loudness=7)
    read = decoded(encoded(event), keys={})
    assert (read.said, read.by.name, read.by.phone, read.loudness) == (
        personal.ERASED,
        personal.ERASED,
        None,
        7,
    )
    assert isinstance(read.said, personal.Erased)


def test_what_merely_looks_sealed_or_erased_is_text() -> None:
    for said in ('{"sealed":"x"}', "[erased]", f"{KEY.key_id}:AAAA"):
        read = decoded(encoded(ThingSaid(data_subject="s", said=said))).said
        assert read == said
        assert not isinstance(read, personal.Erased)


def test_a_sealed_text_cannot_be_moved_to_another_place() -> None:
    envelope = stored(encoded(ThingSaid(data_subject="s", said="words")))
    for moved in (
        envelope._replace(log="elsewhere"),
        envelope._replace(stream="elsewhere"),
        envelope._replace(event_id=uuid4()),
    ):
        with pytest.raises(errors.ContractError, match="altered or moved"):
            codec.decode(moved, KEYS)


def test_a_sealed_text_cannot_be_moved_to_another_field() -> None:
    fields = json.loads(encoded(ThingSaid(data_subject="s", said="words", by=Person(name="Chen"))))
    fields["said"], fields["by"]["name"] = fields["by"]["name"], fields["said"]
    with pytest.raises(errors.ContractError, match="altered or moved"):
        decoded(json.dumps(fields).encode())


def test_a_text_sealed_with_another_key_than_the_rest_is_refused() -> None:
    """An event's texts are all its data subject's: its key is looked up once."""
    fields = json.loads(encoded(ThingSaid(data_subject="s", said="words", by=Person(name="Chen"))))
    other = DataKey(uuid4(), bytes(range(1, 65)))
    fields["by"]["name"]["sealed"] = other.seal("Chen", PLACE.of("by.name"))
    body = json.dumps(fields, separators=(",", ":")).encode()
    with pytest.raises(errors.ContractError, match="altered or moved"):
        decoded(body, keys=KEYS | {other.key_id: other})


def test_old_versions_are_carried_forward_step_by_step() -> None:
    """v1 called `said` otherwise; v2 had no loudness. Texts sealed then are opened where they were sealed."""

    @registry.upcast("complaints.intake.thing_said.v1", "complaints.intake.thing_said.v2")
    def renamed(fields: registry.Fields) -> registry.Fields:
        return {("said" if name == "words" else name): value for name, value in fields.items()}

    @registry.upcast("complaints.intake.thing_said.v2", "complaints.intake.thing_said.v3")
    def measured(fields: registry.Fields) -> registry.Fields:
        return fields | {"loudness": len(fields["said"])}

    sealed = KEY.seal("hello", PLACE.of("words"))
    body = json.dumps({"data_subject": "s", "words": {"sealed": sealed}}).encode()
    read = decoded(body, "complaints.intake.thing_said.v1")
    assert read == ThingSaid(data_subject="s", said="hello", loudness=5)
    assert decoded(body, "complaints.intake.thing_said.v1", {}).said == personal.ERASED
    assert not registry.is_current("complaints.intake.thing_said.v1")


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (b"{}", "complaints.intake.never_heard_of.v1"),
        (b"not json", "complaints.intake.thing_said.v3"),
        (b"\xff", "complaints.intake.thing_said.v3"),
        (b"[]", "complaints.intake.thing_said.v3"),
        (b'{"data_subject":"s"}', "complaints.intake.thing_said.v3"),
        (b'{"data_subject":"s","said":3}', "complaints.intake.thing_said.v3"),
        (b'{"data_subject":"s","said":{"sealed":"no key"}}', "complaints.intake.thing_said.v3"),
        (b'{"data_subject":"s","said":{"sealed":7}}', "complaints.intake.thing_said.v3"),
    ],
)
def test_what_fits_no_contract_is_said_aloud(body: bytes, type_: str) -> None:
    """Trap 22: a reader that skips what it cannot read is wrong ever after, and nobody knows."""
    with pytest.raises(errors.ContractError):
        decoded(body, type_)


def test_an_error_quotes_nothing_of_what_it_could_not_read() -> None:
    body = b'{"data_subject":"s","said":"x","loudness":"call 13800001234"}'
    with pytest.raises(errors.ContractError) as raised:
        decoded(body)
    assert "13800001234" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert "loudness" in str(raised.value)


def test_a_contract_with_personal_texts_needs_somebody_to_erase() -> None:
    registry.contract("intake")(Careless)
    with pytest.raises(TypeError, match="no data_subject"):
        encoded(Careless(said="x"))
    with pytest.raises(TypeError, match="a data key is needed"):
        encoded(ThingSaid(data_subject="s", said="x"), key=None)
    with pytest.raises(TypeError, match="no event contract"):
        encoded(Person(name="x"))
    with pytest.raises(TypeError, match="two contracts"):
        registry.contract("intake", version=3)(ThingSaid)
