"""What investigation knows: the situations of an inquiry, and how each event leads from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import investigate as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Kind, Severity
from libs.events.contracts.term import Breach, DeadlinesRecomputed, MovedDue
from services.investigation.term import Term, given

Event = events.Event | DeadlineWarned | DeadlineMissed | DeadlinesRecomputed
Asked = tuple[datetime, Severity]  # since when something is owed, by the times of which severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A supplier's: what was written to them, and what became of it (INV-5)."""

    notified: events.SupplierNotified
    solved_at: datetime | None = None
    overdue: bool = False

    @property
    def solved(self) -> bool:
        """Whether the supplier owes nothing more."""
        return self.solved_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """All that is known of an inquiry, of whatever round; `complaint_ids` are those an incident covers.

    `asked`: since when which unit owes its contribution.
    """

    investigation_id: UUID
    complaint_id: UUID | None
    incident_id: UUID | None
    round: int
    answerable: Answerable
    level: int
    about: str | None
    kind: Kind
    severity: Severity
    part_number: str | None
    serial_number: str | None
    customer_id: str | None
    term: Term
    acted_on: int
    duties: tuple[events.Duty, ...] = ()
    asked: Mapping[str, Asked] = field(default_factory=dict)
    overdue_units: frozenset[str] = frozenset()
    contributions: tuple[events.ContributionGiven, ...] = ()
    evidence: tuple[UUID, ...] = ()
    agreed: events.FieldVisitAgreed | None = None  # the newest agreement, made or not
    visits: tuple[events.FieldVisitMade, ...] = ()
    notices: tuple[Notice, ...] = ()
    design_defect: bool = False
    complaint_ids: tuple[UUID, ...] = ()

    @property
    def owed(self) -> tuple[events.Duty, ...]:
        """The contributions asked for and not given yet (INV-2)."""
        given = {each.unit for each in self.contributions}
        return tuple(duty for duty in self.duties if duty.unit not in given)


@dataclass(frozen=True, slots=True)
class NotOpened:
    """Nobody was made answerable yet, so nothing is investigated."""


@dataclass(frozen=True, slots=True)
class Investigating:
    """The cause is being looked for."""

    file: File


@dataclass(frozen=True, slots=True)
class Joined:
    """A batch incident is investigated for this complaint, too; its finding will be this one's (CLS-7)."""

    file: File
    incident_id: UUID


@dataclass(frozen=True, slots=True)
class Found:
    """Cause, responsibility, evidence and loss are on record: step 4 is done."""

    file: File
    finding: events.FindingRecorded


@dataclass(frozen=True, slots=True)
class Stopped:
    """The complaint was withdrawn, merged, judged unfounded or closed before a finding."""

    file: File
    why: events.StopCause
    since: datetime


Opened = Investigating | Joined | Found | Stopped
Investigation = NotOpened | Opened
INITIAL: Final = NotOpened()
# What falls due: the finding, one unit's contribution, one supplier's notice; as clocks name it.
FINDING: Final = "investigate"
CONTRIBUTION: Final = "contribution"
SUPPLIER: Final = "supplier"


class NotYetAssigned(errors.Refused):
    """The complaint must be assigned first (step 3); its investigation then opens by itself."""

    code = "not_yet_assigned"


class InvestigatedWithIncident(errors.Refused):
    """This complaint belongs to a batch incident, which is investigated once for all: work on that one."""

    code = "investigated_with_incident"


class AlreadyFound(errors.Refused):
    """A finding is on record; the complaint must be contested or reopened before it is investigated again."""

    code = "already_found"


class NothingToInvestigate(errors.Refused):
    """The complaint is withdrawn, merged, unfounded or closed; it must be open again first."""

    code = "nothing_to_investigate"


class UnknownPerson(errors.Refused):
    """The policy knows no such person in that unit: name people and units as the policy does."""

    code = "unknown_person"


class JudgeInOwnCause(errors.Refused):
    """The complaint is about this person, or somebody they answer to: another one must look into it."""

    code = "judge_in_own_cause"


def evolve(investigation: Investigation, event: Event) -> Investigation:
    """The situation after `event`."""
    if isinstance(event, events.InvestigationOpened):
        return Investigating(_begun(event, investigation))
    if isinstance(event, events.InvestigationJoined):
        return Joined(_begun(event, investigation), event.incident_id)
    if isinstance(investigation, NotOpened):
        raise errors.ContractError("An investigation's first event must open it.")
    match event:
        case events.InvestigationStopped():
            file = replace(investigation.file, acted_on=event.acted_on)
            return Stopped(file, event.why, event.stopped_at)
        case events.InvestigationResumed():
            return Investigating(_resumed(event, investigation.file))
        case events.FindingRecorded():
            return Found(investigation.file, event)
        case _:
            return replace(investigation, file=_noted(event, investigation.file))


def judge_in_own_cause(file: File, person: str, under: frozenset[str]) -> None:
    """Refused to the person complained of, and to whoever answers to them (ASG-4)."""
    if file.about is not None and file.about in {person, *under}:
        raise JudgeInOwnCause


def repeat_repair(
    file: File, cause_code: str, repair_before: UUID | None, now: datetime
) -> list[events.RepeatRepairFlagged]:
    """The same fault on the same unit was repaired before: that is put to the penalty step (INV-6)."""
    if repair_before is None or file.serial_number is None or file.complaint_id is None:
        return []
    return [
        events.RepeatRepairFlagged(
            investigation_id=file.investigation_id,
            complaint_id=file.complaint_id,
            serial_number=file.serial_number,
            cause_code=cause_code,
            earlier_complaint_id=repair_before,
            flagged_at=now,
        )
    ]


def _begun(event: events.InvestigationOpened | events.InvestigationJoined, before: Investigation) -> File:
    """The file of a round; what outlasts a round it takes over from the one before."""
    opened = event if isinstance(event, events.InvestigationOpened) else None
    file = File(
        investigation_id=event.investigation_id,
        complaint_id=event.complaint_id,
        incident_id=event.incident_id,
        round=event.round,
        answerable=event.answerable,
        level=opened.level if opened else 0,
        about=event.about,
        kind=event.kind,
        severity=event.severity,
        part_number=event.part_number,
        serial_number=event.serial_number,
        customer_id=event.customer_id,
        term=given(event),
        acted_on=event.acted_on,
        duties=opened.duties if opened else (),
        asked=_asked(opened.duties, opened.opened_at, opened.severity) if opened else {},
    )
    if isinstance(before, NotOpened):
        return file
    return replace(
        file,
        evidence=before.file.evidence,
        agreed=before.file.agreed,
        visits=before.file.visits,
        notices=before.file.notices,
        design_defect=before.file.design_defect,
        complaint_ids=before.file.complaint_ids,
    )


def _asked(duties: tuple[events.Duty, ...], at: datetime, severity: Severity) -> dict[str, Asked]:
    return dict.fromkeys((duty.unit for duty in duties), (at, severity))


def _resumed(event: events.InvestigationResumed, file: File) -> File:
    return replace(
        file,
        answerable=event.answerable,
        level=event.level,
        duties=event.duties,
        asked=_asked(event.duties, event.resumed_at, file.severity),
        overdue_units=frozenset(),
        term=given(event),
        acted_on=event.acted_on,
    )


def _reclassified(event: events.InvestigationReclassified, file: File) -> File:
    kept = tuple(duty for duty in file.duties if duty.unit not in event.dropped)
    return replace(
        file,
        kind=event.kind,
        severity=event.severity,
        duties=(*kept, *event.asked),
        asked={**file.asked, **_asked(event.asked, event.reclassified_at, event.severity)},
        overdue_units=file.overdue_units.difference(event.dropped),
        acted_on=event.acted_on,
    )


Noted = (
    events.InvestigationHandedOver
    | events.InvestigationReclassified
    | events.InvestigationExtended
    | events.EvidenceAdded
    | events.ContributionGiven
    | events.ContributionOverdue
    | events.FieldVisitAgreed
    | events.FieldVisitMade
    | events.SupplierNotified
    | events.SupplierSolved
    | events.SupplierOverdue
    | events.RepeatRepairFlagged
    | events.DesignDefectReported
    | DeadlineWarned
    | DeadlineMissed
    | DeadlinesRecomputed
)


def _noted(event: Noted, file: File) -> File:
    """The file with what leaves the situation as it is."""
    match event:
        case events.InvestigationHandedOver():
            return replace(
                file,
                answerable=event.answerable,
                level=event.level,
                term=file.term.handed(event, file.level),
                acted_on=event.acted_on,
            )
        case events.InvestigationReclassified():
            return _reclassified(event, file)
        case events.InvestigationExtended():
            added = tuple(each for each in event.evidence_ids if each not in file.evidence)
            return replace(
                file,
                complaint_ids=(*file.complaint_ids, event.complaint_id),
                evidence=(*file.evidence, *added),
            )
        case events.EvidenceAdded():
            return replace(file, evidence=(*file.evidence, event.evidence_id))
        case events.ContributionGiven():
            return replace(file, contributions=(*file.contributions, event))
        case events.ContributionOverdue():
            return replace(file, overdue_units=file.overdue_units | {event.unit})
        case events.FieldVisitAgreed():
            return replace(file, agreed=event)
        case events.FieldVisitMade():
            return replace(file, visits=(*file.visits, event))
        case events.SupplierNotified():
            return replace(file, notices=(*file.notices, Notice(notified=event)))
        case events.SupplierSolved():
            return _with_notice(file, event.notice, solved_at=event.solved_at)
        case events.SupplierOverdue():
            return _with_notice(file, event.notice, overdue=True)
        case events.DesignDefectReported():
            return replace(file, design_defect=True)
        case events.RepeatRepairFlagged():
            return file  # the finding that follows says so, too
        case DeadlineWarned():
            return replace(file, term=replace(file.term, warned=True))
        case DeadlineMissed():
            return replace(file, term=replace(file.term, missed=True))
        case DeadlinesRecomputed(moved=moved):
            return _recomputed(file, {each.about: each for each in moved})
        case _:
            assert_never(event)


def _recomputed(file: File, moved: Mapping[str | None, MovedDue]) -> File:
    """What is owed lies elsewhere: what was late and is so no more can be late again."""
    again = {about for about, each in moved.items() if each.breach is not Breach.STANDS}
    duties = {duty.unit: moved.get(f"{CONTRIBUTION}/{duty.unit}") for duty in file.duties}
    notices = {each.notified.notice: moved.get(f"{SUPPLIER}/{each.notified.notice}") for each in file.notices}
    own = moved.get(FINDING)
    return replace(
        file,
        term=file.term.moved(own) if own else file.term,
        duties=tuple(
            replace(duty, due_at=lies.due.due_at) if (lies := duties[duty.unit]) else duty
            for duty in file.duties
        ),
        overdue_units=frozenset(unit for unit in file.overdue_units if f"{CONTRIBUTION}/{unit}" not in again),
        notices=tuple(
            _renoticed(each, lies) if (lies := notices[each.notified.notice]) else each
            for each in file.notices
        ),
    )


def _renoticed(notice: Notice, lies: MovedDue) -> Notice:
    notified = replace(notice.notified, due_at=lies.due.due_at)
    return replace(notice, notified=notified, overdue=notice.overdue and lies.breach is Breach.STANDS)


def _with_notice(
    file: File, number: int, *, solved_at: datetime | None = None, overdue: bool = False
) -> File:
    notices = list(file.notices)
    before = notices[number - 1]
    notices[number - 1] = replace(
        before, solved_at=before.solved_at or solved_at, overdue=before.overdue or overdue
    )
    return replace(file, notices=tuple(notices))
