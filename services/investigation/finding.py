"""Step 4, finding: cause, responsible units and persons, the evidence, the loss (INV-1, 4, 6, 7, 8).

It ends step 4. Who answers for the fault is charged with it by itself (step 7, `charge`); whoever has the
complaint now owes a solution (step 5, `propose`) and a measure against the cause (step 8, `improve`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from libs.events.contracts import investigate as events
from libs.events.contracts.handling import Answerable
from services.investigation import state
from services.investigation.conclusion import Conclusion, check
from services.investigation.state import (
    File,
    Found,
    Investigating,
    Investigation,
    Joined,
    NotOpened,
    Stopped,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFinding:
    """What was concluded; who is `told` of a design defect; which complaint mended the same fault before."""

    data_subject: str
    conclusion: Conclusion
    told: tuple[Answerable, ...]
    repair_before: UUID | None
    author: str
    under: frozenset[str]  # everybody the author answers to
    now: datetime


def decide(command: RecordFinding, investigation: Investigation) -> list[events.Event]:
    """A finding stands: another one is only made in the next round."""
    match investigation:
        case Investigating(file):
            check(command.conclusion, file, command.author, command.under)
            flagged = state.repeat_repair(
                file, command.conclusion.cause.code, command.repair_before, command.now
            )
            return [*_reported(command, file), *flagged, _found(command, file, bool(flagged))]
        case Found(finding=finding):
            said = command.conclusion
            if (finding.cause, finding.responsible) == (said.cause, said.responsible):
                return []  # said before
            raise state.AlreadyFound
        case NotOpened():
            raise state.NotYetAssigned
        case Joined(incident_id=incident):
            raise state.InvestigatedWithIncident(incident_id=str(incident))
        case Stopped(why=why):
            raise state.NothingToInvestigate(why=why)
        case _:
            assert_never(investigation)


def _reported(command: RecordFinding, file: File) -> list[events.DesignDefectReported]:
    """At once, before anything else is decided; nobody is told twice."""
    text = command.conclusion.design_defect
    if text is None or file.design_defect:
        return []
    return [
        events.DesignDefectReported(
            investigation_id=file.investigation_id,
            complaint_id=file.complaint_id,
            data_subject=command.data_subject,
            text=text,
            told=command.told,
            author=command.author,
            reported_at=command.now,
        )
    ]


def _found(command: RecordFinding, file: File, repeat_repair: bool) -> events.FindingRecorded:
    said = command.conclusion
    return events.FindingRecorded(
        investigation_id=file.investigation_id,
        complaint_id=file.complaint_id,
        data_subject=command.data_subject,
        round=file.round,
        cause=said.cause,
        responsible=said.responsible,
        company_is_cause=said.company_is_cause,
        appraisal=said.appraisal,
        appraisal_basis=said.appraisal_basis,
        possible_causes=said.possible_causes,
        evidence_ids=said.evidence_ids or file.evidence,
        loss=said.loss,
        repeat_repair=repeat_repair,
        adopted_from=None,
        author=command.author,
        found_at=command.now,
    )
