"""Policies: what each command makes of each situation (GOV-1, GOV-2)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from libs.events import errors
from libs.events.contracts import policy as events
from services.oversight import publish, state

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = date(2026, 11, 22)
rule = pytest.mark.rule


def draft(version: int = 1, text: str = "text", effective_from: date = TODAY) -> publish.DraftPolicy:
    return publish.DraftPolicy(
        name="standard",
        version=version,
        effective_from=effective_from,
        text=text,
        author="general-manager",
        now=NOW,
    )


def publication(version: int = 1) -> publish.PublishPolicy:
    return publish.PublishPolicy(version=version, author="general-manager", today=TODAY, now=NOW)


def acknowledgement(version: int = 1, person: str = "quality-officer") -> publish.AcknowledgePolicy:
    return publish.AcknowledgePolicy(version=version, person=person, now=NOW)


def after(*commands: publish.Command) -> state.Policies:
    policies = state.INITIAL
    for command in commands:
        for event in publish.decide(command, policies):
            policies = state.evolve(policies, event)
    return policies


@rule("GOV-1")
def test_a_draft_is_published_and_acknowledged() -> None:
    policies = after(draft(), publication(), acknowledgement())
    assert policies.published[1].text == "text"
    assert policies.drafts == {}
    assert policies.read_by == {1: {"quality-officer"}}


@rule("GOV-1")
def test_what_is_published_never_changes() -> None:
    with pytest.raises(publish.AlreadyPublished):
        publish.decide(draft(text="another"), after(draft(), publication()))


@rule("GOV-1")
def test_a_policy_comes_into_force_today_or_later() -> None:
    yesterday = draft(effective_from=date(2026, 11, 21))
    with pytest.raises(publish.EffectiveInThePast):
        publish.decide(publication(), after(yesterday))


@pytest.mark.parametrize(
    ("before", "command"),
    [
        pytest.param((draft(2), publication(2)), draft(1), id="drafted too late"),
        pytest.param((draft(1), draft(2), publication(2)), publication(1), id="published too late"),
    ],
)
def test_versions_only_go_up(before: tuple[publish.Command, ...], command: publish.Command) -> None:
    with pytest.raises(publish.VersionTooLow):
        publish.decide(command, after(*before))


def test_nobody_reads_what_is_not_published() -> None:
    with pytest.raises(publish.NotPublished):
        publish.decide(acknowledgement(), after(draft()))


def test_nothing_is_published_that_was_not_drafted() -> None:
    with pytest.raises(errors.NotFound):
        publish.decide(publication(), state.INITIAL)


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ((), draft()),
        ((draft(), publication()), draft()),
        ((draft(),), publication()),
        ((draft(), publication()), acknowledgement()),
    ],
)
def test_said_again_nothing_happens(before: tuple[publish.Command, ...], command: publish.Command) -> None:
    assert publish.decide(command, after(*before, command)) == []


def test_a_draft_can_be_drafted_anew_until_it_is_published() -> None:
    (event,) = publish.decide(draft(text="better"), after(draft()))
    assert isinstance(event, events.PolicyDrafted)
    assert after(draft(), draft(text="better"), publication()).published[1].text == "better"


def test_every_event_has_its_effect() -> None:
    seen: set[type[Any]] = set()
    policies = state.INITIAL
    for command in (draft(), publication(), acknowledgement()):
        for event in publish.decide(command, policies):
            changed = state.evolve(policies, event)
            assert changed != policies
            policies = changed
            seen.add(type(event))
    assert seen == set(state.Event.__args__)
