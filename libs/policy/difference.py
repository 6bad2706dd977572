"""What changes from one policy pack to another, in sentences that say where, from what and to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from libs.policy.calendar import Hours
from libs.policy.pack import Pack
from libs.policy.schema.part import Clause, Part

ARROW: Final = " › "
UNLABELLED: Final[Mapping[str, str]] = {}
Place = tuple[str, ...]


def differences(before: Pack, after: Pack) -> list[str]:
    """One sentence a change, in the order of the pack; none where the two say the same."""
    return list(_parts((), before, after))


def _changes(place: Place, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Part) and type(before) is type(after):
        yield from _parts(place, before, after)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _entries(place, dict(before), dict(after))
    elif _is_list(before) and _is_list(after):
        yield from _lists(place, before, after)
    else:
        yield f"{_where(place)}: {said(before)} becomes {said(after)}"


def _parts(place: Place, before: Part, after: Part) -> Iterator[str]:
    for name in type(before).model_fields:
        yield from _changes((*place, name), getattr(before, name), getattr(after, name))


def _entries(
    place: Place, before: Mapping[str, Any], after: Mapping[str, Any], labels: Mapping[str, str] = UNLABELLED
) -> Iterator[str]:
    for name, value in before.items():
        if name not in after:
            yield f"{_where(place)}: {labels.get(name, name)} is gone"
        else:
            yield from _changes((*place, labels.get(name, name)), value, after[name])
    for name, value in after.items():
        if name not in before:
            yield f"{_where(place)}: {labels.get(name, name)} is new: {said(value)}"


def _lists(place: Place, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    """Lists of clauses by their ids; of plain values by what came and went; others by position."""
    if all(isinstance(each, Clause) for each in (*before, *after)):
        yield from _clauses(place, before, after)
    elif any(isinstance(each, Part) or _is_list(each) for each in (*before, *after)):
        yield from _entries(place, _numbered(before), _numbered(after))
    elif any(isinstance(each, Hours) for each in (*before, *after)):
        yield f"{_where(place)}: {said(before)} becomes {said(after)}"
    else:
        gone, come = [x for x in before if x not in after], [x for x in after if x not in before]
        yield from (f"{_where(place)}: {said(value)} is gone" for value in gone)
        yield from (f"{_where(place)}: {said(value)} is new" for value in come)
        if not gone and not come:
            yield f"{_where(place)}: {said(before)} becomes {said(after)}"


def _clauses(place: Place, before: Sequence[Clause], after: Sequence[Clause]) -> Iterator[str]:
    old, new = ({clause.clause: clause for clause in clauses} for clauses in (before, after))
    labels = {name: f"{name} ({clause.title.en})" for name, clause in (old | new).items()}
    yield from _entries(place, old, new, labels)
    stayed = [name for name in new if name in old]
    if stayed != [name for name in old if name in new]:
        yield f"{_where(place)}: the order becomes {', '.join(stayed)}"


def _numbered(values: Sequence[Any]) -> dict[str, Any]:
    return {f"no. {number}": value for number, value in enumerate(values, start=1)}


def _where(place: Place) -> str:
    return ARROW.join(name.replace("_", " ") for name in place)


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple | list)


def said(value: Any) -> str:
    """A value in plain words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Hours):
        return f"{value.start:%H:%M}-{value.end:%H:%M}"
    if isinstance(value, Part):
        given = {name: getattr(value, name) for name in type(value).model_fields}
        return "; ".join(f"{name.replace('_', ' ')} {said(each)}" for name, each in given.items() if each)
    if _is_list(value):
        return ", ".join(map(said, value)) or "none"
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {said(each)}" for name, each in value.items()) or "none"
    return str(value)
