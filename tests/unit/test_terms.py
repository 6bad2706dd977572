"""Every word has its Chinese and its English, and everything that documents name has a word (REC-7)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from libs.events.contracts import values
from libs.events.contracts.registry import Contract
from libs.events.contracts.values import Language
from libs.events.envelope import Recorded
from libs.events.masking import MASKED, masked
from libs.policy import terms
from libs.policy.terms import Speaker
from services.intake import register
from services.notifier import words
from services.resolution import decided, wording
from services.resolution.history import step_of
from tests.contract import samples
from tests.packs import standard

CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What no document says: a person is told so otherwise, or nothing was decided.
UNSAID: Final = {
    "batch incidents have no step of one complaint": {"incident_raised"},
    "found by the system, for a person to decide": {"duplicate_suspected"},
    "beginnings, ends and handovers": {
        "case_handed_over",
        "case_opened",
        "complaint_joined_improvement",
        "improvement_extended",
        "investigation_extended",
        "investigation_handed_over",
        "investigation_joined",
        "investigation_opened",
        "investigation_reclassified",
        "investigation_resumed",
        "investigation_stopped",
    },
    "clocks and tries": {
        "deadline_warned",
        "first_reply_owed",
        "first_reply_released",
        "notice_failed",
        "notice_resent",
    },
}


def tables() -> list[tuple[str, Mapping[Any, terms.Spoken]]]:
    return [
        (f"{module.__name__}.{name}", table)
        for module in (terms, register, words, wording)
        for name, table in vars(module).items()
        if name.isupper() and isinstance(table, Mapping)
    ]


@pytest.mark.parametrize(("name", "table"), tables(), ids=[name for name, _ in tables()])
def test_every_word_is_in_both_languages(name: str, table: Mapping[Any, terms.Spoken]) -> None:
    for what, (chinese, english) in table.items():
        assert CHINESE.search(chinese), what
        assert english.isascii(), what
    kind: Any = type(next(iter(table)))
    if kind.__module__.startswith(("libs.", "services.")):
        assert set(table) == set(kind)


def said(contract: Contract, language: Language) -> decided.Line | None:
    event, envelope = samples.event(contract), samples.envelope(contract)
    say = Speaker(standard(), language)
    stream = envelope._replace(actor="quality-officer")
    line = decided.of(Recorded(event, stream), say)
    hidden = decided.of(Recorded(masked(event), stream), say)
    assert (line is None) == (hidden is None)
    return line


@pytest.mark.parametrize("contract", samples.contracts(), ids=lambda contract: contract.name)
def test_every_event_of_a_step_has_a_line_or_a_reason_why_not(contract: Contract) -> None:
    chinese, english = said(contract, Language.CHINESE), said(contract, Language.ENGLISH)
    name = contract.name.split(".")[2]
    if chinese is None or english is None:
        of_a_step = step_of(samples.event(contract)) is not None
        assert not of_a_step or any(name in names for names in UNSAID.values()), name
        return
    assert CHINESE.search(chinese.what)
    assert english.what.isascii()
    assert [label for label, _ in english.facts if not label.isascii()] == []


def test_a_document_says_what_nobody_may_read() -> None:
    complainant = values.Complainant(name=MASKED)
    english, chinese = (Speaker(standard(), language) for language in (Language.ENGLISH, Language.CHINESE))
    assert english.complainant(complainant) == "(withheld)"
    assert chinese.complainant(replace(complainant, name="[masked]")) == "[masked]", "somebody's own words"
