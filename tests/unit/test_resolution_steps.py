"""Steps 5, 7 and 8 decided: every situation against every command, and laws that hold for all of them."""

import typing
from typing import Any

import pytest

from libs.events import errors
from libs.events.contracts import registry
from services.resolution import measure, state
from tests.unit.resolution_situations import after, when
from tests.unit.resolution_tables import COMMANDS, MEASURE_COMMANDS, MEASURES, SITUATIONS

# What a command comes to, in the order of COMMANDS: events, "-" for nothing to do, or the code of a refusal.
TABLE: dict[str, str] = {
    "nothing": """
        CaseOpened CaseOpened not_yet_assigned not_yet_assigned not_yet_assigned not_yet_assigned
        not_yet_assigned not_yet_assigned not_yet_assigned not_yet_assigned not_yet_assigned
        not_yet_assigned not_yet_assigned not_yet_assigned ResponsibilityRaised+ResponsibilityRaised
        ResponsibilityRaised+ResponsibilityRaised NoFaultFound+ImprovementNotNeeded nothing_to_answer_for
        nothing_to_answer_for nothing_to_answer_for not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned
        not_yet_assigned not_yet_assigned ComplaintJoinedImprovement ComplaintClosed not_yet_closed - -
    """,
    "opened": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted ResponsibilityRaised+ResponsibilityRaised
        ResponsibilityRaised+ResponsibilityRaised NoFaultFound+ImprovementNotNeeded nothing_to_answer_for
        nothing_to_answer_for nothing_to_answer_for not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned
        RewardGranted ImprovementNotNeeded ComplaintJoinedImprovement ComplaintClosed not_yet_closed
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed -
    """,
    "proposed": """
        - CaseHandedOver - solution_pending SolutionApproved SolutionApproved SolutionRejected
        not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted not_yet_accepted
        not_yet_accepted ResponsibilityRaised+ResponsibilityRaised ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded nothing_to_answer_for nothing_to_answer_for nothing_to_answer_for
        not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned RewardGranted ImprovementNotNeeded
        ComplaintJoinedImprovement ComplaintClosed not_yet_closed
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed
        DeadlinesRecomputed
    """,
    "offered": """
        - CaseHandedOver - solution_pending - - nothing_to_approve CustomerAnswered CustomerAnswered
        CustomerAnswered no_dispute not_yet_accepted not_yet_accepted not_yet_accepted
        ResponsibilityRaised+ResponsibilityRaised ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded nothing_to_answer_for nothing_to_answer_for nothing_to_answer_for
        not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned RewardGranted ImprovementNotNeeded
        ComplaintJoinedImprovement ComplaintClosed not_yet_closed DeadlineWarned+DeadlineMissed -
    """,
    "rejected": """
        - CaseHandedOver SolutionProposed SolutionProposed nothing_to_approve nothing_to_approve -
        not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted not_yet_accepted
        not_yet_accepted ResponsibilityRaised+ResponsibilityRaised ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded nothing_to_answer_for nothing_to_answer_for nothing_to_answer_for
        not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned RewardGranted ImprovementNotNeeded
        ComplaintJoinedImprovement ComplaintClosed not_yet_closed
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed DeadlinesRecomputed
    """,
    "declined": """
        - CaseHandedOver SolutionProposed SolutionProposed nothing_to_approve nothing_to_approve
        nothing_to_approve answered_before - answered_before DisputeSettled not_yet_accepted
        not_yet_accepted not_yet_accepted ResponsibilityRaised+ResponsibilityRaised
        ResponsibilityRaised+ResponsibilityRaised NoFaultFound+ImprovementNotNeeded nothing_to_answer_for
        nothing_to_answer_for nothing_to_answer_for not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned
        RewardGranted ImprovementNotNeeded ComplaintJoinedImprovement ComplaintClosed not_yet_closed
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed DeadlinesRecomputed
    """,
    "agreed": """
        - CaseHandedOver - solution_agreed - - nothing_to_approve - answered_before answered_before - -
        ExecutionAdvanced stage_out_of_order ResponsibilityRaised+ResponsibilityRaised
        ResponsibilityRaised+ResponsibilityRaised NoFaultFound+ImprovementNotNeeded nothing_to_answer_for
        nothing_to_answer_for nothing_to_answer_for not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned
        RewardGranted ImprovementNotNeeded ComplaintJoinedImprovement ComplaintClosed not_yet_closed
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed DeadlinesRecomputed
    """,
    "carried out": """
        - CaseHandedOver - solution_agreed - - nothing_to_approve - answered_before answered_before - - - -
        ResponsibilityRaised+ResponsibilityRaised ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded nothing_to_answer_for nothing_to_answer_for nothing_to_answer_for
        not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned RewardGranted ImprovementNotNeeded
        ComplaintJoinedImprovement ComplaintClosed not_yet_closed DeadlineWarned+DeadlineMissed -
    """,
    "charged": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted - - NoFaultFound+ImprovementNotNeeded SanctionImposed
        ResponsibilityWaived NoFaultFound not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned
        RewardGranted ImprovementNotNeeded ComplaintJoinedImprovement - not_yet_closed
        {six} DeadlinesRecomputed
    """.format(six="+".join(["DeadlineWarned+DeadlineMissed"] * 6)),
    "sanctioned": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted - ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded - - already_settled CaseStated SanctionAppealed not_yet_appealed
        RewardGranted ImprovementNotNeeded ComplaintJoinedImprovement ComplaintClosed not_yet_closed
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed -
    """,
    "appealed": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted - ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded - - already_settled CaseStated - AppealDecided RewardGranted
        ImprovementNotNeeded ComplaintJoinedImprovement ComplaintClosed not_yet_closed
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed+AppealOverdue DeadlinesRecomputed
    """,
    "judged": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted - ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded - - already_settled CaseStated - - RewardGranted
        ImprovementNotNeeded ComplaintJoinedImprovement ComplaintClosed not_yet_closed
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed -
    """,
    "cleared": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted ResponsibilityRaised+ResponsibilityRaised
        ResponsibilityRaised+ResponsibilityRaised - nothing_to_answer_for nothing_to_answer_for
        nothing_to_answer_for not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned RewardGranted -
        ComplaintJoinedImprovement ComplaintClosed not_yet_closed DeadlineWarned+DeadlineMissed -
    """,
    "measured": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted ResponsibilityRaised+ResponsibilityRaised
        ResponsibilityRaised+ResponsibilityRaised NoFaultFound nothing_to_answer_for nothing_to_answer_for
        nothing_to_answer_for not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned RewardGranted
        measure_planned - ComplaintClosed not_yet_closed DeadlineWarned+DeadlineMissed -
    """,
    "overdue": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted - ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded SanctionImposed ResponsibilityWaived NoFaultFound
        not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned RewardGranted ImprovementNotNeeded
        ComplaintJoinedImprovement - not_yet_closed - DeadlinesRecomputed
    """,
    "resolved": """
        - CaseHandedOver - solution_agreed - - nothing_to_approve - answered_before answered_before - - - -
        - ResponsibilityRaised+ResponsibilityRaised NoFaultFound - - already_settled CaseStated
        SanctionAppealed not_yet_appealed RewardGranted - ComplaintJoinedImprovement ComplaintClosed
        not_yet_closed - -
    """,
    "closed": """
        - - already_closed already_closed already_closed already_closed already_closed already_closed
        already_closed already_closed already_closed already_closed already_closed already_closed -
        ResponsibilityRaised+ResponsibilityRaised NoFaultFound - - already_settled CaseStated
        SanctionAppealed not_yet_appealed RewardGranted already_closed - - ComplaintReopened - -
    """,
    "reopened": """
        - CaseHandedOver SolutionProposed SolutionProposed not_yet_proposed not_yet_proposed
        not_yet_proposed not_yet_offered not_yet_offered not_yet_offered no_dispute not_yet_accepted
        not_yet_accepted not_yet_accepted - ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded - - already_settled CaseStated SanctionAppealed not_yet_appealed
        RewardGranted ImprovementNotNeeded ComplaintJoinedImprovement - -
        DeadlineWarned+DeadlineMissed+DeadlineWarned+DeadlineMissed DeadlinesRecomputed
    """,
    "closed unopened": """
        - - already_closed already_closed already_closed already_closed already_closed already_closed
        already_closed already_closed already_closed already_closed already_closed already_closed
        ResponsibilityRaised+ResponsibilityRaised ResponsibilityRaised+ResponsibilityRaised
        NoFaultFound+ImprovementNotNeeded nothing_to_answer_for nothing_to_answer_for nothing_to_answer_for
        not_yet_sanctioned not_yet_sanctioned not_yet_sanctioned not_yet_assigned already_closed - -
        cannot_reopen - -
    """,
}
MEASURE_TABLE: dict[str, str] = {
    "not planned": """
        ImprovementPlanned ImprovementPlanned not_found not_found not_found not_found not_found - - -
    """,
    "planned": """
        - already_planned ImprovementExtended ImprovementProgressed ImprovementCompleted not_yet_completed
        not_yet_completed - DeadlineWarned+DeadlineMissed -
    """,
    "at work": """
        - already_planned - - ImprovementCompleted not_yet_completed not_yet_completed -
        DeadlineWarned+DeadlineMissed -
    """,
    "late": """
        - already_planned ImprovementExtended ImprovementProgressed ImprovementCompleted not_yet_completed
        not_yet_completed - - -
    """,
    "completed": """
        - already_planned ImprovementExtended already_completed - ImprovementVerified ImprovementVerified
        ImprovementReopened - -
    """,
    "verified": """
        - already_planned already_verified already_completed - - verified_before ImprovementReopened - -
    """,
    "ineffective": """
        - already_planned ImprovementExtended ImprovementProgressed ImprovementCompleted not_yet_completed -
        - - -
    """,
    "reopened": """
        - already_planned ImprovementExtended ImprovementProgressed ImprovementCompleted not_yet_completed
        not_yet_completed - - -
    """,
}

CASES: list[tuple[Any, Any, str, str]] = [
    (SITUATIONS[before], COMMANDS[command], f"{before}: {command}", TABLE[before].split()[place])
    for before in SITUATIONS
    for place, command in enumerate(COMMANDS)
]
CASES += [
    (
        MEASURES[before],
        MEASURE_COMMANDS[command],
        f"{before}: {command}",
        MEASURE_TABLE[before].split()[place],
    )
    for before in MEASURES
    for place, command in enumerate(MEASURE_COMMANDS)
]
every_case = pytest.mark.parametrize(
    ("before", "command", "expected"),
    [pytest.param(before, command, expected, id=name) for before, command, name, expected in CASES],
)


def outcome(command: Any, before: Any) -> str:
    try:
        return "+".join(type(event).__name__ for event in when(command, before)) or "-"
    except errors.Failure as failure:
        return failure.code


@every_case
def test_every_command_is_decided_in_every_situation(before: Any, command: Any, expected: str) -> None:
    assert outcome(command, before) == expected


@every_case
def test_a_command_repeated_changes_nothing_more(before: Any, command: Any, expected: str) -> None:
    if expected[0].isupper():
        assert when(command, after(before, when(command, before))) == []


@every_case
def test_the_same_command_in_the_same_situation_comes_to_the_same(
    before: Any, command: Any, expected: str
) -> None:
    if expected[0].isupper():
        assert when(command, before) == when(command, before)


def test_every_event_of_a_case_and_of_a_measure_comes_about() -> None:
    seen = {name for *_, expected in CASES for name in expected.split("+") if name[0].isupper()}
    declared = {*typing.get_args(state.Event), *typing.get_args(measure.Event)}
    assert seen == {event.__name__ for event in declared}
    assert all(registry.contract_of(event).service in ("resolution", "clock") for event in declared)
