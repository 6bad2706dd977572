"""Step 7, charge: a verified fault, or a deadline missed, is put to those who answer (PEN-1, SLA-3).

Upon a finding, a missed deadline, a reopening. For each of them somebody then imposes a sanction
(`penalize`) or says why none (`waive`); the person may state their case and `appeal`, and another one
decides that (`judge`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from libs.events.contracts import improve, penalize
from libs.events.contracts.handling import Answerable, Ground, Severity, Step, StepDue
from libs.events.contracts.penalize import Bears, Charge
from libs.policy import deadlines, people, sanctions
from libs.policy.pack import Pack
from libs.policy.sanctions import Bearer
from services.resolution import state
from services.resolution.state import Case

RULE: Final = "rule"  # who decided, where no person did


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseResponsibilities:
    """Who is directly responsible, resting on the event that verified it; their heads answer, too.

    Where nobody is (nobody was assigned yet), `unit` owed it, and its head answers. `severity` is that of the
    complaint as far as it was judged, `about` the person complained of.
    """

    complaint_id: UUID
    charge: Charge
    persons: tuple[Answerable, ...]
    unit: str
    rests_on: UUID
    acted_at: datetime
    severity: Severity
    about: str | None
    policy: Pack
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearEverybody:
    """A finding that the company is not the cause: nobody is at fault, and no measure is needed (PEN-5)."""

    complaint_id: UUID
    data_subject: str
    rests_on: UUID
    reason: str
    ground: Ground
    now: datetime


Command = RaiseResponsibilities | ClearEverybody
Event = penalize.ResponsibilityRaised | penalize.NoFaultFound | improve.ImprovementNotNeeded


def decide(command: Command, case: Case) -> list[Event]:
    """Whatever became of the complaint: who answers for what is decided even of one that was withdrawn."""
    match command:
        case RaiseResponsibilities():
            return list(_raised(command, case))
        case ClearEverybody():
            return list(_cleared(command, case))
        case _:
            assert_never(command)


def _raised(command: RaiseResponsibilities, case: Case) -> Iterator[penalize.ResponsibilityRaised]:
    known = {state.place(each) for each in case.raised}
    for bearer in _bearers(command):
        person = bearer.answerable.person
        if (person, command.charge, command.rests_on) in known:
            continue
        yield penalize.ResponsibilityRaised(
            complaint_id=command.complaint_id,
            person=person,
            unit=bearer.answerable.unit,
            charge=command.charge,
            bears=Bears(bearer.bears),
            rests_on=command.rests_on,
            acted_at=command.acted_at,
            owed_by=_decider(command, case, person),
            due=_due(command, case),
            raised_at=command.now,
        )


def _bearers(command: RaiseResponsibilities) -> tuple[Bearer, ...]:
    policy = command.policy
    head = people.head_of(policy, command.unit)
    if not command.persons and head is not None:
        return (Bearer(answerable=people.answerable(policy, head), bears="head"),)
    return sanctions.borne_by(policy, command.persons)


def _decider(command: RaiseResponsibilities, case: Case, person: str) -> Answerable:
    """Who owes the decision: who handles the complaint, else leadership; nobody judges their own superior,
    nor in a complaint about one (ASG-4).
    """
    policy, handling = command.policy, case.handling
    candidates = (handling.answerable.person,) if handling else ()
    today, excluded = policy.day_of(command.now), frozenset({command.about} if command.about else ())
    line = (*candidates, *policy.leadership.members)
    return people.choose(policy, line, today, person, excluded).answerable


def _due(command: RaiseResponsibilities, case: Case) -> StepDue:
    """The due time of step 7 where that is still to come; otherwise as long again from now on."""
    fixed = case.handling.due_of(Step.PENALIZE) if case.handling else None
    if fixed is not None and fixed.due_at > command.now:
        return fixed
    found = deadlines.due(command.policy, Step.PENALIZE, command.severity, command.now)
    return StepDue(step=Step.PENALIZE, due_at=found.due_at, warn_at=found.warn_at)


def _cleared(
    command: ClearEverybody, case: Case
) -> Iterator[penalize.NoFaultFound | improve.ImprovementNotNeeded]:
    if any(state.place(each) == (None, Charge.COMPLAINT, command.rests_on) for each in case.settlements):
        return
    yield penalize.NoFaultFound(
        complaint_id=command.complaint_id,
        data_subject=command.data_subject,
        person=None,
        unit=None,
        charge=Charge.COMPLAINT,
        rests_on=command.rests_on,
        reason=command.reason,
        complete=not case.unsettled,
        decided_by=RULE,
        decided_at=command.now,
        ground=command.ground,
    )
    if case.spared is None and not case.improvements:
        yield improve.ImprovementNotNeeded(
            complaint_id=command.complaint_id,
            reason=command.reason,
            author=RULE,
            ground=command.ground,
            decided_at=command.now,
        )
