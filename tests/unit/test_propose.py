"""Step 5, rule by rule: proposing, approving, the customer's answer, carrying out (PRO)."""

from dataclasses import replace
from datetime import date

import pytest

from libs.events import errors
from libs.events.contracts.handling import Severity, Step
from libs.events.contracts.propose import Answer, CostBearer, RemedyKind, Stage
from libs.events.contracts.values import Product
from libs.policy import pack
from services.resolution import answer, approve, execute, propose, state
from services.resolution.clock import changes
from services.resolution.solution import Agreed, CarriedOut, Offered, TurnedDown
from tests import packs
from tests.unit.resolution_situations import (
    DAY,
    NOW,
    STAGES,
    accept,
    approve_it,
    cny,
    counter,
    decline,
    each_approves,
    given,
    hand_over,
    offer,
    open_it,
    propose_front_line,
    propose_it,
    reject_it,
    remedy,
    settle,
    start,
    step_due,
    when,
)
from tests.unit.resolution_tables import SITUATIONS

rule = pytest.mark.rule
DEPARTMENTS = ["after-sales", "quality", "technology", "production"]
OLD = Product(part_number="LED-18W", delivered_on=date(2024, 1, 1))


def refuses(refusal: type[errors.Failure], command: object, case: state.Case) -> errors.Failure:
    with pytest.raises(refusal) as refused:
        when(command, case)
    return refused.value


REMEDIES = (
    "explanation apology training repair part_replacement unit_replacement exchange return_and_refund credit"
    " compensation discount goodwill advance_compensation"
)


@rule("PRO-1")
def test_every_remedy_of_the_rulebook_can_be_given() -> None:
    assert {str(kind) for kind in RemedyKind} == set(REMEDIES.split())


@rule("PRO-1", "PRO-3")
def test_a_remedy_that_the_policy_does_not_name_is_nobodys_to_give() -> None:
    """It may have been published before the remedy had a name, and a published policy never changes."""
    said = packs.text_with(
        (", goodwill, advance_compensation]", ", goodwill]"),
        ("remedies: [advance_compensation]", "remedies: [goodwill]"),
        (
            "remedies: [credit, compensation, discount, goodwill]",
            "remedies: [credit, compensation, discount]",
        ),
        (", discount, goodwill]", ", discount]"),
        ("remedies: [return_and_refund, advance_compensation]", "remedies: [return_and_refund, goodwill]"),
    )
    before = pack.parse(said, packs.FILE)
    advance = replace(propose_it, remedies=(remedy(RemedyKind.ADVANCE_COMPENSATION),))
    refused = refuses(propose.RemedyNotOffered, replace(advance, policy=before), given(open_it))
    assert refused.facts["remedies"] == ["advance_compensation"]
    (proposed,) = when(advance, given(open_it))
    assert [each.office for each in proposed.approvals] == [*DEPARTMENTS, "general-manager"]


@rule("PRO-1")
def test_a_solution_may_combine_remedies_of_every_kind() -> None:
    every = tuple(remedy(kind) for kind in RemedyKind)
    (proposed,) = when(replace(propose_it, remedies=every), given(open_it))
    assert {each.kind for each in proposed.remedies} == set(RemedyKind)


@rule("PRO-2")
def test_the_warranty_decision_and_its_ground_are_part_of_the_proposal() -> None:
    (proposed,) = when(propose_it, given(open_it))
    assert proposed.warranty.in_warranty
    assert proposed.warranty.clause == "WAR-T1"
    assert "2026-11-10" in proposed.warranty.reason


@rule("PRO-2")
def test_out_of_warranty_work_needs_a_quote_that_the_customer_accepts_before_it_starts() -> None:
    out = replace(propose_it, product=OLD)
    refused = refuses(propose.QuoteNeeded, out, given(open_it))
    assert refused.facts["clause"] == "WAR-T1"
    quoted = replace(out, quote=cny("300"), cost_bearer=CostBearer.CUSTOMER)
    offered = given(open_it, quoted, *each_approves)
    refuses(execute.NotYetAccepted, start, offered)
    assert isinstance(given(open_it, quoted, *each_approves, accept).solution, Agreed)


@rule("PRO-2")
def test_in_warranty_work_is_free_of_charge() -> None:
    refuses(propose.FreeOfCharge, replace(propose_it, quote=cny("300")), given(open_it))
    refuses(propose.FreeOfCharge, replace(propose_it, cost_bearer=CostBearer.CUSTOMER), given(open_it))


@rule("PRO-2")
def test_words_need_no_quote_whatever_the_warranty() -> None:
    assert when(replace(propose_front_line, product=OLD), given(open_it))


@rule("PRO-3")
def test_the_matrix_names_the_offices_by_remedy_amount_and_severity() -> None:
    (proposed,) = when(propose_it, given(open_it))
    assert [each.office for each in proposed.approvals] == DEPARTMENTS
    major = replace(propose_it, severity=Severity.MAJOR)  # since it was assigned: it joined an incident
    (proposed,) = when(major, given(open_it))
    assert {each.clause for each in proposed.approvals} == {"PRO-M6"}


@rule("PRO-3")
def test_a_return_always_needs_the_general_manager_and_is_at_the_customers_cost_without() -> None:
    back = replace(propose_it, remedies=(remedy(RemedyKind.RETURN_AND_REFUND, "1"),))
    case = given(open_it, back)
    assert "general-manager" in [each.person for each in case.solution.waiting_for]  # type: ignore[union-attr] # it was proposed
    (rejected,) = when(replace(reject_it, approver="general-manager"), case)
    assert rejected.cost_bearer is CostBearer.CUSTOMER
    (rejected,) = when(reject_it, given(open_it, propose_it))
    assert rejected.cost_bearer is None


@rule("PRO-3")
def test_nobody_approves_their_own_proposal() -> None:
    own = replace(propose_it, proposer="after-sales-head")
    (proposed,) = when(own, given(open_it))
    assert "after-sales-head" not in [each.person for each in proposed.approvals]
    refuses(approve.OwnProposal, approve_it, given(open_it, own))


@rule("PRO-3", "ASG-4")
def test_the_person_complained_of_neither_proposes_nor_approves() -> None:
    refuses(state.JudgeInOwnCause, replace(propose_it, about="quality-officer"), given(open_it))
    refuses(state.JudgeInOwnCause, replace(propose_it, about="quality-head"), given(open_it))
    about = replace(approve_it, about="after-sales-head")
    refuses(state.JudgeInOwnCause, about, given(open_it, propose_it))
    below = replace(approve_it, about="general-manager")
    refuses(state.JudgeInOwnCause, below, given(open_it, propose_it))


@rule("PRO-4", "PRO-5", "ASG-4")
@pytest.mark.parametrize("about", ["quality-officer", "quality-head"])
def test_the_person_complained_of_neither_takes_the_answer_nor_carries_it_out(about: str) -> None:
    refuses(state.JudgeInOwnCause, replace(accept, about=about), given(*offer))
    refuses(state.JudgeInOwnCause, replace(start, about=about), given(*offer, accept))


@rule("PRO-3")
def test_only_who_holds_an_office_approves_for_it_and_the_last_one_completes_it() -> None:
    case = given(open_it, propose_it)
    refused = refuses(approve.NotYourOffice, replace(approve_it, approver="sales-head"), case)
    assert refused.facts["waiting_for"] == [f"{unit}-head" for unit in DEPARTMENTS]
    (first,) = when(approve_it, case)
    (last,) = when(each_approves[-1], given(open_it, propose_it, *each_approves[:-1]))
    assert (first.complete, last.complete) == (False, True)
    deputy = replace(approve_it, approver="after-sales-deputy")
    assert [each.office for each in when(deputy, case)] == ["after-sales"]


@rule("PRO-4")
@pytest.mark.parametrize("said", [decline, counter])
def test_declined_or_countered_another_proposal_follows_under_the_next_number(
    said: answer.AnswerProposal,
) -> None:
    case = given(*offer, said)
    assert case.solution == TurnedDown(case.solution.proposal, said.answer)  # type: ignore[union-attr] # it was proposed
    (proposed,) = when(propose_front_line, case)
    assert proposed.proposal == 2
    refuses(answer.AnsweredBefore, accept, given(*offer, said, propose_front_line))


@rule("PRO-4")
def test_a_dispute_is_settled_by_whom_the_policy_designates_and_only_after_the_customer_declined() -> None:
    refuses(answer.NoDispute, settle, given(*offer))
    refuses(answer.NoDispute, settle, given(open_it, propose_it, reject_it))
    declined = given(*offer, decline)
    refuses(answer.NotTheAdjudicator, replace(settle, author="quality-officer"), declined)
    assert isinstance(given(*offer, decline, settle, start).solution, Agreed)


@rule("PRO-2", "PRO-4")
def test_no_settlement_of_a_dispute_stands_in_for_the_customers_yes_to_a_quote() -> None:
    """Another proposal follows; one that costs the customer nothing can be settled."""
    quoted = replace(propose_it, product=OLD, quote=cny("300"), cost_bearer=CostBearer.CUSTOMER)
    declined = (open_it, quoted, *offer[2:], decline)
    refused = refuses(answer.QuoteNotAccepted, settle, given(*declined))
    assert refused.facts["proposal"] == 1
    second = replace(settle, proposal=2)
    again = (*declined, propose_front_line, replace(decline, proposal=2))
    assert isinstance(given(*again, second).solution, Agreed)


@rule("PRO-4")
def test_every_answer_is_on_record_with_its_words() -> None:
    for said in Answer:
        (answered,) = when(replace(accept, answer=said, text="in my words"), given(*offer))
        assert (answered.answer, answered.text) == (said, "in my words")


@rule("PRO-5")
def test_work_on_goods_is_tested_certified_and_signed_for_each_in_its_turn() -> None:
    case = given(*offer, accept)
    for stage, advance in zip(Stage, STAGES, strict=True):
        assert execute.next_stage(case.solution) is stage  # type: ignore[arg-type] # it is agreed until the end
        for later in STAGES[STAGES.index(advance) + 1 :]:
            refuses(execute.StageOutOfOrder, later, case)
        (advanced,) = when(advance, case)
        assert advanced.complete == (stage is Stage.SIGNED_FOR)
        case = state.evolve(case, advanced)
    assert isinstance(case.solution, CarriedOut)


@rule("PRO-5")
def test_words_are_done_when_they_are_done() -> None:
    case = given(open_it, propose_front_line, accept, *STAGES[:2])
    assert isinstance(case.solution, CarriedOut)
    refuses(execute.StageOutOfOrder, STAGES[-1], case)


@rule("PRO-5")
def test_nothing_is_carried_out_before_it_is_approved_and_accepted() -> None:
    for before in ("opened", "proposed", "offered", "rejected", "declined"):
        refuses(execute.NotYetAccepted, start, SITUATIONS[before])


@rule("ASG-7")
def test_an_escalation_gives_nobody_more_time_and_a_new_assignment_does() -> None:
    """Trap 1: deadlines move only by an event that says so."""
    declined = given(open_it, propose_front_line, decline)
    (escalated,) = when(hand_over, declined)
    assert declined.handling is not None
    assert escalated.due == declined.handling.due
    assert escalated.answerable == hand_over.answerable
    again = replace(hand_over, due_as_of=20, due=(step_due(Step.PROPOSE, 50),))
    (reassigned,) = when(again, declined)
    assert reassigned.due == again.due


@rule("PRO-7")
def test_below_the_policys_thresholds_the_handler_decides_alone() -> None:
    (proposed,) = when(propose_front_line, given(open_it))
    assert proposed.approvals == ()
    assert isinstance(given(open_it, propose_front_line).solution, Offered)


@rule("SLA-9")
def test_while_the_customer_is_waited_for_no_clock_runs_and_the_wait_is_on_record() -> None:
    (proposed,) = when(propose_front_line, given(open_it))
    assert [type(each).__name__ for each in changes(proposed)] == ["Ended"]
    later = replace(decline, now=NOW + 5 * DAY)
    case = given(open_it, propose_front_line, later)
    assert [(wait.start, wait.end) for wait in case.waits] == [(NOW, NOW + 5 * DAY)]
    assert case.handling is not None
    assert case.handling.due_of(Step.PROPOSE) == later.due
