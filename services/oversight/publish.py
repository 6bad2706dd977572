"""Policies: draft a checked pack, publish it for a day to come, acknowledge having read it (GOV-1, GOV-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never

from libs.events import errors
from libs.events.contracts import policy as events
from services.oversight.state import Draft, Event, Policies


class AlreadyPublished(errors.Refused):
    """This version was published: it can never change. Draft the next version."""

    code = "already_published"


class VersionTooLow(errors.Refused):
    """A later version was published before: give this one a higher number."""

    code = "version_too_low"


class EffectiveInThePast(errors.Refused):
    """A policy cannot come into force on a day that is past: draft it again with a later day."""

    code = "effective_in_the_past"


class NotPublished(errors.Refused):
    """This version was not published: publish it first."""

    code = "not_published"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPolicy:
    """A pack that was checked; `text` is its YAML as given."""

    name: str
    version: int
    effective_from: date
    text: str
    author: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPolicy:
    """`today` is the day where the organisation is."""

    version: int
    author: str
    today: date
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgePolicy:
    """Whoever acknowledges does so for themselves."""

    version: int
    person: str
    now: datetime


Command = DraftPolicy | PublishPolicy | AcknowledgePolicy


def decide(command: Command, policies: Policies) -> list[Event]:
    """What a command makes of an organisation's policies."""
    match command:
        case DraftPolicy():
            return _draft(command, policies)
        case PublishPolicy():
            return _publish(command, policies)
        case AcknowledgePolicy():
            return _acknowledge(command, policies)
        case _:
            assert_never(command)


def _draft(command: DraftPolicy, policies: Policies) -> list[Event]:
    if command.version in policies.published:
        if policies.published[command.version].text == command.text:
            return []  # it is out already, word for word
        raise AlreadyPublished
    if command.version < policies.last_version:
        raise VersionTooLow(last_version=policies.last_version)
    draft = Draft(command.name, command.effective_from, command.text)
    if policies.drafts.get(command.version) == draft:
        return []
    return [
        events.PolicyDrafted(
            name=command.name,
            version=command.version,
            effective_from=command.effective_from,
            text=command.text,
            author=command.author,
            drafted_at=command.now,
        )
    ]


def _publish(command: PublishPolicy, policies: Policies) -> list[Event]:
    if command.version in policies.published:
        return []
    draft = policies.drafts.get(command.version)
    if draft is None:
        raise errors.NotFound("There is no draft of this version.")
    if command.version < policies.last_version:
        raise VersionTooLow(last_version=policies.last_version)
    if draft.effective_from < command.today:
        raise EffectiveInThePast(effective_from=draft.effective_from.isoformat())
    return [
        events.PolicyPublished(
            name=draft.name,
            version=command.version,
            effective_from=draft.effective_from,
            text=draft.text,
            author=command.author,
            published_at=command.now,
        )
    ]


def _acknowledge(command: AcknowledgePolicy, policies: Policies) -> list[Event]:
    published = policies.published.get(command.version)
    if published is None:
        raise NotPublished
    if command.person in policies.read_by.get(command.version, frozenset()):
        return []
    return [
        events.PolicyAcknowledged(
            name=published.name,
            version=command.version,
            person=command.person,
            acknowledged_at=command.now,
        )
    ]
