"""What notices say, in which language, over which channels, and to whom inside."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.values import Language
from libs.policy import notices
from tests.packs import TODAY, standard


@pytest.mark.rule("NTF-4")
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_notice_is_written_in_every_language(kind: NoticeKind, language: Language) -> None:
    values = {name: f"<{name}>" for name in notices.fields(kind)}
    written = notices.render(standard(), kind, Recipient.CUSTOMER, language, values)
    assert written.template == f"standard@1/{kind}/{language}"
    assert written.subject
    assert written.text
    assert "{" not in written.subject + written.text
    assert ("<number>" in written.subject + written.text) or kind is NoticeKind.BATCH_INCIDENT


@pytest.mark.rule("NTF-2")
def test_a_notice_is_courteous_and_says_what_it_is_about() -> None:
    values = {"number": "2026-000123", "recipient": "Ms Example", "subject": "a lamp", "reply_by": "noon"}
    written = notices.render(
        standard(), NoticeKind.ACKNOWLEDGEMENT, Recipient.CUSTOMER, Language.ENGLISH, values
    )
    assert written.subject == "We have your complaint 2026-000123"
    assert written.text.startswith("Dear Ms Example,")
    assert written.text.endswith("Kind regards, the after-sales service centre")
    assert "was recorded on — under number" in written.text, "what is left out reads as a dash"


@pytest.mark.rule("NTF-4")
@pytest.mark.parametrize("value", ["{number}", "{0.__class__}", "%s", "{{", "}"])
def test_what_people_wrote_is_put_in_as_it_is(value: str) -> None:
    written = notices.render(
        standard(), NoticeKind.DESIGN_DEFECT, Recipient.STAFF, Language.ENGLISH, {"defect": value}
    )
    assert written.text.endswith(f"found a design defect: {value}")


def test_values_nobody_asked_for_change_nothing() -> None:
    values = {"secret": "x", "organisation": "somebody else"}
    written = notices.render(standard(), NoticeKind.CLOSING, Recipient.CUSTOMER, Language.ENGLISH, values)
    assert "x" not in written.subject
    assert "somebody else" not in written.text


@pytest.mark.rule("NTF-3")
def test_channels_are_tried_in_turn_each_a_few_times() -> None:
    policy = standard()
    written = notices.render(policy, NoticeKind.CLOSING, Recipient.CUSTOMER, Language.ENGLISH, {})
    assert written.channels == ("outbox", "jetstream")
    waits = [notices.retry_after(policy, attempt) for attempt in (1, 2, 3, 4)]
    assert waits == [timedelta(minutes=1), timedelta(minutes=5), None, None]
    assert notices.takes_over(policy, TODAY).person == "after-sales-officer"


@pytest.mark.rule("NTF-3", "ASG-4")
def test_nobody_tells_by_hand_what_is_said_of_a_complaint_about_themselves() -> None:
    policy = standard()
    assert notices.takes_over(policy, TODAY, "after-sales-officer").person == "after-sales-head"
    assert notices.takes_over(policy, TODAY, "after-sales-head").person == "general-manager"


@pytest.mark.rule("NTF-5", "INV-8")
def test_technology_and_leadership_are_told_of_a_design_defect() -> None:
    told = notices.told(standard(), NoticeKind.DESIGN_DEFECT, TODAY)
    assert [each.person for each in told] == ["technology-head", "general-manager"]


@pytest.mark.rule("NTF-5", "CLS-7")
def test_leadership_is_told_of_a_batch_incident_nobody_twice() -> None:
    told = notices.told(standard(), NoticeKind.BATCH_INCIDENT, TODAY, about="after-sales-head")
    assert [each.person for each in told] == ["general-manager", "quality-head"]
    assert notices.told(standard(), NoticeKind.CLOSING, TODAY) == ()
