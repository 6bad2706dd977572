"""Notices by policy: the words, by kind and language, the channels in turn, and who is told inside (NTF)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from libs.events.contracts.handling import Answerable
from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.values import Language
from libs.policy import people
from libs.policy.pack import Pack
from libs.policy.schema.notices import FIELDS

UNSAID: Final = "—"  # stands for a field that has no value


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A notice in its words; `template` names kind, language and policy version (NTF-4)."""

    subject: str
    text: str
    template: str
    channels: tuple[str, ...]


def render(
    pack: Pack,
    kind: NoticeKind,
    recipient: Recipient,
    language: Language,
    values: Mapping[str, str],
) -> Written:
    """Write a notice; `values` by the names of `fields(kind)`, the organisation's name aside.

    Values are put in as they are: braces in them mean nothing. What is left out reads as a dash.
    """
    letter = pack.notices.template(kind).letter(language)
    known = {name: values.get(name) or UNSAID for name in FIELDS[kind]}
    known["organisation"] = pack.notices.organisation.in_language(language)
    return Written(
        subject=letter.subject.format_map(known),
        text=letter.text.format_map(known).rstrip(),
        template=f"{pack.reference}/{kind}/{language}",
        channels=pack.notices.channels_for(recipient),
    )


def fields(kind: NoticeKind) -> frozenset[str]:
    """The values that a notice of this kind may name."""
    return FIELDS[kind]


def told(pack: Pack, kind: NoticeKind, on: date, about: str | None = None) -> tuple[Answerable, ...]:
    """Who inside is told of a design defect or batch incident (NTF-5, INV-8); nobody twice."""
    listed = {
        NoticeKind.DESIGN_DEFECT: pack.notices.told.design_defect,
        NoticeKind.BATCH_INCIDENT: pack.notices.told.batch_incident,
    }.get(kind, ())
    chosen = (people.choose(pack, people.in_office(pack, name), on, about).answerable for name in listed)
    return tuple(dict.fromkeys(chosen))


def takes_over(pack: Pack, on: date, about: str | None = None) -> Answerable:
    """Who tells the recipient by hand when every channel failed (NTF-3); not who is complained of (ASG-4)."""
    return people.choose(pack, people.in_office(pack, pack.notices.told.failed_notice), on, about).answerable


def retry_after(pack: Pack, attempt: int) -> timedelta | None:
    """How long to wait after the failed `attempt` (from 1) over a channel; None: the next channel (NTF-3)."""
    retries = pack.notices.retries
    return None if attempt >= retries.attempts else timedelta(minutes=retries.wait_minutes[attempt - 1])
