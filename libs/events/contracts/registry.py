"""Which event types exist: `@contract` enters a dataclass, `@upcast` carries old fields to the next."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from libs.events import errors
from libs.events.contracts import personal

E = TypeVar("E")
Fields = dict[str, Any]
# Where personal data sits: field name -> True (itself), a nested tree, or ("each", tree) for a sequence.
PersonalTree = Mapping[str, Any]
# The same, ready to be walked: name, as bytes too, and what is marked below it (nothing: the text itself).
PersonalPlaces = tuple[tuple[Any, bytes, Any], ...]

_contracts: Final[dict[str, Contract]] = {}
_types: Final[dict[type, str]] = {}
_upcasts: Final[dict[str, tuple[str, Callable[[Fields], Fields]]]] = {}


@dataclass(frozen=True)
class Contract:
    """One event type in its current version: its name (CloudEvents `type`), its dataclass, its service."""

    name: str
    service: str
    event_class: type
    summary: str

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Validates and serialises this event."""
        return TypeAdapter(self.event_class)

    @cached_property
    def personal_fields(self) -> PersonalTree:
        """The tree of fields marked `Personal`; empty when there are none."""
        tree = _personal_tree(self.event_class)
        if tree and "data_subject" not in self.adapter_fields:
            raise TypeError(
                f"{self.event_class.__name__} has personal fields but no data_subject to seal them under"
            )
        return tree

    @cached_property
    def personal_places(self) -> PersonalPlaces:
        """`personal_fields` as tuples; a sequence looks like its items, which whoever walks it counts."""
        return _places(self.personal_fields)

    @cached_property
    def read_json(self) -> Callable[[bytes], Any]:
        """The event from its stored bytes."""
        return self.adapter.validator.validate_json

    @cached_property
    def read_python(self) -> Callable[[Any], Any]:
        """The event from the fields of its stored bytes, opened."""
        return self.adapter.validator.validate_python

    @property
    def adapter_fields(self) -> frozenset[str]:
        """The names of the event's own fields."""
        return frozenset(f.name for f in dataclasses.fields(self.event_class))


def contract(service: str, version: int = 1) -> Callable[[type[E]], type[E]]:
    """Enter a frozen dataclass as the event type `complaints.<service>.<snake_name>.v<version>`."""

    def enter(event_class: type[E]) -> type[E]:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", event_class.__name__).lower()
        event_type = f"complaints.{service}.{name}.v{version}"
        if event_type in _contracts:
            raise TypeError(f"two contracts are named {event_type}")
        summary = (event_class.__doc__ or "").strip().splitlines()[0]
        _contracts[event_type] = Contract(event_type, service, event_class, summary)
        _types[event_class] = event_type
        return event_class

    return enter


def upcast(old: str, new: str) -> Callable[[Callable[[Fields], Fields]], Callable[[Fields], Fields]]:
    """Enter a function that turns the JSON fields of event type `old` into those of type `new`."""

    def enter(function: Callable[[Fields], Fields]) -> Callable[[Fields], Fields]:
        _upcasts[old] = (new, function)
        return function

    return enter


def all_contracts() -> list[Contract]:
    """Every current contract, by type."""
    return [_contracts[event_type] for event_type in sorted(_contracts)]


def contract_of(event_class: type) -> Contract:
    """The contract of an event's class; TypeError when it was never entered."""
    event_type = _types.get(event_class)
    if event_type is None:
        raise TypeError(f"{event_class.__name__} is no event contract")
    return _contracts[event_type]


def names_of(*event_classes: type) -> frozenset[str]:
    """Every stored type that is read as one of these contracts, past versions included."""
    names = {contract_of(event_class).name for event_class in event_classes}
    while older := {old for old, (new, _) in _upcasts.items() if new in names} - names:
        names |= older
    return frozenset(names)


def is_current(event_type: str) -> bool:
    """Whether stored fields of this type need no upcasting."""
    return event_type in _contracts


def resolve(event_type: str) -> tuple[Contract, list[Callable[[Fields], Fields]]]:
    """The current contract for a stored type, and the upcasts that lead to it; ContractError when unknown."""
    steps: list[Callable[[Fields], Fields]] = []
    while event_type not in _contracts:
        if event_type not in _upcasts:
            raise errors.ContractError(f"No contract is named {event_type}.", type=event_type)
        event_type, step = _upcasts[event_type]
        steps.append(step)
    return _contracts[event_type], steps


def _personal_tree(owner: type) -> PersonalTree:
    hints = typing.get_type_hints(owner, include_extras=True)
    branches = {f.name: _branch(hints[f.name]) for f in dataclasses.fields(owner)}
    return {name: branch for name, branch in branches.items() if branch}


def _places(tree: PersonalTree) -> PersonalPlaces:
    places = []
    for name, branch in tree.items():
        inner = branch[1] if isinstance(branch, tuple) else branch
        below = () if inner is True else _places(inner)
        places.append((name, name.encode(), below))
    return tuple(places)


def _branch(hint: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        if any(isinstance(mark, personal.Personal) for mark in hint.__metadata__):
            return True
        return _branch(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        return next((found for arg in typing.get_args(hint) if (found := _branch(arg))), None)
    if origin is tuple:
        inner = _branch(typing.get_args(hint)[0])
        return ("each", inner) if inner else None
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _personal_tree(hint) or None
    return None
