"""Policy packs: what an organisation decides in place of code, read from a checked file."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from libs.events.contracts.values import Detail

FOLDER: Final = resources.files("libs.policy") / "packs"

MatchField = Literal["order_number", "part_number", "batch", "serial_number", "respondent"]


class WrongPack(ValueError):
    """The policy pack cannot be used; names file, line and reason."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name} is no time zone") from None
    return name


class FirstReply(_Part):
    """When the complainant must have heard from us, counted from recording (SLA-1)."""

    within_hours: int = Field(ge=1, le=24 * 30)
    clock: Literal["elapsed"]  # weekends and holidays included

    @property
    def within(self) -> timedelta:
        """The time allowed."""
        return timedelta(hours=self.within_hours)


class QualityComplaint(_Part):
    """What a complaint about a product needs before it can be judged founded (REC-2)."""

    required_details: tuple[Detail, ...] = Field(min_length=1)


class Duplicates(_Part):
    """When another open complaint of the same customer is suspected to be the same (REC-9)."""

    match_any: tuple[MatchField, ...] = Field(min_length=1)
    window_days: int = Field(ge=1, le=3650)

    @property
    def window(self) -> timedelta:
        """How far back other complaints are looked at."""
        return timedelta(days=self.window_days)


class Numbers(_Part):
    """How the number that people use is written: `2026-000123`, unique in an organisation and year."""

    format: str = Field(pattern=r"^[^{}]*\{year\}[^{}]*\{count:0[1-9]d\}[^{}]*$")

    def number(self, year: int, count: int) -> str:
        """The `count`-th number (from 1) of a year."""
        return self.format.format(year=year, count=count)


class Pack(_Part):
    """One policy pack in one version. Events name it as `policy`: decisions can be explained years later."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    time_zone: Annotated[str, AfterValidator(_known_zone)]  # where the organisation's days and years begin
    first_reply: FirstReply
    quality_complaint: QualityComplaint
    duplicates: Duplicates
    numbers: Numbers

    @property
    def reference(self) -> str:
        """`name@version`, as events carry it."""
        return f"{self.name}@{self.version}"


def load(name: str, folder: Traversable = FOLDER) -> Pack:
    """Read and check the pack of that name; WrongPack says in which line of which file what is wrong."""
    file = folder / f"{name}.yaml"
    try:
        text = file.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise WrongPack(f"{file}: there is no such policy pack") from None
    tree: yaml.Node | None = None
    try:
        tree = yaml.compose(text, yaml.SafeLoader)
        pack = Pack.model_validate(yaml.load(text, _Loader))  # noqa: S506 a SafeLoader that refuses repeated keys
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise WrongPack(f"{file}:{mark.line + 1 if mark else 1}: {error.problem}") from None
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise WrongPack(f"{file}:{_line(tree, fault['loc'])}: {place}: {fault['msg']}") from None
    if pack.name != name:
        raise WrongPack(f"{file}:{_line(tree, ('name',))}: the pack calls itself {pack.name}")
    return pack


class _Loader(yaml.SafeLoader):
    """YAML in which a key given twice is a mistake, not a silent choice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _line(tree: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    """The line of the deepest part of `path` that the file has, counted from 1."""
    line = 1 if tree is None else tree.start_mark.line + 1
    for part in path:
        if isinstance(tree, yaml.MappingNode):
            found = [(key, value) for key, value in tree.value if key.value == part]
            if not found:
                break
            line, tree = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(tree, yaml.SequenceNode) and isinstance(part, int):
            tree = tree.value[part]
            line = tree.start_mark.line + 1
        else:
            break
    return line
