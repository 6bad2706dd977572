"""What a pack says about notices: what is told in which words, over which channels, to whom inside (NTF)."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Final

from pydantic import ConfigDict, Field, field_validator

from libs.events.contracts.handling import Step
from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.values import Language
from libs.policy.schema.part import Id, Part, Text, Words

EVERYWHERE: Final = frozenset({"number", "organisation", "recipient"})
# What a template of each kind may name. The notifier fills exactly these; all values are plain text.
FIELDS: Final[dict[NoticeKind, frozenset[str]]] = {
    NoticeKind.ACKNOWLEDGEMENT: EVERYWHERE | {"received_at", "subject", "reply_by"},
    NoticeKind.DETAILS_WANTED: EVERYWHERE | {"details"},
    NoticeKind.PROGRESS: EVERYWHERE | {"step", "unit", "person"},
    NoticeKind.APPRAISAL: EVERYWHERE | {"cause", "appraisal", "possible_causes"},
    NoticeKind.SOLUTION: EVERYWHERE | {"solution", "cost_bearer", "quote"},
    NoticeKind.UNFOUNDED_REPLY: EVERYWHERE | {"reason", "appraisal", "possible_causes"},
    NoticeKind.DELAY: EVERYWHERE | {"step", "due_at", "person"},
    NoticeKind.CLOSING: EVERYWHERE | {"outcome", "solution", "improvement"},
    NoticeKind.IMPROVEMENT: EVERYWHERE | {"improvement"},
    NoticeKind.ASSIGNMENT: EVERYWHERE | {"kind", "severity", "due_at", "unit", "person"},
    NoticeKind.DEADLINE_WARNING: EVERYWHERE | {"step", "due_at"},
    NoticeKind.ESCALATION: EVERYWHERE | {"cause", "level", "step", "due_at", "tried", "owed_by"},
    NoticeKind.DESIGN_DEFECT: EVERYWHERE | {"defect"},
    NoticeKind.BATCH_INCIDENT: EVERYWHERE | {"matched_on", "reference", "count", "window_days"},
    NoticeKind.QUALITY_ANALYSIS: EVERYWHERE | {"cause", "unit", "loss"},
}


class Letter(Part):
    """One notice in one language. `{field}` stands for a value; there is nothing else to it."""

    subject: Text
    text: Text

    @field_validator("subject", "text")
    @classmethod
    def _plain(cls, text: str) -> str:
        """Fields are bare names: no attribute, index, conversion or format could reach further."""
        for _, name, form, conversion in Formatter().parse(text):
            if name is not None and (not name.isidentifier() or form or conversion):
                raise ValueError(f"{{{name}}} is more than a field's name")
        return text


def fields(text: str) -> set[str]:
    """The fields that a subject or text names."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


class Template(Part):
    """One notice, in every language that people are written to in."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    zh: Letter = Field(alias="zh-CN")
    en: Letter

    def letter(self, language: Language) -> Letter:
        """The letter in that language."""
        return self.zh if language is Language.CHINESE else self.en


class Templates(Part):
    """One template for every kind of notice."""

    acknowledgement: Template
    details_wanted: Template
    progress: Template
    appraisal: Template
    solution: Template
    unfounded_reply: Template
    delay: Template
    closing: Template
    improvement: Template
    assignment: Template
    deadline_warning: Template
    escalation: Template
    design_defect: Template
    batch_incident: Template
    quality_analysis: Template


class Channels(Part):
    """The channels tried one after the other (NTF-3), by who is told."""

    customer: tuple[Text, ...] = Field(min_length=1)
    staff: tuple[Text, ...] = Field(min_length=1)


class Told(Part):
    """Which people (and offices) are told inside, beside those concerned (NTF-5)."""

    design_defect: tuple[Id, ...] = Field(min_length=1)
    batch_incident: tuple[Id, ...] = Field(min_length=1)
    failed_notice: Id


class Retries(Part):
    """How often one channel is tried, and how long it is left in peace in between."""

    attempts: int = Field(ge=1, le=20)
    wait_minutes: tuple[Annotated[int, Field(ge=0, le=10_080)], ...] = Field(min_length=1)


class Notices(Part):
    """All of step 6. The customer hears of a delay with the warning in steps of `delay_told_before`, else
    when the deadline has passed (NTF-2).
    """

    organisation: Words
    channels: Channels
    retries: Retries
    told: Told
    delay_told_before: tuple[Step, ...] = ()
    templates: Templates

    def template(self, kind: NoticeKind) -> Template:
        """The template of a kind of notice."""
        found: Template = getattr(self.templates, kind)
        return found

    def channels_for(self, recipient: Recipient) -> tuple[str, ...]:
        """The channels, first choice first."""
        found: tuple[str, ...] = getattr(self.channels, recipient)
        return found
