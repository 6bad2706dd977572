"""Step 6, rule by rule: given what was said, when a command comes, then these events or this refusal."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events import errors
from libs.events.contracts import notify as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step
from libs.events.contracts.notify import NoticeKind, Reply
from libs.events.contracts.personal import ERASED
from libs.events.contracts.term import DeadlinesRecomputed
from services.notifier import resend, state
from services.notifier.term import Term
from tests.unit.notifier_situations import (
    DAY,
    EVERYTHING_FAILED,
    HOUR,
    MINUTE,
    NOTICE_COMMANDS,
    NOTICES,
    NOW,
    PROMISE_COMMANDS,
    PROMISES,
    STAND_IN,
    after,
    answered,
    answered_late,
    arrived,
    erased,
    failed,
    failure,
    follow,
    given,
    hand_over,
    pass_arrival,
    pass_reply,
    promised,
    send_again,
    tell_customer,
    when,
    withdrawn,
    write,
)

NOTHING = ()
WRITTEN, DELIVERED, FAILED = (events.NoticeWritten,), (events.NoticeDelivered,), (events.NoticeFailed,)
RESENT, TOLD, LATE = (events.NoticeResent,), (events.NoticeHandedOver,), (DeadlineWarned, DeadlineMissed)
MOVED = (DeadlinesRecomputed,)
NONE, DONE = errors.NotFound, resend.AlreadyDelivered
# What a command comes to, in the order of NOTICE_COMMANDS: events, nothing to do, or a refusal.
NOTICE_TABLE: dict[str, list[Any]] = {
    "not written": [WRITTEN, NOTHING, NOTHING, NONE, NONE, NOTHING, NOTHING],
    "written": [NOTHING, DELIVERED, FAILED, RESENT, TOLD, LATE, MOVED],
    "failed once": [NOTHING, DELIVERED, NOTHING, RESENT, TOLD, LATE, MOVED],
    "next channel": [NOTHING, DELIVERED, NOTHING, RESENT, TOLD, LATE, MOVED],
    "left to a person": [NOTHING, DELIVERED, NOTHING, RESENT, TOLD, LATE, MOVED],
    "overdue": [NOTHING, DELIVERED, NOTHING, RESENT, TOLD, NOTHING, MOVED],
    "arrived": [NOTHING, NOTHING, NOTHING, RESENT, DONE, NOTHING, NOTHING],
    "resent": [NOTHING, DELIVERED, NOTHING, NOTHING, TOLD, LATE, MOVED],
    "handed over": [NOTHING, NOTHING, NOTHING, RESENT, NOTHING, NOTHING, NOTHING],
}
OWED, GIVEN, RELEASED = (events.FirstReplyOwed,), (events.FirstReplyGiven,), (events.FirstReplyReleased,)
SAID = (events.CustomerTold,)
PROMISE_TABLE: dict[str, list[Any]] = {
    "not owed": [
        *(OWED, OWED + GIVEN, (*OWED, DeadlineMissed, *GIVEN), NOTHING),
        *(OWED, NOTHING, OWED + SAID + GIVEN),
    ],
    "owed": [NOTHING, GIVEN, (DeadlineMissed, *GIVEN), RELEASED, NOTHING, LATE, SAID + GIVEN],
    "overdue": [NOTHING, GIVEN, GIVEN, RELEASED, NOTHING, NOTHING, SAID + GIVEN],
    "given": [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, SAID],
    "released": [NOTHING, NOTHING, NOTHING, NOTHING, OWED, NOTHING, OWED + SAID + GIVEN],
}


def outcome(command: Any, situation: Any) -> Any:
    try:
        return tuple(type(event) for event in when(command, situation))
    except (errors.Refused, errors.NotFound) as refusal:
        return type(refusal)


@pytest.mark.parametrize("situation", NOTICES)
def test_what_a_command_comes_to_in_each_situation_of_a_notice(situation: str) -> None:
    found = {name: outcome(command, NOTICES[situation]) for name, command in NOTICE_COMMANDS.items()}
    assert found == dict(zip(NOTICE_COMMANDS, NOTICE_TABLE[situation], strict=True))


@pytest.mark.parametrize("situation", PROMISES)
def test_what_a_command_comes_to_in_each_situation_of_a_first_reply(situation: str) -> None:
    found = {name: outcome(command, PROMISES[situation]) for name, command in PROMISE_COMMANDS.items()}
    assert found == dict(zip(PROMISE_COMMANDS, PROMISE_TABLE[situation], strict=True))


@pytest.mark.parametrize("situation", NOTICES)
def test_a_command_repeated_changes_nothing_more(situation: str) -> None:
    for command in NOTICE_COMMANDS.values():
        if isinstance(outcome(command, NOTICES[situation]), tuple):
            once = after(NOTICES[situation], when(command, NOTICES[situation]))
            assert when(command, once) == []


@pytest.mark.parametrize("situation", PROMISES)
def test_a_first_reply_is_followed_once(situation: str) -> None:
    for command in PROMISE_COMMANDS.values():
        once = after(PROMISES[situation], when(command, PROMISES[situation]))
        assert command is tell_customer or when(command, once) == []


@pytest.mark.rule("NTF-3")
def test_a_failed_notice_is_tried_again_with_growing_pauses_then_over_the_next_channel() -> None:
    pauses, channels, notice = [], [], given(write)
    for attempt in EVERYTHING_FAILED:
        event, *task = when(attempt, notice)
        pauses.append(event.retry_at - NOW if event.retry_at else None)
        channels.append(event.next_channel)
        notice = after(notice, [event, *task])
    assert pauses == [MINUTE, 5 * MINUTE, 0 * MINUTE, MINUTE, 5 * MINUTE, None]
    assert channels == [None, None, "jetstream", None, None, None]
    assert isinstance(notice, state.LeftToPerson)
    assert notice.owed_by == STAND_IN


@pytest.mark.rule("NTF-3")
def test_when_every_channel_failed_a_person_owes_it_and_nobody_counts_as_told() -> None:
    *_, last = EVERYTHING_FAILED
    happened = when(last, given(write, *EVERYTHING_FAILED[:-1]))
    assert [type(event) for event in happened] == [events.NoticeFailed, events.NoticeTaskRaised]
    notice = after(given(write, *EVERYTHING_FAILED[:-1]), happened)
    assert isinstance(notice, state.LeftToPerson)
    (told,) = when(hand_over, notice)
    assert (told.how, told.author) == ("told on the phone", "after-sales-officer")


@pytest.mark.rule("NTF-3")
def test_an_attempt_recorded_by_two_counts_once() -> None:
    assert when(failed, given(write, failed)) == []
    assert when(failure(2, "outbox"), given(write, failed)) != []


@pytest.mark.rule("NTF-3")
def test_that_it_arrived_after_all_counts_also_when_it_was_left_to_a_person() -> None:
    assert isinstance(given(write, *EVERYTHING_FAILED, replace(arrived, attempt=7)), state.Arrived)


@pytest.mark.rule("NTF-3", "SEC-2")
def test_whose_address_was_erased_is_left_to_a_person_and_not_tried_for_ever() -> None:
    written, task = when(replace(write, to=ERASED), state.INITIAL)
    assert (written.to, task.owed_by) == (ERASED, STAND_IN)
    attempt, task = when(erased, given(write))
    assert (attempt.retry_at, attempt.next_channel, task.owed_by) == (None, None, STAND_IN)
    with pytest.raises(resend.RecipientErased):
        when(replace(send_again, to=ERASED), given(write, erased))


def test_resending_begins_with_the_first_channel_at_the_address_of_now() -> None:
    notice = given(write, *EVERYTHING_FAILED, send_again)
    assert isinstance(notice, state.Sending)
    assert (notice.channel, notice.tries, notice.letter.to) == ("outbox", 0, "wang@new.example.com")
    assert notice.letter.attempts == 6
    assert isinstance(after(notice, when(failure(7, "outbox"), notice)), state.Sending)


@pytest.mark.rule("NTF-1", "SLA-3", "SLA-4")
def test_a_solution_that_did_not_arrive_within_minutes_is_warned_of_and_missed_at_its_time() -> None:
    warned, missed = when(pass_arrival, given(write, *EVERYTHING_FAILED))
    assert (warned.warned_at, warned.step) == (NOW + 24 * MINUTE, Step.NOTIFY)
    assert (missed.missed_at, missed.noticed_at) == (NOW + 30 * MINUTE, NOW + DAY)
    assert (missed.escalated_to.person, missed.ground.clause) == ("quality-head", "ESC-1")
    assert when(replace(pass_arrival, now=NOW + 23 * MINUTE), given(write)) == []


def test_a_notice_that_arrived_in_time_is_not_missed_when_it_is_resent() -> None:
    assert when(pass_arrival, given(write, arrived, send_again)) == []


def test_notices_without_a_term_fall_due_at_no_time() -> None:
    progress = replace(write, kind=NoticeKind.PROGRESS, term=None)
    assert when(pass_arrival, given(progress, *EVERYTHING_FAILED)) == []


@pytest.mark.rule("SLA-1")
def test_an_answer_within_24_hours_on_the_clock_keeps_the_promise() -> None:
    (given_by,) = when(answered, promised(follow))
    assert (given_by.by, given_by.given_at) == (Reply.NOTICE, NOW + 2 * HOUR)
    assert when(pass_reply, promised(follow, answered)) == []


@pytest.mark.rule("SLA-1", "SLA-3")
def test_a_first_reply_nobody_gave_is_missed_at_its_time_also_of_unassigned_complaints() -> None:
    warned, missed = when(pass_reply, promised(follow))
    assert (warned.warned_at, warned.owed_by) == (NOW + 19 * HOUR, None)
    assert (missed.missed_at, missed.noticed_at, missed.owed_by) == (NOW + DAY, NOW + 2 * DAY, None)
    assert missed.escalated_to.person


@pytest.mark.rule("SLA-1")
def test_an_answer_that_came_late_is_missed_even_if_the_clock_had_not_looked() -> None:
    missed, _ = when(answered_late, promised(follow))
    assert missed.missed_at == NOW + DAY


@pytest.mark.rule("SLA-1")
def test_a_persons_own_words_are_an_answer() -> None:
    told, reply_given = when(tell_customer, promised(follow))
    assert (told.text, reply_given.by) == ("我在电话里说明了情况", Reply.PERSON)


@pytest.mark.rule("ASG-4", "SLA-1")
@pytest.mark.parametrize("about", ["after-sales-officer", "after-sales-head"])
def test_whom_it_is_about_neither_answers_the_customer_nor_tells_them_again(about: str) -> None:
    """Nor anybody below them: the customer would be answered by whom they complained of."""
    answering = replace(tell_customer, debtor=replace(tell_customer.debtor, about=about))
    with pytest.raises(state.JudgeInOwnCause):
        when(answering, promised(follow))
    for command in (hand_over, send_again):
        with pytest.raises(state.JudgeInOwnCause):
            when(replace(command, about=about), given(write, *EVERYTHING_FAILED))


def test_a_withdrawn_complaint_waits_for_no_answer_and_its_clock_stops() -> None:
    assert when(pass_reply, promised(follow, withdrawn)) == []


def test_what_was_missed_stays_missed_while_the_due_time_is_the_same() -> None:
    again = replace(follow, as_of=99)
    assert when(pass_reply, promised(follow, pass_reply, withdrawn, again)) == []
    moved = replace(again, term=Term(due_at=NOW + 3 * DAY, warn_at=NOW + 2 * DAY))
    at = replace(pass_reply, now=NOW + 4 * DAY)
    assert len(when(at, promised(follow, pass_reply, withdrawn, moved))) == 2
