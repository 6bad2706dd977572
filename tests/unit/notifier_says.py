"""What other services say of a complaint, in the short form that tests of notices need."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from libs.events.contracts import assign, investigate, propose
from libs.events.contracts.assign import EscalationCause
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Answerable, Step
from tests.complaint_history import DAY, GROUND, HEAD, NOW, OFFICER
from tests.unit.notifier_office import happened

THIS, OTHER, INCIDENT, MEASURE = (UUID(int=n) for n in range(2, 6))


def proposed(proposal: int = 1, **changes: Any) -> propose.SolutionProposed:
    remedy = propose.Remedy(kind=propose.RemedyKind.REPAIR, text="换电容", money=None)
    return happened(
        propose.SolutionProposed,
        complaint_id=THIS,
        data_subject=f"customer:C-{THIS}",
        proposal=proposal,
        remedies=(remedy,),
        **{"approvals": (), "proposed_at": NOW, **changes},
    )


def approved(complete: bool = True) -> propose.SolutionApproved:
    return happened(
        propose.SolutionApproved, complaint_id=THIS, proposal=1, complete=complete, approved_at=NOW
    )


def found(**changes: Any) -> investigate.FindingRecorded:
    party = investigate.ResponsibleParty(unit="production", person="production-officer", share=Decimal(1))
    fields: dict[str, Any] = {
        "complaint_id": THIS,
        "data_subject": f"customer:C-{THIS}",
        "cause": investigate.Cause(code="driver", text="电容过热"),
        "responsible": (party,),
        "company_is_cause": True,
        "adopted_from": None,
    }
    return happened(investigate.FindingRecorded, **fields | changes)


def warned(step: Step, owed_by: Answerable | None = OFFICER) -> DeadlineWarned:
    return DeadlineWarned(
        complaint_id=THIS, step=step, due_at=NOW + DAY, warned_at=NOW, owed_by=owed_by, ground=GROUND
    )


def missed(step: Step, owed_by: Answerable | None = OFFICER) -> DeadlineMissed:
    return DeadlineMissed(
        complaint_id=THIS,
        step=step,
        due_at=NOW + DAY,
        missed_at=NOW + DAY,
        noticed_at=NOW + DAY,
        owed_by=owed_by,
        escalated_to=HEAD,
        ground=GROUND,
    )


def advanced(stage: propose.Stage) -> propose.ExecutionAdvanced:
    return happened(
        propose.ExecutionAdvanced, complaint_id=THIS, data_subject=f"customer:C-{THIS}", stage=stage
    )


def closed(outcome: propose.Outcome = propose.Outcome.RESOLVED) -> propose.ComplaintClosed:
    return propose.ComplaintClosed(complaint_id=THIS, outcome=outcome, closed_at=NOW)


def opened(**changes: Any) -> investigate.InvestigationOpened:
    return happened(investigate.InvestigationOpened, complaint_id=THIS, answerable=OFFICER, **changes)


def overdue_escalation(to: Answerable = HEAD) -> assign.ComplaintEscalated:
    return happened(
        assign.ComplaintEscalated, complaint_id=THIS, to=to, cause=EscalationCause.OVERDUE, level=1
    )
