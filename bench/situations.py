"""What a simulated month seldom comes to, from what it did come to: for deciders that nobody asked there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, Final
from uuid import UUID

from libs.events import errors
from libs.events.contracts.handling import Answerable, Ground
from libs.events.contracts.investigate import FindingRecorded
from libs.policy import pack
from libs.policy.incidents import BatchIncident, Likeness
from services.intake import attach, convert, incident, merge
from services.intake import join as join_incident
from services.intake import state as intake
from services.investigation import adopt, finding, join
from services.investigation import state as investigation
from services.notifier import overdue, reply, resend, tell
from services.notifier.term import Debtor
from services.resolution import reward

Situation = tuple[Any, Any]  # a command, and the state it is decided on
Seen = Mapping[str, list[Situation]]
SOMEBODY, REASON = "after-sales-officer", "the customer called"
POLICY: Final = pack.load("standard")
INCIDENT: Final = UUID(int=7)
GROUND: Final = Ground(policy="standard@1", clause="CLS-B1")
LEADER: Final = Answerable(unit="technology", person="technology-head")


def further(seen: Seen) -> dict[str, list[Situation]]:
    """Situations by decider, as many as what was seen suffices for."""
    return {name: list(made(seen)) for name, made in MADE.items()}


def opened(seen: Seen) -> Iterator[tuple[intake.Open, Any]]:
    """Open complaints, and when they were judged."""
    for command, complaint in seen.get("intake.classify", ()):
        if isinstance(complaint, intake.Open):
            yield complaint, command.now


def attached(seen: Seen) -> Iterator[Situation]:
    for complaint, now in opened(seen):
        yield (
            attach.AddAttachment(
                complaint_id=complaint.record.complaint_id,
                attachment_id=INCIDENT,
                filename="photo.png",
                media_type="image/png",
                size_bytes=1000,
                sha256="00" * 32,
                author=SOMEBODY,
                now=now,
            ),
            complaint,
        )


def converted(seen: Seen) -> Iterator[Situation]:
    for complaint, now in opened(seen):
        record = complaint.record
        command = convert.ConvertEnquiry(
            complaint_id=record.complaint_id,
            author=SOMEBODY,
            reason=REASON,
            required_details={},
            first_reply_due_at=record.first_reply_due_at,
            policy="standard@1",
            now=now,
        )
        yield command, intake.Enquired(record)


def merged(seen: Seen) -> Iterator[Situation]:
    first = next(opened(seen), None)
    for complaint, now in opened(seen):
        if first is not None:
            record = complaint.record
            yield (
                merge.MergeComplaint(
                    complaint_id=record.complaint_id,
                    into=intake.opened(first[0].record),
                    author=SOMEBODY,
                    reason=REASON,
                    now=now,
                ),
                complaint,
            )


def raised(seen: Seen) -> Iterator[Situation]:
    for complaint, now in opened(seen):
        command = incident.RaiseIncident(
            incident_id=INCIDENT,
            likeness=Likeness(matched_on="part_number", reference="LATCH-20"),
            complaint_ids=(complaint.record.complaint_id,),
            batch=BatchIncident(threshold=3, window_days=30, leader=LEADER, ground=GROUND),
            now=now,
        )
        yield command, incident.INITIAL


def joined(seen: Seen) -> Iterator[Situation]:
    for (command, initial), (complaint, now) in zip(raised(seen), opened(seen), strict=True):
        (event,) = incident.decide(command, initial)
        yield (
            join_incident.JoinIncident(complaint_id=complaint.record.complaint_id, incident=event, now=now),
            complaint,
        )


def investigated_together(seen: Seen) -> Iterator[Situation]:
    for command, found in seen.get("investigation.finding", ()):
        for opening, _ in seen.get("investigation.investigate", ())[:1]:
            same = {each.name: getattr(opening, each.name) for each in fields(join.JoinIncident)}
            joining = join.JoinIncident(**{**same, "incident_id": INCIDENT, "now": command.now})
            yield replace(joining, as_of=joining.as_of + 1_000_000), found


def adopted(seen: Seen) -> Iterator[Situation]:
    for command, found in seen.get("investigation.finding", ()):
        if isinstance(found, investigation.Investigating):
            happened: list[Any] = []
            with suppress(errors.Refused):
                happened += finding.decide(command, found)
            for event in happened:
                if isinstance(event, FindingRecorded):
                    told = replace(event, investigation_id=INCIDENT)
                    adopting = adopt.AdoptFinding(
                        finding=told, data_subject=event.data_subject, repair_before=None, now=command.now
                    )
                    yield adopting, investigation.Joined(found.file, INCIDENT)


def resent(seen: Seen) -> Iterator[Situation]:
    for command, notice in seen.get("notifier.deliver", ()):
        again = resend.ResendNotice(
            to="a@example.org",
            channels=("outbox",),
            author=SOMEBODY,
            under=frozenset(),
            about=None,
            now=command.now,
        )
        yield again, notice


def late(seen: Seen) -> Iterator[Situation]:
    debtor = Debtor(complaint_id=INCIDENT, answerable=LEADER, level=0, about=None)
    for command, notice in seen.get("notifier.deliver", ()):
        yield overdue.PassArrival(debtor=debtor, policy=POLICY, now=command.now), notice


def told(seen: Seen) -> Iterator[Situation]:
    for command, promise in seen.get("notifier.reply", ()):
        if isinstance(command, reply.FollowComplaint):
            telling = tell.TellCustomer(
                debtor=command.debtor,
                data_subject=f"complaint:{command.debtor.complaint_id}",
                term=command.term,
                as_of=command.as_of,
                text="It was received and is looked into.",
                author=SOMEBODY,
                under=frozenset(),
                policy=command.policy,
                now=command.now,
            )
            yield telling, promise


def rewarded(seen: Seen) -> Iterator[Situation]:
    for command, case in seen.get("resolution.penalize", ()):
        granted = reward.GrantReward(
            complaint_id=command.complaint_id,
            data_subject=command.data_subject,
            person=LEADER.person,
            unit=LEADER.unit,
            amount=None,
            reason=REASON,
            author=SOMEBODY,
            under=frozenset(),
            about=None,
            ground=POLICY.ground(),
            now=command.now,
        )
        yield granted, case


MADE: Final[Mapping[str, Callable[[Seen], Iterator[Situation]]]] = {
    "intake.attach": attached,
    "intake.convert": converted,
    "intake.merge": merged,
    "intake.incident": raised,
    "intake.join": joined,
    "investigation.join": investigated_together,
    "investigation.adopt": adopted,
    "notifier.resend": resent,
    "notifier.overdue": late,
    "notifier.tell": told,
    "resolution.reward": rewarded,
}
