"""Intake decided: every situation against every command, laws that hold for all, and step 1 rule by rule."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from libs.events import errors
from libs.events.contracts import intake as events
from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated
from libs.events.contracts.classify import (
    ClassificationContested,
    ComplaintClassified,
    ComplaintJoinedIncident,
)
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.term import ClockResumed, ClockStopped
from libs.events.contracts.values import Complainant, Contact, Detail, Product, Suspicion
from services.intake import amend, attach, classify, contest, escalate, merge, reassign, state
from tests.unit.intake_situations import (
    BECAUSE,
    COMMANDS,
    EARLIER,
    NOW,
    OTHER,
    REQUIRED,
    SITUATIONS,
    THIS,
    after,
    attach_it,
    convert_it,
    given,
    merge_it,
    record_enquiry,
    record_it,
    separate_it,
    suspect_it,
    when,
    withdraw_it,
)

GONE, NOTHING = errors.NotFound, None
WITHDRAWN, MERGED, ENQUIRY = state.AlreadyWithdrawn, state.AlreadyMerged, state.NotAComplaint
# What a command comes to in each situation: events, nothing to do, or a refusal.
OPEN: dict[str, Any] = {
    "record": NOTHING,
    "amend": events.ComplaintAmended,
    "convert": NOTHING,
    "attach": events.AttachmentAdded,
    "withdraw": events.ComplaintWithdrawn,
    "suspect": events.DuplicateSuspected,
    "merge": events.ComplaintMerged,
    "separate": merge.NotLinked,
    "contest": contest.NotUnfounded,
    "join": ComplaintJoinedIncident,
    "overdue": ComplaintEscalated,
    "pass": NOTHING,
    "stop": NOTHING,
    "resume": NOTHING,
}
UNJUDGED = OPEN | {
    "stop": ClockStopped,
    "classify": NOTHING,
    "wait": ComplaintClassified,
    "judge": classify.DetailsMissing,
    "reject": ComplaintClassified,
    "assign": NOTHING,
    "reassign": reassign.NotYetJudged,
    "escalate": escalate.NotYetAssigned,
}
JUDGED = OPEN | {
    "classify": NOTHING,
    "wait": NOTHING,
    "judge": ComplaintClassified,
    "reject": ComplaintClassified,
    "assign": NOTHING,
    "reassign": ComplaintAssigned,
    "escalate": ComplaintEscalated,
}
TABLE: dict[str, dict[str, Any]] = {
    "not recorded": dict.fromkeys(COMMANDS, GONE) | {"record": events.ComplaintRecorded},
    "enquiry": OPEN
    | dict.fromkeys(("judge", "reject", "contest", "reassign", "escalate"), ENQUIRY)
    | dict.fromkeys(("classify", "wait", "join", "assign"), NOTHING)
    | {"convert": events.EnquiryBecameComplaint},
    "recorded": UNJUDGED,
    "suspected": UNJUDGED | {"suspect": NOTHING, "separate": events.ComplaintSeparated},
    "separated": UNJUDGED | {"suspect": NOTHING, "separate": NOTHING},
    "waiting": UNJUDGED | {"wait": NOTHING, "pass": (DeadlineWarned, DeadlineMissed)},
    "asked": UNJUDGED | {"wait": NOTHING, "stop": NOTHING, "pass": (DeadlineWarned, DeadlineMissed)},
    "answered": UNJUDGED
    | {"classify": ComplaintClassified, "judge": ComplaintClassified, "wait": NOTHING}
    | {"stop": NOTHING, "resume": ClockResumed, "pass": (DeadlineWarned, DeadlineMissed)},
    "ready": UNJUDGED | {"classify": ComplaintClassified, "judge": ComplaintClassified, "stop": NOTHING},
    "founded": JUDGED | {"assign": ComplaintAssigned, "escalate": escalate.NotYetAssigned},
    "unfounded": JUDGED
    | {
        "reject": NOTHING,
        "contest": ClassificationContested,
        "join": NOTHING,
        "reassign": reassign.JudgedUnfounded,
        "escalate": escalate.NotYetAssigned,
    },
    "contested": UNJUDGED
    | {"stop": NOTHING}
    | {"contest": NOTHING, "judge": classify.JudgedBefore, "reject": classify.JudgedBefore},
    "assigned": JUDGED,
    "joined": JUDGED | {"join": NOTHING},
    "escalated": JUDGED | {"escalate": NOTHING},
    "withdrawn": dict.fromkeys(COMMANDS, NOTHING)
    | dict.fromkeys(("convert", "merge", "judge", "reject", "contest", "reassign", "escalate"), WITHDRAWN)
    | {"amend": events.ComplaintAmended, "attach": events.AttachmentAdded, "separate": merge.NotLinked},
    "merged": dict.fromkeys(COMMANDS, MERGED)
    | dict.fromkeys(("record", "suspect", "merge", "classify", "wait", "join", "assign"), NOTHING)
    | dict.fromkeys(("overdue", "pass", "stop", "resume"), NOTHING)
    | {"separate": events.ComplaintSeparated},
}
CASES = [(situation, command) for situation in SITUATIONS for command in COMMANDS]


def refuses(refusal: type[errors.Failure], command: Any, complaint: state.Complaint) -> errors.Failure:
    with pytest.raises(refusal) as refused:
        when(command, complaint)
    return refused.value


@pytest.mark.parametrize(("situation", "command"), CASES)
def test_every_command_is_decided_in_every_situation(situation: str, command: str) -> None:
    expected = TABLE[situation][command]
    if isinstance(expected, type) and issubclass(expected, errors.Failure):
        refuses(expected, COMMANDS[command], SITUATIONS[situation])
    else:
        happened = [type(event) for event in when(COMMANDS[command], SITUATIONS[situation])]
        assert happened == (
            [] if expected is None else [*expected] if isinstance(expected, tuple) else [expected]
        )


@pytest.mark.parametrize(("situation", "command"), CASES)
def test_a_command_repeated_changes_nothing_more(situation: str, command: str) -> None:
    before = SITUATIONS[situation]
    try:
        happened = when(COMMANDS[command], before)
    except errors.Failure:
        return
    assert when(COMMANDS[command], after(before, happened)) == []


@pytest.mark.parametrize(("situation", "command"), CASES)
def test_the_same_command_in_the_same_situation_comes_to_the_same(situation: str, command: str) -> None:
    def outcome() -> Any:
        try:
            return when(COMMANDS[command], SITUATIONS[situation])
        except errors.Failure as failure:
            return type(failure), str(failure), failure.facts

    assert outcome() == outcome()


@given_any(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=12))
def test_after_any_history_every_command_is_decided_and_a_repeat_changes_nothing(names: list[str]) -> None:
    complaint: state.Complaint = state.INITIAL
    for name in names:
        try:
            complaint = after(complaint, when(COMMANDS[name], complaint))
        except (errors.Refused, errors.NotFound):
            continue
        assert when(COMMANDS[name], complaint) == []


def test_refusals_have_codes_of_their_own() -> None:
    refusals = [
        state.AlreadyWithdrawn,
        state.AlreadyMerged,
        amend.MoreDefectiveThanDelivered,
        amend.AnotherCustomer,
        attach.TooManyAttachments,
        merge.NotTheEarlier,
        merge.NotLinked,
        merge.NotOpen,
        state.AlreadyClosed,
        state.NotAComplaint,
        state.JudgeInOwnCause,
        classify.DetailsMissing,
        classify.JudgedBefore,
        contest.NotUnfounded,
        contest.AlreadyContested,
        contest.NothingNew,
        reassign.NotYetJudged,
        reassign.JudgedUnfounded,
        reassign.CannotAnswer,
        escalate.NotYetAssigned,
    ]
    assert len({refusal.code for refusal in refusals} - {errors.Refused.code}) == len(refusals)


@pytest.mark.rule("REC-1")
def test_what_was_said_is_recorded_as_it_was_said() -> None:
    (event,) = when(record_it, state.INITIAL)
    assert isinstance(event, events.ComplaintRecorded)
    for name in ("complainant", "respondent", "product", "narrative", "demand", "received_at", "channel"):
        assert getattr(event, name) == getattr(record_it, name)


def test_a_customers_words_are_sealed_under_the_customers_key() -> None:
    customer = replace(record_it, complainant=Complainant(name="王", phone="1", customer_id="C-1"))
    (event,) = when(customer, state.INITIAL)
    (anonymous,) = when(record_it, state.INITIAL)
    assert isinstance(event, events.ComplaintRecorded)
    assert isinstance(anonymous, events.ComplaintRecorded)
    assert event.data_subject == "customer:C-1"
    assert anonymous.data_subject == f"complaint:{THIS}"


@pytest.mark.rule("REC-2")
def test_missing_details_are_listed_and_go_when_they_are_supplied_or_unavailable() -> None:
    recorded = given(replace(record_it, product=None))
    assert details(recorded) == (Detail.ORDER_NUMBER, Detail.QUANTITY)
    supplied = after(recorded, when(amending(product=Product(order_number="SO-1")), recorded))
    assert details(supplied) == (Detail.QUANTITY,)
    unavailable = amending(unavailable_details=frozenset({Detail.QUANTITY}))
    assert details(after(supplied, when(unavailable, supplied))) == ()


@pytest.mark.rule("REC-2")
def test_an_enquiry_lacks_nothing_until_it_becomes_a_complaint() -> None:
    assert details(given(record_enquiry)) == ()
    assert details(given(record_enquiry, convert_it)) == (Detail.QUANTITY,)


@pytest.mark.rule("REC-4")
def test_an_enquiry_that_becomes_a_complaint_keeps_its_first_record_and_its_deadline() -> None:
    before, became = given(record_enquiry), given(record_enquiry, convert_it)
    assert isinstance(before, state.Enquired)
    assert isinstance(became, state.Recorded)
    assert became.record.statement == before.record.statement
    assert became.record.first_reply_due_at == before.record.first_reply_due_at
    assert became.record.contact is Contact.COMPLAINT


@pytest.mark.rule("REC-6")
def test_an_amendment_says_only_what_it_changes() -> None:
    (event,) = when(amending(product=Product(quantity=40)), given(record_it))
    assert isinstance(event, events.ComplaintAmended)
    assert event.product == Product(order_number="SO-1", quantity=40)
    unchanged = (event.narrative, event.complainant, event.respondent, event.demand, event.supplement)
    assert unchanged == (None,) * 5


@pytest.mark.rule("REC-6")
def test_supplements_stand_beside_the_narrative() -> None:
    first, second = amending(supplement="now five"), amending(supplement="now six")
    complaint = given(record_it, first, second, first)
    assert isinstance(complaint, state.Recorded)
    assert complaint.record.statement.narrative == record_it.narrative
    assert complaint.record.statement.supplements == ("now five", "now six")


@pytest.mark.rule("REC-8")
def test_a_complaint_can_be_linked_to_its_customer_later_but_not_given_to_another() -> None:
    link = amending(complainant=amend.ComplainantChange(customer_id="C-1"))
    complaint = given(record_it, link)
    assert isinstance(complaint, state.Recorded)
    assert complaint.record.statement.complainant.customer_id == "C-1"
    assert complaint.record.data_subject == "customer:C-1"
    refuses(
        amend.AnotherCustomer,
        amending(complainant=amend.ComplainantChange(customer_id="C-2")),
        complaint,
    )


@pytest.mark.rule("REC-1")
def test_a_clerical_slip_in_the_time_of_the_occurrence_keeps_nothing_out() -> None:
    (event,) = when(amending(occurred_at=NOW + timedelta(seconds=1)), given(record_it))
    assert event.occurred_at > record_it.received_at


def test_amendments_cannot_contradict_the_record() -> None:
    recorded = given(record_it)
    too_many = amending(product=Product(quantity=2, defective_quantity=3))
    refuses(amend.MoreDefectiveThanDelivered, too_many, recorded)


@pytest.mark.rule("REC-9")
def test_of_two_complaints_exactly_one_can_be_merged_into_the_other() -> None:
    this = given(record_it)
    assert when(merge_it, this)
    back = merge.MergeComplaint(complaint_id=EARLIER, into=this, now=NOW, **BECAUSE)
    refuses(merge.NotTheEarlier, back, given(replace(record_it, complaint_id=EARLIER, received_at=NOW)))
    itself = merge.MergeComplaint(complaint_id=THIS, into=this, now=NOW, **BECAUSE)
    refuses(merge.NotTheEarlier, itself, this)


@pytest.mark.rule("REC-9")
@pytest.mark.parametrize("closed", ["withdrawn", "merged"])
def test_nothing_is_merged_into_what_is_not_open(closed: str) -> None:
    later = given(replace(record_it, complaint_id=OTHER, received_at=NOW + timedelta(days=1)))
    into = merge.MergeComplaint(complaint_id=OTHER, into=SITUATIONS[closed], now=NOW, **BECAUSE)
    refuses(merge.NotOpen, into, later)


@pytest.mark.rule("REC-9")
@pytest.mark.parametrize("first", [record_it, record_enquiry])
def test_a_merge_undone_leaves_everything_as_it_was(first: Any) -> None:
    before, undone = given(first), given(first, merge_it, separate_it)
    assert type(undone) is type(before)
    assert isinstance(before, state.Enquired | state.Recorded)
    assert isinstance(undone, state.Enquired | state.Recorded)
    assert undone.record == replace(
        before.record, separated=frozenset({EARLIER}), handling=undone.record.handling
    )


@pytest.mark.rule("REC-9")
def test_what_a_person_separated_is_not_suspected_again_but_can_be_merged_by_a_person() -> None:
    separated = given(record_it, suspect_it, separate_it)
    assert when(suspect_it, separated) == []
    assert when(merge_it, separated)


def test_a_suspicion_of_the_front_desk_is_not_repeated_by_the_reaction() -> None:
    known = Suspicion(duplicate_of=EARLIER, matched_on=("order_number",))
    assert when(suspect_it, given(replace(record_it, possible_duplicates=(known,)))) == []


@pytest.mark.rule("REC-10")
def test_the_same_content_is_attached_once_and_attachments_have_a_limit() -> None:
    complaint = given(record_it)
    for number in range(attach.ATTACHMENTS_MAX):
        complaint = after(complaint, when(replace(attach_it, sha256=f"{number:064x}"), complaint))
    refuses(attach.TooManyAttachments, attach_it, complaint)
    assert when(replace(attach_it, sha256=f"{7:064x}", filename="again.jpg"), complaint) == []


def test_history_begins_with_a_record() -> None:
    (event,) = when(withdraw_it, given(record_it))
    with pytest.raises(errors.ContractError):
        state.evolve(state.INITIAL, event)


def amending(**changes: Any) -> amend.AmendComplaint:
    return amend.AmendComplaint(complaint_id=THIS, required_details=REQUIRED, now=NOW, **BECAUSE, **changes)


def details(complaint: state.Complaint) -> tuple[Detail, ...]:
    assert not isinstance(complaint, state.NotRecorded)
    return complaint.record.missing_details
