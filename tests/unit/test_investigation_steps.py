"""Step 4 decided: every situation against every command, and laws that hold for all."""

from typing import Any

import pytest

from libs.events import errors
from libs.events.contracts import investigate as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.term import DeadlinesRecomputed
from services.investigation import conclusion as concluding
from services.investigation import evidence, state, supplier, visit
from tests.unit.investigation_situations import (
    COMMANDS,
    SITUATIONS,
    after,
    kinds,
    refuses,
    when,
)

NOTHING = ()
OPENED, HANDED_OVER = (events.InvestigationOpened,), (events.InvestigationHandedOver,)
JOINED, STOPPED, EXTENDED = (
    (events.InvestigationJoined,),
    (events.InvestigationStopped,),
    (events.InvestigationExtended,),
)
RESUMED, FOUND, EVIDENCE = (events.InvestigationResumed,), (events.FindingRecorded,), (events.EvidenceAdded,)
RECLASSIFIED = (events.InvestigationReclassified, events.InvestigationHandedOver)
CONTRIBUTED, AGREED, VISITED = (
    (events.ContributionGiven,),
    (events.FieldVisitAgreed,),
    (events.FieldVisitMade,),
)
NOTIFIED, SOLVED, LATE = (events.SupplierNotified,), (events.SupplierSolved,), (events.SupplierOverdue,)
WARNED_AND_MISSED, CONTRIBUTION_LATE = (DeadlineWarned, DeadlineMissed), (events.ContributionOverdue,)
MOVED = (DeadlinesRecomputed,)
# Refusals, short.
UNASSIGNED, TOGETHER, CLOSED = (
    state.NotYetAssigned,
    state.InvestigatedWithIncident,
    state.NothingToInvestigate,
)
KNOWN, UNAGREED, UNNOTIFIED, BARE = (
    state.AlreadyFound,
    visit.VisitNotAgreed,
    supplier.SupplierNotNotified,
    concluding.EvidenceNeeded,
)
# What a command comes to, in the order of COMMANDS: events, nothing to do, or a refusal.
TABLE: dict[str, list[Any]] = {
    "not opened": [
        *(OPENED, OPENED, NOTHING, OPENED, JOINED, UNASSIGNED, NOTHING),
        *(UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED, UNASSIGNED),
        *(NOTHING, NOTHING, NOTHING, OPENED, NOTHING),
    ],
    "opened": [
        *(NOTHING, HANDED_OVER, STOPPED, OPENED, JOINED, EXTENDED, NOTHING),
        *(EVIDENCE, CONTRIBUTED, AGREED, UNAGREED, NOTIFIED, UNNOTIFIED, BARE),
        *(WARNED_AND_MISSED, CONTRIBUTION_LATE, NOTHING, RECLASSIFIED, MOVED),
    ],
    "at work": [
        *(NOTHING, HANDED_OVER, STOPPED, OPENED, JOINED, EXTENDED, NOTHING),
        *(NOTHING, CONTRIBUTED, NOTHING, VISITED, NOTHING, SOLVED, FOUND),
        *(WARNED_AND_MISSED, CONTRIBUTION_LATE, LATE, RECLASSIFIED, MOVED),
    ],
    "missed": [
        *(NOTHING, HANDED_OVER, STOPPED, OPENED, JOINED, EXTENDED, NOTHING),
        *(NOTHING, CONTRIBUTED, AGREED, UNAGREED, NOTIFIED, UNNOTIFIED, FOUND),
        *(NOTHING, CONTRIBUTION_LATE, NOTHING, RECLASSIFIED, MOVED),
    ],
    "joined": [
        *(NOTHING, NOTHING, STOPPED, OPENED, NOTHING, NOTHING, FOUND),
        *(TOGETHER, TOGETHER, TOGETHER, TOGETHER, TOGETHER, TOGETHER, TOGETHER),
        *(WARNED_AND_MISSED, NOTHING, NOTHING, NOTHING, MOVED),
    ],
    "found": [
        *(NOTHING, NOTHING, NOTHING, OPENED, NOTHING, EXTENDED, NOTHING),
        *(NOTHING, CONTRIBUTED, KNOWN, UNAGREED, NOTHING, SOLVED, NOTHING),
        *(NOTHING, NOTHING, LATE, NOTHING, MOVED),
    ],
    "adopted": [
        *(NOTHING, NOTHING, NOTHING, OPENED, NOTHING, EXTENDED, NOTHING),
        *(EVIDENCE, CONTRIBUTED, KNOWN, UNAGREED, NOTIFIED, UNNOTIFIED, NOTHING),
        *(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    ],
    "stopped": [
        *(NOTHING, NOTHING, NOTHING, OPENED, NOTHING, NOTHING, NOTHING),
        *(CLOSED, CLOSED, CLOSED, CLOSED, CLOSED, UNNOTIFIED, CLOSED),
        *(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    ],
    "resumed": [
        *(NOTHING, NOTHING, NOTHING, OPENED, NOTHING, EXTENDED, NOTHING),
        *(NOTHING, CONTRIBUTED, AGREED, UNAGREED, NOTIFIED, UNNOTIFIED, FOUND),
        *(WARNED_AND_MISSED, CONTRIBUTION_LATE, NOTHING, NOTHING, MOVED),
    ],
    "again": [
        *(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, EXTENDED, NOTHING),
        *(NOTHING, CONTRIBUTED, AGREED, UNAGREED, NOTIFIED, UNNOTIFIED, FOUND),
        *(WARNED_AND_MISSED, CONTRIBUTION_LATE, NOTHING, NOTHING, MOVED),
    ],
    "incident": [
        *(NOTHING, HANDED_OVER, STOPPED, OPENED, JOINED, EXTENDED, NOTHING),
        *(NOTHING, CONTRIBUTED, AGREED, UNAGREED, NOTIFIED, UNNOTIFIED, FOUND),
        *(NOTHING, CONTRIBUTION_LATE, NOTHING, RECLASSIFIED, MOVED),
    ],
    "incident found": [
        *(NOTHING, NOTHING, NOTHING, OPENED, NOTHING, NOTHING, NOTHING),
        *(NOTHING, CONTRIBUTED, KNOWN, UNAGREED, NOTIFIED, UNNOTIFIED, NOTHING),
        *(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    ],
}
CASES = [(situation, command) for situation in SITUATIONS for command in COMMANDS]


@pytest.mark.parametrize(("situation", "command"), CASES)
def test_every_command_is_decided_in_every_situation(situation: str, command: str) -> None:
    expected = dict(zip(COMMANDS, TABLE[situation], strict=True))[command]
    if isinstance(expected, type):
        refuses(expected, COMMANDS[command], SITUATIONS[situation])
    else:
        assert kinds(when(COMMANDS[command], SITUATIONS[situation])) == expected


@pytest.mark.parametrize(("situation", "command"), CASES)
def test_a_command_repeated_changes_nothing_more(situation: str, command: str) -> None:
    before = SITUATIONS[situation]
    try:
        happened = when(COMMANDS[command], before)
    except errors.Failure:
        return
    if happened:
        assert when(COMMANDS[command], after(before, happened)) == []


@pytest.mark.parametrize(("situation", "command"), CASES)
def test_the_same_command_in_the_same_situation_comes_to_the_same(situation: str, command: str) -> None:
    def outcome() -> Any:
        try:
            return when(COMMANDS[command], SITUATIONS[situation])
        except errors.Failure as failure:
            return type(failure), str(failure), failure.facts

    assert outcome() == outcome()


def test_refusals_have_codes_of_their_own() -> None:
    modules = (state, concluding, evidence, visit, supplier)
    refusals = {
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, errors.Refused)
    }
    assert len({refusal.code for refusal in refusals} - {errors.Refused.code}) == len(refusals)
