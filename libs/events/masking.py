"""Shows an event to those who may not read personal data: the event as it is, its personal texts masked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, TypeVar

from libs.events.contracts import registry
from libs.events.contracts.personal import Erased

E = TypeVar("E")


class Masked(str):
    """Stands for personal data that this reader may not see; readable as text, recognisable by type."""

    __slots__ = ()


MASKED: Final = Masked("[masked]")


def masked(event: E) -> E:
    """The event with every personal text masked; what was erased says so."""
    hidden: E = _mask(event, registry.contract_of(type(event)).personal_fields)
    return hidden


def _mask(value: Any, tree: Any) -> Any:
    if value is None or isinstance(value, Erased):
        return value
    if tree is True:
        return MASKED
    if isinstance(tree, tuple):
        return tuple(_mask(item, tree[1]) for item in value)
    return replace(value, **{name: _mask(getattr(value, name), branch) for name, branch in tree.items()})
