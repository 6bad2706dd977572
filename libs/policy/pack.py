"""Policy packs: what an organisation decides in place of code, read from a checked file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import cache, cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from libs.events.contracts.handling import Ground
from libs.policy import calendar, check
from libs.policy.document import Document, Fault, WrongPack
from libs.policy.schema.classification import Classification
from libs.policy.schema.deadlines import Deadlines
from libs.policy.schema.hours import WorkingTime
from libs.policy.schema.intake import Duplicates, FirstReply, Numbers, QualityComplaint
from libs.policy.schema.notices import Notices
from libs.policy.schema.part import Clause, Id, Part, Words, clauses_in
from libs.policy.schema.people import Office, Person, Region, Unit
from libs.policy.schema.routing import BuckPassing, Escalation, Leadership, PurchasedParts, Route
from libs.policy.schema.sanctions import Deductions, SanctionSchedule
from libs.policy.schema.solutions import Approvals, Warranty
from libs.policy.schema.thresholds import Contribution, Thresholds

__all__ = ["FOLDER", "Fault", "Pack", "WrongPack", "load", "parse"]

APART: Final = ", "  # between the clauses of one ground
FOLDER: Final = resources.files("libs.policy") / "packs"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name} is no time zone") from None
    return name


class Pack(Part):
    """One policy pack in one version. Events name it as `policy`: decisions can be explained years later."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    title: Words
    effective_from: date
    time_zone: Annotated[str, AfterValidator(_known_zone)]  # where the organisation's days and years begin
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    first_reply: FirstReply
    quality_complaint: QualityComplaint
    duplicates: Duplicates
    numbers: Numbers
    people: dict[Id, Person] = Field(min_length=1)
    units: dict[Id, Unit] = Field(min_length=1)
    offices: dict[Id, Office] = Field(min_length=1)
    leadership: Leadership
    regions: dict[Id, Region]
    purchased_parts: tuple[PurchasedParts, ...]
    classification: Classification
    routing: tuple[Route, ...] = Field(min_length=1)
    buck_passing: BuckPassing
    escalation: Escalation
    working_time: WorkingTime
    deadlines: Deadlines
    contributions: tuple[Contribution, ...]
    thresholds: Thresholds
    approvals: Approvals
    warranty: Warranty
    sanctions: SanctionSchedule
    deductions: Deductions
    notices: Notices

    @property
    def reference(self) -> str:
        """`name@version`, as events carry it."""
        return f"{self.name}@{self.version}"

    @cached_property
    def calendar(self) -> calendar.Calendar:
        """The organisation's working time in its time zone."""
        return self.working_time.in_zone(self.time_zone)

    @cached_property
    def clauses(self) -> Mapping[str, Clause]:
        """Every clause by its id."""
        return {clause.clause: clause for _, clause in clauses_in(self)}

    def day_of(self, moment: datetime) -> date:
        """The day it is, at that moment, where the organisation is."""
        return moment.astimezone(self.calendar.zone).date()

    def ground(self, *clauses: str) -> Ground:
        """What a decision rests on: this version, and the clauses that decided."""
        return Ground(policy=self.reference, clause=APART.join(dict.fromkeys(clauses)) or None)


def load(name: str, folder: Traversable = FOLDER) -> Pack:
    """Read and check the pack of that name; WrongPack says in which line of which file what is wrong."""
    file = folder / f"{name}.yaml"
    try:
        text = file.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise WrongPack([Fault(str(file), 0, "there is no such policy pack")]) from None
    pack = parse(text, str(file))
    if pack.name != name:
        document = Document.read(text, str(file))
        raise WrongPack([Fault(str(file), document.line(("name",)), f"the pack calls itself {pack.name}")])
    return pack


def parse(text: str, file: str) -> Pack:
    """The pack that a text says, checked; `file` is what faults name. WrongPack lists all of them."""
    document = Document.read(text, file)
    try:
        pack = Pack.model_validate(document.content)
    except ValidationError as error:
        faults = [
            document.fault(fault["loc"], fault["msg"])
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise WrongPack([*faults, *check.faults(document, _sound_sections(document.content))]) from None
    if faults := list(check.faults(document, dict(pack))):
        raise WrongPack(faults)
    return pack


def _sound_sections(content: Any) -> dict[str, Any]:
    """The sections that stand on their own, so that one broken section does not hide another's faults."""
    sections: dict[str, Any] = {}
    for name, section in _section_types().items():
        if isinstance(content, dict) and name in content:
            with suppress(ValidationError):
                sections[name] = section.validate_python(content[name])
    return sections


@cache
def _section_types() -> dict[str, TypeAdapter[Any]]:
    types: dict[str, Any] = {
        name: Annotated[field.annotation, field] for name, field in Pack.model_fields.items()
    }
    return {name: TypeAdapter(each) for name, each in types.items()}
