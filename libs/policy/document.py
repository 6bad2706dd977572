"""A policy pack as text: YAML whose every value still knows the line it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

Path = tuple[int | str, ...]
BOOLEAN: Final = "tag:yaml.org,2002:bool"
TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong with a pack, and in which line (from 1; 0 where there is no file to have lines)."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class WrongPack(ValueError):
    """The policy pack cannot be used; names file, line and reason of every fault."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True)
class Document:
    """What a file says, and where it says it."""

    file: str
    content: Any
    tree: yaml.Node | None = field(repr=False)

    @classmethod
    def read(cls, text: str, file: str) -> Document:
        """Parse; WrongPack where it is no YAML, or gives a key twice."""
        try:
            loader = _Loader(text)
            tree = loader.get_single_node()
            content = loader.construct_document(tree) if tree else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            reason = error.problem or "this is no YAML"
            raise WrongPack([Fault(file, mark.line + 1 if mark else 1, reason)]) from None
        except (yaml.YAMLError, ValueError) as error:  # control characters, and what they may hide
            raise WrongPack([Fault(file, 1, str(error).splitlines()[0])]) from None
        return cls(file, content, tree)

    def fault(self, path: Path, reason: str) -> Fault:
        """Something wrong with what stands at `path`."""
        place = ".".join(str(part) for part in path)
        return Fault(self.file, self.line(path), f"{place}: {reason}" if place else reason)

    def line(self, path: Path) -> int:
        """The line of the deepest part of `path` that the file has, counted from 1."""
        node = self.tree
        line = 1 if node is None else node.start_mark.line + 1
        for part in path:
            if isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == part]
                if not found:
                    break
                line, node = found[0][0].start_mark.line + 1, found[0][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return line


# libyaml reads ten times faster; the wheels bring it, a build from source may not.
_Fastest: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Fastest):  # type: ignore[misc] # whichever of the two it is
    """YAML in which a key given twice is a mistake, and what looks like a word is one.

    "no" and "off" are text, only true and false are not. Dates are text that the pack's fields read, so
    that a wrong one is told with its line.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a plain word", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value} is given twice", key.start_mark
                )
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (BOOLEAN, TIMESTAMP)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(BOOLEAN, re.compile("(?:true|false)$"), list("tf"))
