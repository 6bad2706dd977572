"""Step 4, visit: a time agreed with the customer, then what was found there (INV-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import investigate as events
from services.investigation import state
from services.investigation.state import File, Found, Investigating, Investigation, Joined, NotOpened, Stopped


class VisitNotAgreed(errors.Refused):
    """Agree a time for this visit with the customer first."""

    code = "visit_not_agreed"


class VisitAlreadyReported(errors.Refused):
    """This visit was reported with other findings; agree another visit to correct it."""

    code = "visit_already_reported"


class HandOverIncomplete(errors.Refused):
    """A unit is taken back only against a promised completion date and the customer's signature."""

    code = "hand_over_incomplete"


class SolvedOrTakenBack(errors.Refused):
    """What was solved on the spot needs no taking back: say which of the two it was."""

    code = "solved_or_taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeFieldVisit:
    """When somebody comes, as agreed with the customer; `known` when the policy knows the person.

    `under`: everybody whom that person answers to, `author_under` whom the author does.
    """

    complaint_id: UUID | None
    person: str
    known: bool
    under: frozenset[str]
    agreed_for: datetime
    author: str
    author_under: frozenset[str]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFieldVisit:
    """What visit number `visit` found. `force_majeure` says in words what kept them from being on time."""

    complaint_id: UUID | None
    data_subject: str
    visit: int
    arrived_at: datetime
    force_majeure: str | None
    found: str
    solved_on_the_spot: bool
    taken_back: bool
    promised_for: date | None
    signed_by_customer: bool
    author: str
    under: frozenset[str]  # everybody the author answers to
    now: datetime


def decide(command: AgreeFieldVisit | ReportFieldVisit, investigation: Investigation) -> list[events.Event]:
    """After a finding no visit is agreed any more, but one that was made is reported."""
    match investigation:
        case Investigating(file):
            return _agree(command, file) if isinstance(command, AgreeFieldVisit) else _report(command, file)
        case Found(file):
            if isinstance(command, AgreeFieldVisit):
                raise state.AlreadyFound
            return _report(command, file)
        case NotOpened():
            raise state.NotYetAssigned
        case Joined(incident_id=incident):
            raise state.InvestigatedWithIncident(incident_id=str(incident))
        case Stopped(why=why):
            raise state.NothingToInvestigate(why=why)
        case _:
            assert_never(investigation)


def _agree(command: AgreeFieldVisit, file: File) -> list[events.Event]:
    if not command.known:
        raise state.UnknownPerson(persons=[command.person])
    state.judge_in_own_cause(file, command.person, command.under)
    state.judge_in_own_cause(file, command.author, command.author_under)
    made = file.agreed is not None and len(file.visits) == file.agreed.visit
    before = None if made else file.agreed
    if before and (before.person, before.agreed_for) == (command.person, command.agreed_for):
        return []  # agreed like that already
    return [
        events.FieldVisitAgreed(
            investigation_id=file.investigation_id,
            complaint_id=command.complaint_id,
            visit=len(file.visits) + 1,
            person=command.person,
            agreed_for=command.agreed_for,
            author=command.author,
            agreed_at=command.now,
        )
    ]


def _report(command: ReportFieldVisit, file: File) -> list[events.Event]:
    state.judge_in_own_cause(file, command.author, command.under)
    if file.agreed is None or command.visit > file.agreed.visit:
        raise VisitNotAgreed(visit=command.visit)
    made = _made(command, file, file.agreed)
    if command.visit <= len(file.visits):
        before = file.visits[command.visit - 1]
        if (before.arrived_at, before.found) == (made.arrived_at, made.found):
            return []  # reported before
        raise VisitAlreadyReported(visit=command.visit)
    if command.taken_back and command.solved_on_the_spot:
        raise SolvedOrTakenBack
    if command.taken_back and not (command.promised_for and command.signed_by_customer):
        raise HandOverIncomplete
    return [made]


def _made(command: ReportFieldVisit, file: File, agreed: events.FieldVisitAgreed) -> events.FieldVisitMade:
    return events.FieldVisitMade(
        investigation_id=file.investigation_id,
        complaint_id=command.complaint_id,
        data_subject=command.data_subject,
        visit=command.visit,
        arrived_at=command.arrived_at,
        on_time=command.arrived_at <= agreed.agreed_for or command.force_majeure is not None,
        force_majeure=command.force_majeure,
        found=command.found,
        solved_on_the_spot=command.solved_on_the_spot,
        taken_back=command.taken_back,
        promised_for=command.promised_for,
        signed_by_customer=command.signed_by_customer,
        author=command.author,
        reported_at=command.now,
    )
