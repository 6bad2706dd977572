"""What an investigation concludes, and what a conclusion must bring with it (INV-1, INV-4, INV-7)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from libs.events import errors
from libs.events.contracts import investigate as events
from services.investigation import state
from services.investigation.state import File


class EvidenceNeeded(errors.Refused):
    """A finding rests on evidence: add some first."""

    code = "evidence_needed"


class UnknownEvidence(errors.Refused):
    """A finding can only rest on evidence of this investigation: add it first."""

    code = "unknown_evidence"


class AppraisalNeeded(errors.Refused):
    """That the company is not the cause needs the appraisal, its basis and the possible causes."""

    code = "appraisal_needed"


class NobodyResponsible(errors.Refused):
    """Where the company is the cause, name the responsible units and persons."""

    code = "nobody_responsible"


class ResponsibleWithoutCause(errors.Refused):
    """Where the company is not the cause, none of its people is responsible: leave them out."""

    code = "responsible_without_cause"


class SharesNotWhole(errors.Refused):
    """The shares of the responsible must add up to exactly 1, and name nobody twice."""

    code = "shares_not_whole"


class LossNeeded(errors.Refused):
    """Where the company is the cause, estimate the loss (it may be 0) and say how it was reckoned."""

    code = "loss_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """Why it happened, who answers for it and for how much, on which evidence (none named: all there is).

    `strangers` are those of the responsible whom the policy does not know in that unit. `design_defect` says
    in words what is wrong with the design.
    """

    cause: events.Cause
    responsible: tuple[events.ResponsibleParty, ...]
    strangers: tuple[str, ...]
    company_is_cause: bool
    appraisal: str | None
    appraisal_basis: str | None
    possible_causes: tuple[str, ...]
    evidence_ids: tuple[UUID, ...]
    loss: events.Loss | None
    design_defect: str | None


def check(conclusion: Conclusion, file: File, author: str, under: frozenset[str]) -> None:
    """Refused, with what has to be done first, unless it is whole; `under`: whom the author answers to."""
    state.judge_in_own_cause(file, author, under)
    if not file.evidence:
        raise EvidenceNeeded
    if unknown := set(conclusion.evidence_ids) - set(file.evidence):
        raise UnknownEvidence(evidence_ids=sorted(map(str, unknown)))
    if conclusion.company_is_cause:
        _check_responsible(conclusion)
    else:
        _check_appraisal(conclusion)


def _check_responsible(conclusion: Conclusion) -> None:
    if not conclusion.responsible:
        raise NobodyResponsible
    if conclusion.strangers:
        raise state.UnknownPerson(persons=list(conclusion.strangers))
    named = {party.person for party in conclusion.responsible}
    whole = sum(party.share for party in conclusion.responsible) == 1
    if not whole or len(named) < len(conclusion.responsible):
        raise SharesNotWhole
    if conclusion.loss is None:
        raise LossNeeded


def _check_appraisal(conclusion: Conclusion) -> None:
    if conclusion.responsible:
        raise ResponsibleWithoutCause
    if not (conclusion.appraisal and conclusion.appraisal_basis and conclusion.possible_causes):
        raise AppraisalNeeded
