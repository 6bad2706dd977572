"""Events to bytes and back: JSON encoded once, personal fields sealed, old versions carried forward."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import pydantic_core
from pydantic import ValidationError

from libs.events import errors
from libs.events.contracts import personal, registry
from libs.events.envelope import Envelope, NewEvent, Recorded
from libs.events.keys import DataKey

SEALED: Final = "sealed"  # {"sealed": "<key id>:<base64>"} stands in the JSON where a personal text was
_SEALED_TEXT: Final = b'"sealed":"'
_KEY_ID_CHARACTERS: Final = 36


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands: authenticated with each sealed field, so that none can be moved elsewhere."""

    log: str
    stream: str
    event_id: UUID

    def of(self, path: str = "") -> bytes:
        """The associated data of the field at `path` (dotted); without one, what all fields' begins with."""
        return f"{self.log}\0{self.stream}\0{self.event_id}\0{path}".encode()


def data_subject_of(event: object) -> str | None:
    """Whose personal data the event holds; None when it holds none."""
    if not registry.contract_of(type(event)).personal_fields:
        return None
    subject: str = event.data_subject  # type: ignore[attr-defined]  # the registry refuses contracts without it
    return subject


def encode(event: object, place: Place, key: DataKey | None) -> NewEvent:
    """The event's final bytes. `key` is its data subject's: personal fields cannot do without."""
    contract = registry.contract_of(type(event))
    tree = contract.personal_fields
    if not tree:
        return NewEvent(place.event_id, contract.name, contract.adapter.dump_json(event, warnings="error"))
    if key is None:
        raise TypeError(f"{contract.name} has personal fields: a data key is needed")
    fields = contract.adapter.dump_python(event, mode="json", warnings="error")
    _seal(fields, tree, "", place.of(), key)
    return NewEvent(place.event_id, contract.name, pydantic_core.to_json(fields))


def key_named_in(body: bytes) -> UUID | None:
    """The id of the data key that the body's sealed fields need: `encode` seals all of them with one."""
    start = body.find(_SEALED_TEXT) + len(_SEALED_TEXT)
    if start < len(_SEALED_TEXT):
        return None
    try:
        return _key_id(body[start : start + _KEY_ID_CHARACTERS].decode())
    except ValueError:
        return None  # `decode` says what is wrong with it


def decode(envelope: Envelope, keys: Mapping[UUID, DataKey]) -> Recorded[Any]:
    """The event of an envelope; a field whose key is not among `keys` reads `ERASED`.

    ContractError where the type is unknown, the body is not the contract's, or a sealed field was altered.
    """
    try:
        contract, upcasts = registry.resolve(envelope.type)
        if not upcasts and not contract.personal_fields:
            return Recorded(contract.read_json(envelope.body), envelope)
        fields = pydantic_core.from_json(envelope.body, cache_strings="keys")
        place = Place(envelope.log, envelope.stream, envelope.event_id).of()
        named = key_named_in(envelope.body)
        if upcasts or named is None:
            _open(fields, "", place, _Openers(keys))
            for step in upcasts:
                fields = step(fields)
        else:
            key = keys.get(named)
            _open_marked(fields, contract.personal_places, place, key.opener() if key else _erased)
        return Recorded(contract.read_python(fields), envelope)
    except errors.ContractError as error:
        raise errors.ContractError(str(error), **{**error.facts, "seq": envelope.seq}) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # The cause is not chained: its text quotes what it could not read, which may be personal.
        detail = f"Event {envelope.event_id} does not fit {envelope.type}: {_reason(error)}."
        raise errors.ContractError(detail, type=envelope.type, seq=envelope.seq) from None


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['type']}"
    return type(error).__name__


def _seal(fields: Any, tree: Any, path: str, place: bytes, key: DataKey) -> Any:
    """Seal, in place, the texts that `tree` marks; None stays None."""
    if fields is None:
        return None
    if tree is True:
        return {SEALED: key.seal(fields, place + path.encode())}
    if isinstance(tree, tuple):
        return [_seal(item, tree[1], f"{path}.{index}", place, key) for index, item in enumerate(fields)]
    for name, branch in tree.items():
        fields[name] = _seal(fields[name], branch, f"{path}.{name}" if path else name, place, key)
    return fields


def _erased(sealed: str, place: bytes) -> str:
    return personal.ERASED


class _Openers(dict[str, Callable[[str, bytes], str] | None]):
    """What opens texts, by the key id that begins them; made once an event, for its texts name the same."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[UUID, DataKey]) -> None:
        self._keys = keys

    def __missing__(self, key_id: str) -> Callable[[str, bytes], str] | None:
        key = self._keys.get(_key_id(key_id))
        made = self[key_id] = key.opener() if key else None
        return made


def _open_marked(
    fields: Any, places: registry.PersonalPlaces, place: bytes, open_text: Callable[[str, bytes], str]
) -> None:
    """Open, in place, what a current contract marks, looking nowhere else: replaying is spent here."""
    for name, step, below in places:
        value = fields.get(name)
        if type(value) is dict:
            if below:
                _open_marked(value, below, place + step + b".", open_text)
            elif len(value) == 1:
                fields[name] = open_text(value[SEALED], place + step)
        elif type(value) is list:
            items = dict(enumerate(value))
            steps = tuple((index, b"%b.%d" % (step, index), below) for index in items)
            _open_marked(items, steps, place, open_text)
            value[:] = items.values()


def _open(fields: Any, path: str, place: bytes, openers: _Openers) -> None:
    """Open, in place, every sealed text below `fields`, whatever version of the contract put it there."""
    items: Iterable[tuple[Any, Any]] = fields.items() if type(fields) is dict else enumerate(fields)
    for name, value in items:
        if type(value) is dict:
            below = f"{path}.{name}" if path else name
            if len(value) == 1 and SEALED in value:
                text = value[SEALED]
                opener = openers[text[:_KEY_ID_CHARACTERS]]
                fields[name] = opener(text, place + below.encode()) if opener else personal.ERASED
            else:
                _open(value, below, place, openers)
        elif type(value) is list:  # most are texts and numbers: replaying is spent here
            _open(value, f"{path}.{name}" if path else name, place, openers)


@lru_cache(maxsize=4096)
def _key_id(text: str) -> UUID:
    """Asked for twice, before keys are looked up and after; and events of one data subject name the same."""
    return UUID(text)
