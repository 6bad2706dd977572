"""Situations of notices and of first replies, each reached by deciding, and commands to decide on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.events.contracts.handling import Answerable
from libs.events.contracts.notify import NoticeKind, Recipient
from libs.events.contracts.values import Language
from libs.policy import notices, pack
from services.notifier import deliver, notify, overdue, promise, recompute, reply, resend, state, tell
from services.notifier.term import Debtor, Term
from tests.unit.situations import Told

NOW = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = pack.load("standard")
THIS, NOTICE, CAUSE = UUID(int=2), UUID(int=30), UUID(int=40)
OFFICER = Answerable(unit="quality", person="quality-officer")
STAND_IN = Answerable(unit="after-sales", person="after-sales-officer")
DEBTOR = Debtor(complaint_id=THIS, answerable=OFFICER, level=0, about=None)
NOBODY_YET = replace(DEBTOR, answerable=None)

write = notify.WriteNotice(
    notice_id=NOTICE,
    complaint_id=THIS,
    data_subject="customer:C-1",
    kind=NoticeKind.SOLUTION,
    person=None,
    to="wang@example.com",
    language=Language.CHINESE,
    written=notices.render(POLICY, NoticeKind.SOLUTION, Recipient.CUSTOMER, Language.CHINESE, {}),
    policy=POLICY.reference,
    cause=CAUSE,
    term=Term(due_at=NOW + 30 * MINUTE, warn_at=NOW + 24 * MINUTE),
    stands_in=STAND_IN,
    now=NOW,
)
arrived = deliver.RecordAttempt(
    channel="outbox", attempt=1, failure=None, final=False, policy=POLICY, now=NOW
)
failed = replace(arrived, failure="disk full")
erased = replace(failed, failure="erased", final=True)


def failure(attempt: int, channel: str, now: datetime = NOW) -> deliver.RecordAttempt:
    """The attempt of that number over that channel failed."""
    return replace(failed, attempt=attempt, channel=channel, now=now)


EVERYTHING_FAILED = (
    *(failure(1, "outbox"), failure(2, "outbox"), failure(3, "outbox")),
    *(failure(4, "jetstream"), failure(5, "jetstream"), failure(6, "jetstream")),
)
send_again = resend.ResendNotice(
    to="wang@new.example.com",
    channels=("outbox", "jetstream"),
    author="after-sales-officer",
    under=frozenset({"after-sales-head", "general-manager"}),
    about=None,
    now=NOW + HOUR,
)
hand_over = resend.HandOverNotice(
    how="told on the phone",
    author="after-sales-officer",
    under=send_again.under,
    about=None,
    now=NOW + HOUR,
)
recompute_arrival = recompute.RecomputeArrival(
    due=Term(due_at=NOW + 40 * MINUTE, warn_at=NOW + 32 * MINUTE), ground=POLICY.ground(), now=NOW
)
pass_arrival = overdue.PassArrival(debtor=DEBTOR, policy=POLICY, now=NOW + DAY)

follow = reply.FollowComplaint(
    debtor=NOBODY_YET,
    term=Term(due_at=NOW + DAY, warn_at=NOW + 19 * HOUR),
    over=False,
    answer=None,
    as_of=10,
    policy=POLICY,
    now=NOW,
)
answered = replace(follow, answer=reply.Answer(notice_id=NOTICE, at=NOW + 2 * HOUR), as_of=20)
answered_late = replace(follow, answer=reply.Answer(notice_id=NOTICE, at=NOW + 25 * HOUR), as_of=20)
withdrawn = replace(follow, over=True, as_of=30)
open_again = replace(follow, as_of=40)
pass_reply = reply.PassReply(debtor=NOBODY_YET, policy=POLICY, now=NOW + 2 * DAY)
tell_customer = tell.TellCustomer(
    debtor=DEBTOR,
    data_subject="customer:C-1",
    term=follow.term,
    as_of=50,
    text="我在电话里说明了情况",
    author="after-sales-officer",
    under=frozenset({"after-sales-head", "general-manager"}),
    policy=POLICY,
    now=NOW + HOUR,
)

STEPS: dict[type, Callable[[Any, Any], list[Any]]] = {
    notify.WriteNotice: notify.decide,
    deliver.RecordAttempt: deliver.decide,
    resend.ResendNotice: resend.decide,
    resend.HandOverNotice: resend.decide,
    overdue.PassArrival: overdue.decide,
    recompute.RecomputeArrival: recompute.decide,
    reply.FollowComplaint: reply.decide,
    reply.PassReply: reply.decide,
    tell.TellCustomer: tell.decide,
}


def _evolve(situation: Any, event: Any) -> Any:
    """A notice, or a first reply, after an event."""
    evolve: Any = promise.evolve if isinstance(situation, promise.Promise) else state.evolve
    return evolve(situation, event)


OF_NOTICE: Told[Any] = Told(state.INITIAL, _evolve, STEPS)
OF_REPLY: Told[Any] = Told(promise.INITIAL, _evolve, STEPS)
when, after = OF_NOTICE.when, OF_NOTICE.after
given, promised = OF_NOTICE.given, OF_REPLY.given


NOTICES: dict[str, Any] = {
    "not written": state.INITIAL,
    "written": given(write),
    "failed once": given(write, failed),
    "next channel": given(write, *EVERYTHING_FAILED[:3]),
    "left to a person": given(write, *EVERYTHING_FAILED),
    "overdue": given(write, *EVERYTHING_FAILED, pass_arrival),
    "arrived": given(write, arrived),
    "resent": given(write, *EVERYTHING_FAILED, send_again),
    "handed over": given(write, *EVERYTHING_FAILED, hand_over),
}
NOTICE_COMMANDS: dict[str, Any] = {
    "write": write,
    "arrived": arrived,
    "failed": failed,
    "resend": send_again,
    "hand over": hand_over,
    "pass": pass_arrival,
    "recompute": recompute_arrival,
}
PROMISES: dict[str, Any] = {
    "not owed": promise.INITIAL,
    "owed": promised(follow),
    "overdue": promised(follow, pass_reply),
    "given": promised(follow, answered),
    "released": promised(follow, withdrawn),
}
PROMISE_COMMANDS: dict[str, Any] = {
    "follow": follow,
    "answered": answered,
    "answered late": answered_late,
    "withdrawn": withdrawn,
    "open again": open_again,
    "pass": pass_reply,
    "tell": tell_customer,
}
