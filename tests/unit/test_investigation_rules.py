"""The rules of step 4, one by one, each through its decider."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from libs.events.contracts import investigate as events
from libs.events.contracts.clock import DeadlineWarned
from libs.events.contracts.handling import Kind
from services.investigation import conclusion as concluding
from services.investigation import evidence, state, supplier, visit
from tests.unit.investigation_situations import (
    DAY,
    DUE,
    EARLIER,
    HEAD,
    HOUR,
    INCIDENT,
    LATER,
    LEADER,
    NOW,
    OFFICER,
    OTHER,
    SHARED,
    SUBJECT,
    THIS,
    add_evidence,
    adopt_it,
    after,
    again,
    agree_visit,
    conclusion,
    contribute,
    contribution_late,
    extend_it,
    file_of,
    given,
    hand_over,
    join_it,
    kinds,
    miss,
    not_ours,
    notify_supplier,
    open_incident,
    open_it,
    reclassify,
    record_finding,
    refuses,
    report_visit,
    resume_it,
    settle_notice,
    stop_it,
    supplier_late,
    when,
)


@pytest.mark.rule("ASG-7", "INV-2")
def test_an_investigation_has_the_due_time_of_the_assignment_and_asks_each_unit_for_its_duty() -> None:
    (opened,) = when(open_it, state.INITIAL)
    assert (opened.due_at, opened.warn_at) == (DUE.due_at, DUE.warn_at)
    assert [duty.unit for duty in opened.duties] == ["sales", "production"]
    assert [duty.unit for duty in file_of(given(open_it, contribute)).owed] == ["production"]


def test_a_later_assignment_brings_its_own_person_and_time() -> None:
    file = file_of(given(open_it, hand_over))
    assert (file.answerable, file.term) == (HEAD, LATER)
    assert when(replace(hand_over, answerable=OFFICER, as_of=15), given(open_it, hand_over)) == []


@pytest.mark.rule("INV-2", "ASG-1", "ASG-7")
def test_of_another_kind_other_units_owe_something_and_what_is_asked_still_keeps_its_time() -> None:
    changed, handed = when(reclassify, given(open_it))
    assert [(duty.unit, duty.due_at) for duty in changed.asked] == [("freight", NOW + 2 * DAY)]
    assert (changed.kind, changed.dropped) == (Kind.TRANSPORT, ("production",))
    assert (handed.answerable.unit, handed.due_at) == ("freight", DUE.due_at)
    file = file_of(given(open_it, reclassify))
    assert [(duty.unit, duty.due_at) for duty in file.owed] == [
        ("sales", NOW + DAY),
        ("freight", NOW + 2 * DAY),
    ]


@pytest.mark.rule("INV-2")
def test_what_was_given_for_the_first_kind_stays_given() -> None:
    file = file_of(given(open_it, contribute, reclassify))
    assert [each.unit for each in file.contributions] == ["sales"]
    assert [duty.unit for duty in file.owed] == ["freight"]


@pytest.mark.rule("INV-2", "SLA-3")
def test_what_was_late_is_not_late_again_as_the_same_duty() -> None:
    late = given(open_it, contribution_late, reclassify)
    assert file_of(late).overdue_units == {"sales"}
    assert when(contribution_late, late) == []


@pytest.mark.rule("INV-2")
def test_what_stood_still_goes_on_as_what_it_is_by_now() -> None:
    happened = when(replace(reclassify, as_of=35), given(open_it, stop_it))
    assert kinds(happened) == (events.InvestigationReclassified, events.InvestigationResumed)
    assert [duty.unit for duty in happened[1].duties] == ["sales", "freight"]


def test_an_escalation_before_the_due_time_leaves_it_as_it_was() -> None:
    escalate = replace(open_it, answerable=HEAD, level=1, as_of=20)
    assert file_of(given(open_it, escalate)).term == DUE


def test_an_escalation_after_a_missed_deadline_gives_the_next_person_time_of_their_own() -> None:
    escalate = replace(open_it, answerable=HEAD, level=1, as_of=20)
    file = file_of(given(open_it, miss, escalate))
    assert (file.answerable, file.term) == (HEAD, replace(LATER, level=1))


@pytest.mark.rule("INV-2")
def test_a_unit_that_is_late_is_escalated_with_its_person_and_one_that_contributed_is_not() -> None:
    (late,) = when(contribution_late, given(open_it))
    assert (late.unit, late.owed_by.person, late.due_at) == ("sales", "sales-officer", NOW + DAY)
    assert late.escalated_to.person == "sales-head"
    assert when(contribution_late, given(open_it, contribute)) == []
    refuses(evidence.UnknownUnit, replace(contribute, known=False), given(open_it))


@pytest.mark.rule("INV-1")
def test_a_finding_rests_on_evidence_of_its_own_investigation() -> None:
    refuses(concluding.EvidenceNeeded, record_finding, given(open_it))
    elsewhere = replace(record_finding, conclusion=replace(conclusion, evidence_ids=(OTHER,)))
    refuses(concluding.UnknownEvidence, elsewhere, given(open_it, add_evidence))
    (found,) = when(record_finding, given(open_it, add_evidence))
    assert found.evidence_ids == (add_evidence.evidence_id,)
    assert (found.cause, found.responsible) == (conclusion.cause, conclusion.responsible)


@pytest.mark.rule("INV-1")
def test_evidence_names_only_files_that_intake_keeps() -> None:
    shown = replace(add_evidence, attachment_id=OTHER)
    refuses(evidence.UnknownAttachment, shown, given(open_it))
    (added,) = when(replace(shown, attached=True), given(open_it))
    assert added.attachment_id == OTHER


@pytest.mark.rule("INV-1")
def test_responsible_are_people_the_policy_knows_and_their_shares_make_a_whole() -> None:
    one, other = conclusion.responsible
    for change, refusal in (
        ({"responsible": ()}, concluding.NobodyResponsible),
        ({"strangers": ("nobody",)}, state.UnknownPerson),
        ({"responsible": (one,)}, concluding.SharesNotWhole),
        ({"responsible": (one, replace(one, share=Decimal("0.3")))}, concluding.SharesNotWhole),
        ({"responsible": (one, replace(other, share=Decimal("0.31")))}, concluding.SharesNotWhole),
    ):
        changed = replace(record_finding, conclusion=replace(conclusion, **change))
        refuses(refusal, changed, given(open_it, add_evidence))


@pytest.mark.rule("ASG-4", "INV-3")
@pytest.mark.parametrize("about", ["station-east-officer", "after-sales-head"])
def test_nobody_is_sent_to_a_customer_who_complained_of_them_or_their_superior(about: str) -> None:
    refuses(state.JudgeInOwnCause, agree_visit, given(replace(open_it, about=about)))


@pytest.mark.rule("ASG-4")
def test_nobody_records_what_was_found_about_themselves() -> None:
    about = replace(open_it, about=record_finding.author)
    refuses(state.JudgeInOwnCause, record_finding, given(about, add_evidence))
    about_their_head = replace(open_it, about="quality-head")
    refuses(state.JudgeInOwnCause, record_finding, given(about_their_head, add_evidence))


@pytest.mark.rule("ASG-4", "INV-3", "INV-5")
@pytest.mark.parametrize("about", ["sales-officer", "sales-head"])
@pytest.mark.parametrize(
    "handles",
    [
        replace(agree_visit, author="sales-officer", author_under=frozenset({"sales-head"})),
        replace(report_visit, author="sales-officer", under=frozenset({"sales-head"})),
        replace(notify_supplier, author="sales-officer", under=frozenset({"sales-head"})),
        replace(settle_notice, author="sales-officer", under=frozenset({"sales-head"})),
    ],
    ids=lambda command: type(command).__name__,
)
def test_whom_it_is_about_deals_with_neither_the_customer_nor_the_supplier(handles: Any, about: str) -> None:
    refuses(
        state.JudgeInOwnCause, handles, given(replace(open_it, about=about), agree_visit, notify_supplier)
    )


@pytest.mark.rule("ASG-4", "INV-2")
def test_whom_it_is_about_is_heard_and_their_unit_gives_what_it_owes() -> None:
    """To say what one knows is not to handle the complaint: others make the finding of it."""
    about = given(replace(open_it, about="sales-head"))
    assert len(when(contribute, about)) == 1
    assert len(when(replace(add_evidence, author="sales-head"), about)) == 1


@pytest.mark.rule("INV-3")
@pytest.mark.parametrize(
    ("arrived_at", "force_majeure", "on_time"),
    [
        (NOW + DAY, None, True),
        (NOW + DAY + HOUR, None, False),
        (NOW + DAY + HOUR, "the bridge was closed by the flood", True),
    ],
)
def test_a_visit_is_on_time_by_the_agreed_time_unless_force_majeure_kept_it(
    arrived_at: Any, force_majeure: str | None, on_time: bool
) -> None:
    report = replace(report_visit, arrived_at=arrived_at, force_majeure=force_majeure)
    (made,) = when(report, given(open_it, agree_visit))
    assert (made.on_time, made.force_majeure) == (on_time, force_majeure)


@pytest.mark.rule("INV-3")
def test_a_visit_is_agreed_before_it_is_made_and_may_be_agreed_anew() -> None:
    refuses(visit.VisitNotAgreed, report_visit, given(open_it))
    agree_later = replace(agree_visit, agreed_for=NOW + 2 * DAY)
    (made,) = when(replace(report_visit, arrived_at=NOW + 2 * DAY), given(open_it, agree_visit, agree_later))
    assert (made.visit, made.on_time) == (1, True)
    made_once = given(open_it, agree_visit, report_visit)
    refuses(visit.VisitAlreadyReported, replace(report_visit, found="something else"), made_once)
    (second,) = when(replace(agree_visit, agreed_for=NOW + 4 * DAY), made_once)
    assert second.visit == 2
    refuses(state.UnknownPerson, replace(agree_visit, known=False), given(open_it))


@pytest.mark.rule("INV-3")
@pytest.mark.parametrize("missing", [{"promised_for": None}, {"signed_by_customer": False}])
def test_a_unit_is_taken_back_only_against_a_promised_date_and_a_signature(missing: dict[str, Any]) -> None:
    refuses(visit.HandOverIncomplete, replace(report_visit, **missing), given(open_it, agree_visit))
    left_there = replace(report_visit, taken_back=False, **missing)
    assert len(when(left_there, given(open_it, agree_visit))) == 1


@pytest.mark.rule("INV-3")
def test_what_was_solved_on_the_spot_is_not_taken_back() -> None:
    both = replace(report_visit, solved_on_the_spot=True, taken_back=True)
    refuses(visit.SolvedOrTakenBack, both, given(open_it, agree_visit))


@pytest.mark.rule("INV-4")
@pytest.mark.parametrize("missing", ["appraisal", "appraisal_basis", "possible_causes"])
def test_that_the_company_is_not_the_cause_needs_appraisal_basis_and_possible_causes(missing: str) -> None:
    ready = given(open_it, add_evidence)
    change: dict[str, Any] = {missing: () if missing == "possible_causes" else None}
    lacking = replace(not_ours, **change)
    refuses(concluding.AppraisalNeeded, replace(record_finding, conclusion=lacking), ready)
    blaming = replace(not_ours, responsible=conclusion.responsible)
    refuses(concluding.ResponsibleWithoutCause, replace(record_finding, conclusion=blaming), ready)
    (found,) = when(replace(record_finding, conclusion=not_ours), ready)
    assert not found.company_is_cause
    assert (found.appraisal, found.appraisal_basis) == ("the tubes are sound", "laboratory report 7")


@pytest.mark.rule("INV-5")
def test_a_supplier_owes_until_it_has_solved_it_also_beyond_the_finding() -> None:
    found = given(open_it, add_evidence, notify_supplier, record_finding)
    (late,) = when(supplier_late, found)
    assert (late.due_at, late.notice, late.supplier) == (notify_supplier.due_at, 1, "battery-supplier")
    assert late.escalated_to == HEAD
    assert when(supplier_late, given(open_it, notify_supplier, settle_notice)) == []
    early = replace(supplier_late, now=notify_supplier.due_at - HOUR)
    assert when(early, found) == []
    refuses(supplier.SupplierNotNotified, replace(settle_notice, notice=2), found)


@pytest.mark.rule("INV-6")
def test_the_same_fault_on_the_same_unit_repaired_before_is_flagged() -> None:
    repeated = replace(record_finding, repair_before=EARLIER)
    flagged, found = when(repeated, given(open_it, add_evidence))
    assert (flagged.serial_number, flagged.cause_code) == ("SN-1", conclusion.cause.code)
    assert flagged.earlier_complaint_id == EARLIER
    assert found.repeat_repair
    unnumbered = given(replace(open_it, serial_number=None), add_evidence)
    assert kinds(when(repeated, unnumbered)) == (events.FindingRecorded,)


@pytest.mark.rule("INV-7")
def test_the_loss_is_estimated_with_its_basis() -> None:
    ready = given(open_it, add_evidence)
    lacking = replace(record_finding, conclusion=replace(conclusion, loss=None))
    refuses(concluding.LossNeeded, lacking, ready)
    (found,) = when(record_finding, ready)
    assert found.loss == conclusion.loss


@pytest.mark.rule("INV-8")
def test_a_design_defect_is_reported_at_once_and_once() -> None:
    defect = replace(record_finding, conclusion=replace(conclusion, design_defect="no room for heat"))
    reported, found = when(defect, given(open_it, add_evidence))
    assert kinds([reported, found]) == (events.DesignDefectReported, events.FindingRecorded)
    assert reported.told == (LEADER,)
    shown = replace(add_evidence, design_defect=True, told=(LEADER,))
    assert kinds(when(shown, given(open_it))) == (events.EvidenceAdded, events.DesignDefectReported)
    assert kinds(when(defect, given(open_it, shown))) == (events.FindingRecorded,)


@pytest.mark.rule("CLS-7")
def test_each_complaint_of_an_incident_adopts_its_finding_under_its_own_key() -> None:
    (adopted,) = when(adopt_it, given(open_it, join_it))
    assert (adopted.complaint_id, adopted.adopted_from) == (THIS, INCIDENT)
    assert adopted.data_subject == SUBJECT
    assert (adopted.cause, adopted.responsible) == (conclusion.cause, conclusion.responsible)
    flagged, again_broken = when(replace(adopt_it, repair_before=EARLIER), given(join_it))
    assert (flagged.earlier_complaint_id, again_broken.repeat_repair) == (EARLIER, True)


@pytest.mark.rule("CLS-7")
def test_an_incident_covers_what_joins_it_with_the_evidence_it_had() -> None:
    incident = given(open_incident, extend_it)
    assert file_of(incident).complaint_ids == (OTHER,)
    (found,) = when(record_finding, incident)
    assert found.evidence_ids == extend_it.evidence_ids


@pytest.mark.rule("CLS-7")
def test_a_complaint_of_an_incident_is_due_when_the_incident_is_and_its_leader_owes_it() -> None:
    _, missed = when(miss, given(open_it, join_it))
    assert (missed.owed_by, missed.due_at, missed.complaint_id) == (LEADER, LATER.due_at, THIS)
    handed = replace(join_it, answerable=HEAD, level=1, as_of=26)
    assert file_of(given(join_it, handed)).answerable == HEAD
    assert file_of(given(join_it, handed)).term == SHARED
    assert file_of(given(join_it, miss, handed)).term == replace(join_it.extended, level=1)


@pytest.mark.rule("SLA-3", "SLA-4")
def test_a_deadline_is_warned_of_and_missed_once_at_the_time_it_fell_due() -> None:
    (warned,) = when(replace(miss, now=DUE.warn_at + HOUR), given(open_it))
    assert (type(warned), warned.warned_at) == (DeadlineWarned, DUE.warn_at)
    warned_before = after(given(open_it), [warned])
    (missed,) = when(replace(miss, now=DUE.due_at + 5 * DAY), warned_before)
    assert (missed.missed_at, missed.noticed_at) == (DUE.due_at, DUE.due_at + 5 * DAY)
    assert (missed.owed_by, missed.escalated_to) == (OFFICER, HEAD)
    assert when(miss, after(warned_before, [missed])) == []
    assert when(replace(miss, now=DUE.warn_at - HOUR), given(open_it)) == []


def test_evidence_and_visits_leave_the_clock_alone() -> None:
    """Trap 1: only an event that says so moves a deadline."""
    worked_on = given(open_it, add_evidence, contribute, agree_visit, report_visit, notify_supplier)
    assert file_of(worked_on).term == DUE


def test_no_clock_runs_once_nothing_is_owed() -> None:
    """Trap 6: not after the finding, not after the complaint ended; and anew where it is open again."""
    for commands in ((add_evidence, record_finding), (stop_it,)):
        assert when(miss, given(open_it, *commands)) == []
    _, missed = when(miss, given(open_it, stop_it, resume_it))
    assert missed.due_at == LATER.due_at
    _, missed = when(miss, given(open_it, add_evidence, record_finding, again))
    assert missed.due_at == LATER.due_at


@pytest.mark.rule("INV-1")
def test_a_finding_stands_until_the_complaint_comes_back() -> None:
    found = given(open_it, add_evidence, record_finding)
    refuses(state.AlreadyFound, replace(record_finding, conclusion=not_ours), found)
    assert when(record_finding, found) == []


@pytest.mark.rule("INV-1")
def test_a_complaint_that_came_back_is_investigated_in_a_further_round() -> None:
    reopened = given(open_it, add_evidence, record_finding, again)
    (found,) = when(replace(record_finding, conclusion=not_ours), reopened)
    assert found.round == 2
