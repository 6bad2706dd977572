"""What must hold of any history, however it came about; read from the log itself, not from the services."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from deploy.people.staff import Staff
from deploy.simulation import outcomes
from deploy.simulation.resources import LOG
from deploy.simulation.world import World
from libs.events import ledger
from libs.events.contracts import classify, improve, intake, investigate, notify, penalize, propose
from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.envelope import Recorded
from libs.events.store import PAGE_EVENTS

History = Sequence[Recorded[Any]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """What holds; `broken` says where it does not."""

    says: str
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A simulation's whole story: every event in order, and by complaint."""

    world: World
    staff: Staff
    sent: int
    history: History
    complaints: dict[UUID, list[Recorded[Any]]]


async def check(world: World, staff: Staff, sent: int) -> list[Invariant]:
    """Every invariant, with the first thing that breaks it; `sent`: how many contacts came in."""
    history: list[Recorded[Any]] = []
    while page := await world.store.read(LOG, len(history), PAGE_EVENTS):
        history += page
    complaints: defaultdict[UUID, list[Recorded[Any]]] = defaultdict(list)
    for recorded in history:
        if recorded.envelope.complaint_id is not None:
            complaints[recorded.envelope.complaint_id].append(recorded)
    told = Told(world, staff, sent, history, dict(complaints))
    return [
        Invariant("no contact was lost, none doubled", next(_contacts(told), None)),
        Invariant("no event was parked or left lying", next(_carried(told), None)),
        Invariant("events of a complaint reached everybody in their order", next(_ordered(told), None)),
        Invariant("nothing was done twice", next(_once(told), None)),
        Invariant("every closed complaint has the outcomes of its steps", next(_closed(told), None)),
        Invariant("no open complaint is owed nothing", await _owed(told)),
        Invariant("every deadline was missed once, at its time", await _missed(told)),
        Invariant("the hash chain is sound", await _chain(told)),
    ]


def _contacts(told: Told) -> Iterator[str]:
    sources = Counter(
        each.event.source.reference
        for each in told.history
        if isinstance(each.event, intake.ComplaintRecorded) and each.event.source
    )
    if len(sources) != told.sent:
        yield f"{told.sent} contacts came in, {len(sources)} are on record"
    yield from (f"contact {reference} is on record {n} times" for reference, n in sources.items() if n > 1)


def _carried(told: Told) -> Iterator[str]:
    for parked in told.world.bus.parked:
        yield f"{parked.consumer} could not handle {_name(parked.envelope.type)}: {parked.reason}"


def _ordered(told: Told) -> Iterator[str]:
    for complaint_id, seqs in told.world.heard.items():
        if (first := list(dict.fromkeys(seqs))) != sorted(first):
            yield f"complaint {complaint_id} was heard of in the order {first}"
        if len(first) != len(told.complaints.get(complaint_id, ())):
            yield f"of complaint {complaint_id} {len(first)} events were heard"


# Of one complaint and round (or number, or person) there is at most one of these.
SINGLE: Final[dict[type, tuple[str, ...]]] = {
    intake.ComplaintRecorded: (),
    intake.ComplaintWithdrawn: (),
    classify.ComplaintJoinedIncident: ("incident_id",),
    ComplaintAssigned: ("round",),
    investigate.InvestigationOpened: ("round",),
    investigate.FindingRecorded: ("investigation_id", "round"),
    propose.CaseOpened: (),
    propose.SolutionProposed: ("proposal",),
    propose.SolutionApproved: ("proposal", "office"),
    propose.CustomerAnswered: ("proposal",),
    propose.ExecutionAdvanced: ("proposal", "stage"),
    penalize.ResponsibilityRaised: ("person", "charge", "rests_on"),
    penalize.SanctionImposed: ("person", "charge", "rests_on"),
    penalize.AppealDecided: ("sanction",),
    improve.ComplaintJoinedImprovement: ("improvement_id",),
    notify.NoticeWritten: ("notice_id",),
    notify.NoticeDelivered: ("notice_id",),
    DeadlineWarned: ("step", "due_at", "about"),
    DeadlineMissed: ("step", "due_at", "about"),
}


def _once(told: Told) -> Iterator[str]:
    for complaint_id, events in told.complaints.items():
        seen: Counter[tuple[Any, ...]] = Counter()
        for recorded in events:
            names = SINGLE.get(type(recorded.event))
            if names is not None:
                said = tuple(getattr(recorded.event, name) for name in names)
                seen[recorded.envelope.stream.partition("-")[0], type(recorded.event), *said] += 1
        yield from (
            f"complaint {complaint_id}: {each[1].__name__} {each[2:]} {n} times"
            for each, n in seen.items()
            if n > 1
        )
    ends = (propose.ComplaintClosed, propose.ComplaintReopened)
    for complaint_id, events in told.complaints.items():
        turns = [type(each.event) for each in events if isinstance(each.event, ends)]
        if turns != [ends[number % 2] for number in range(len(turns))]:
            yield f"complaint {complaint_id} was closed and reopened out of turn"


def _closed(told: Told) -> Iterator[str]:
    effective = {
        each.event.improvement_id
        for each in told.history
        if isinstance(each.event, improve.ImprovementVerified) and each.event.effective
    }
    for complaint_id, events in told.complaints.items():
        for end, past in outcomes.ends(each.event for each in events):
            for lacks in past.lacks(end.outcome, effective):
                yield f"complaint {complaint_id} closed {end.outcome} without {lacks}"


async def _owed(told: Told) -> str | None:
    if not told.staff.callers.has("resolution"):
        return None
    for case in told.staff.cases.values():
        owed = await told.staff.look(case)
        if not case.outcome["closed"] and case.outcome["path"] and not owed:
            return f"complaint {case.number} is open, and nobody owes anything"
        if any(not each.person for each in owed):
            return f"complaint {case.number} is owed something by nobody"
    return None


async def _missed(told: Told) -> str | None:
    """Simulated time stands still until all that is due was said, so it is said on the minute."""
    for recorded in told.history:
        event, at = recorded.event, recorded.envelope.at
        if (
            isinstance(event, DeadlineMissed)
            and not event.due_at == event.missed_at == event.noticed_at == at
            and not _was_late_when_set(told, event, at)
        ):
            return f"due {event.due_at}, noticed {at}: {event}"
        if isinstance(event, DeadlineWarned) and event.warned_at != at and not _short(event, at):
            return f"the warning was due {event.warned_at}, and came {at}: {event}"
    for part in told.world.parts.values():
        for each in part.ticking:
            if left := await each.deadlines.due(LOG, told.world.now):
                return f"{each.clock.name} did not pass {left[0]}"
    return None


def _was_late_when_set(told: Told, event: DeadlineMissed, at: datetime) -> bool:
    """Whoever joins an incident whose time is up is late at that moment, by the time the incident had."""
    mine = told.complaints.get(event.complaint_id, ())
    return event.due_at == event.missed_at < event.noticed_at == at and any(
        each.envelope.at == at and getattr(each.event, "due_at", None) == event.due_at
        for each in mine
        if not isinstance(each.event, DeadlineMissed)
    )


async def _chain(told: Told) -> str | None:
    verdict = await ledger.verify(told.world.log, LOG)
    return None if verdict.sound else str(verdict)


def _short(event: DeadlineWarned, at: datetime) -> bool:
    """Who got it with little time left is warned at once."""
    return event.warned_at < at


def _name(event_type: str) -> str:
    return event_type.split(".")[2]
