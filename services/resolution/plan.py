"""What a complaint's history calls for: opening its case, putting faults to people, reopening it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from libs.events.contracts.handling import Answerable, Step
from libs.events.contracts.investigate import FindingRecorded
from libs.events.contracts.notify import NoticeKind
from libs.events.contracts.penalize import Charge
from libs.events.contracts.propose import Outcome
from libs.events.envelope import Recorded
from libs.policy import deadlines, people
from libs.policy.pack import Pack
from libs.policy.terms import Speaker, Spoken
from services.resolution import begin, charge, close, lateness, outcome, recompute
from services.resolution.history import Complaint
from services.resolution.lateness import Lateness

# The customer hears it, too, where no measure is needed (NTF-2).
NOT_OURS: Final[Spoken] = (
    "调查结论表明，原因不在本公司。",
    "The finding says that the company is not the cause.",
)


def opening(complaint: Complaint, now: datetime) -> begin.OpenCase | None:
    """Its case, for whoever answers for it; None where nobody does, or it does not go through all steps."""
    known = complaint.answerable and complaint.ground and complaint.kind
    if not known or outcome.path_of(complaint) is not Outcome.RESOLVED:
        return None
    handling = complaint.case.handling
    if handling is not None and handling.acted_on >= complaint.as_of:
        return None
    due, due_as_of = complaint.due, complaint.due_as_of
    if handling is not None and complaint.moved_as_of > handling.acted_on >= due_as_of:
        # What the case has fixed since, upon the customer's answer, is not what the assignment gave.
        due = tuple(complaint.moves.get((each.step, each.due_at), each) for each in handling.due)
        due_as_of = complaint.moved_as_of
        if (due, complaint.answerable) == (handling.due, handling.answerable):
            return None
    assert complaint.answerable is not None
    assert complaint.kind is not None
    assert complaint.ground is not None
    return begin.OpenCase(
        complaint_id=complaint.complaint_id,
        answerable=complaint.answerable,
        kind=complaint.kind,
        severity=complaint.severity,
        due=due,
        ground=complaint.ground,
        due_as_of=due_as_of,
        as_of=complaint.as_of,
        now=now,
    )


def charges(complaint: Complaint, policy: Pack, now: datetime) -> Iterator[charge.Command]:
    """The finding, and what was late, that were not put to anybody yet (PEN-1, SLA-3)."""
    put = {each.rests_on for each in (*complaint.case.raised, *complaint.case.settlements)}
    finding = complaint.finding
    if finding is not None and finding.envelope.event_id not in put:
        yield _of_finding(complaint, finding, policy, now)
    for late in lateness.charged(complaint.lates):
        if late.rests_on not in put:
            yield of_lateness(complaint, late, policy, now)


def of_lateness(
    complaint: Complaint, late: Lateness, policy: Pack, now: datetime
) -> charge.RaiseResponsibilities:
    """What was not done in time is put to who owed it (PEN-1, SLA-3)."""
    known = late.person is not None and late.person in policy.people
    late_one = people.answerable(policy, late.person) if late.person and known else late.owed_by
    return charge.RaiseResponsibilities(
        complaint_id=complaint.complaint_id,
        charge=Charge.HANDLING,
        persons=(late_one,) if late_one else (),
        unit=policy.routing[-1].to,
        rests_on=late.rests_on,
        acted_at=late.late_at,
        severity=complaint.severity,
        about=people.complained_of(policy, complaint.respondent),
        policy=policy,
        now=now,
    )


def _of_finding(
    complaint: Complaint, finding: Recorded[FindingRecorded], policy: Pack, now: datetime
) -> charge.Command:
    found, rests_on = finding.event, finding.envelope.event_id
    if not found.company_is_cause:
        return charge.ClearEverybody(
            complaint_id=complaint.complaint_id,
            data_subject=complaint.data_subject,
            rests_on=rests_on,
            reason=Speaker(policy, complaint.language).said(NOT_OURS),
            ground=policy.ground(),
            now=now,
        )
    return charge.RaiseResponsibilities(
        complaint_id=complaint.complaint_id,
        charge=Charge.COMPLAINT,
        persons=tuple(Answerable(unit=each.unit, person=each.person) for each in found.responsible),
        unit=complaint.answerable.unit if complaint.answerable else policy.routing[-1].to,
        rests_on=rests_on,
        acted_at=complaint.occurred_at or complaint.received_at,
        severity=complaint.severity,
        about=people.complained_of(policy, complaint.respondent),
        policy=policy,
        now=now,
    )


def recomputing(complaint: Complaint, policy: Pack, now: datetime) -> recompute.RecomputeDeadlines:
    """What the policy in force moves of its case."""
    done = set()
    if complaint.finding is not None:
        done.add(Step.INVESTIGATE)
    if NoticeKind.SOLUTION in complaint.told:
        done.add(Step.NOTIFY)
    return recompute.RecomputeDeadlines(
        complaint_id=complaint.complaint_id,
        moves=complaint.moves,
        done=frozenset(done),
        policy=policy,
        now=now,
    )


def reopening(complaint: Complaint, policy: Pack, now: datetime) -> close.ReopenComplaint | None:
    """What was closed as unfounded was contested or judged anew; what was merged is separated again."""
    closed = complaint.case.closed
    path = outcome.path_of(complaint)
    if closed is None or path is closed.outcome:
        return None
    if closed.outcome is Outcome.UNFOUNDED and complaint.contested is not None:
        said = complaint.contested.event
        reason, author = said.new_facts, said.author
    elif closed.outcome is Outcome.UNFOUNDED and complaint.judged and complaint.judged.founded:
        reason, author = complaint.judged.founded.reason, complaint.judged.ground.person or charge.RULE
    elif closed.outcome is Outcome.MERGED and complaint.separated is not None:
        reason, author = complaint.separated.event.reason, complaint.separated.event.author
    else:
        return None
    assigned = complaint.answerable is not None
    return close.ReopenComplaint(
        complaint_id=complaint.complaint_id,
        data_subject=complaint.data_subject,
        after=closed.outcome,
        reason=reason,
        author=author,
        under=people.NOBODY,
        about=None,
        due=deadlines.all_due(policy, complaint.severity, now) if assigned else (),
        now=now,
    )
