"""What an event of a complaint's history decided: a line of the handling form (REC-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from libs.events.contracts import assign, classify, intake, investigate, notify, penalize, propose
from libs.events.contracts import improve as improvements
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Answerable, Ground, Judgement, Severity, Step
from libs.events.contracts.values import Complainant, Money, Product
from libs.events.envelope import Recorded
from libs.policy import terms
from libs.policy.pack import APART
from libs.policy.terms import Speaker, Spoken
from services.resolution import history
from services.resolution.wording import LABELS, TITLES

Fact = tuple[str, str]  # which label, and what is said
# Where an event says who decided.
DECIDED_BY: Final = (
    "author",
    "proposer",
    "approver",
    "settled_by",
    "imposed_by",
    "waived_by",
    "decided_by",
    "granted_by",
    "verified_by",
)
# As whom services act by themselves.
SYSTEM: Final = frozenset({"intake", "investigation", "resolution", "notifier"})


@dataclass(frozen=True, slots=True)
class Line:
    """What happened, what was decided (label and words), by whom, when."""

    what: str
    facts: tuple[Fact, ...]
    by: str
    at: str


def of(recorded: Recorded[Any], say: Speaker) -> Line | None:
    """The line of an event; None for one that decided nothing."""
    event, step = recorded.event, history.step_of(recorded.event)
    if step is None or type(event) not in TITLES or not _concerns_the_customer(event):
        return None
    found = _missed(event, say) if isinstance(event, DeadlineMissed) else _FACTS[step](event, say)
    ground = getattr(event, "ground", None)
    facts = (*found, ("ground", _ground(ground, say) if ground else ""))
    return Line(
        what=say.one(TITLES, type(event)),
        facts=tuple((say.one(LABELS, label), text) for label, text in facts if text),
        by=_by(recorded, say),
        at=say.time(recorded.envelope.at),
    )


def product(product: Product | None, say: Speaker) -> str:
    """The goods, with what is known of their delivery."""
    if product is None:
        return ""
    said: dict[Spoken, object] = {}
    for detail, name in terms.DETAILS.items():
        known = getattr(product, detail)
        said[name] = say.text(known) if isinstance(known, str) else known
    said |= {LABELS["batch"]: product.batch, LABELS["serial_number"]: product.serial_number}
    return terms.rows(
        *(say.labelled(say.said(name), known) for name, known in said.items() if known is not None)
    )


def reached(complainant: Complainant, say: Speaker) -> str:
    """Every way to reach them, a line each."""
    ways = (complainant.phone, complainant.email, complainant.address)
    return terms.rows(*(say.text(each) for each in ways))


def _concerns_the_customer(event: object) -> bool:
    """What colleagues are told is no part of step 6."""
    return getattr(event, "recipient", notify.Recipient.CUSTOMER) is notify.Recipient.CUSTOMER


def _by(recorded: Recorded[Any], say: Speaker) -> str:
    """The person who decided; the system, where none did."""
    ground: Ground | None = getattr(recorded.event, "ground", None)
    named = (getattr(recorded.event, name, None) for name in DECIDED_BY)
    by = next(filter(None, named), ground.person if ground else None) or recorded.envelope.actor
    return say.one(LABELS, "system") if by in SYSTEM else say.name(by)


def _ground(ground: Ground, say: Speaker) -> str:
    """The clauses, by name where the policy is the one in force, and the version they stand in."""
    known = say.pack.clauses if ground.policy == say.pack.reference else {}
    clauses = (ground.clause or "").split(APART)
    named = [
        f"{each} {known[each].title.in_language(say.language)}" if each in known else each for each in clauses
    ]
    return terms.rows(ground.policy, *named)


def _recorded(event: Any, say: Speaker) -> Iterator[Fact]:
    match event:
        case intake.ComplaintRecorded() | intake.ComplaintAmended():
            yield "occurred", _time(event.occurred_at, say)
            if event.complainant:
                yield "complainant", say.complainant(event.complainant)
                yield "reached", reached(event.complainant, say)
            yield "respondent", say.respondent(event.respondent) if event.respondent else ""
            yield "product", product(event.product, say)
            yield "narrative", say.text(event.narrative)
            yield "text", say.text(getattr(event, "supplement", None))
            yield "demand", say.demand(event.demand) if event.demand else ""
        case intake.AttachmentAdded():
            yield "file", terms.rows(say.text(event.filename), f"SHA-256 {event.sha256}")
        case intake.ComplaintMerged(merged_into=other) | intake.ComplaintSeparated(separated_from=other):
            yield "other", str(other)
    yield "reason", say.text(getattr(event, "reason", None))


def _classified(event: Any, say: Speaker) -> Iterator[Fact]:
    match event:
        case classify.ComplaintClassified():
            yield "kind", say.one(terms.KINDS, event.kind)
            yield "nature", say.one(terms.NATURES, event.nature)
            yield "severity", say.one(terms.SEVERITIES, event.severity)
            yield "founded", _judged(event.founded, say)
            yield "demand_reasonable", _judged(event.demand_reasonable, say)
        case classify.ClassificationContested():
            yield "new_facts", say.text(event.new_facts)
        case classify.ComplaintJoinedIncident():
            yield "incident", str(event.incident_id)
            yield "severity", say.one(terms.SEVERITIES, Severity.MAJOR)
            yield "answerable", _who(event.leader, say)


def _assigned(event: Any, say: Speaker) -> Iterator[Fact]:
    match event:
        case assign.ComplaintAssigned():
            yield "answerable", _who(event.answerable, say)
            yield "passed_over", terms.rows(*map(say.passed_over, event.passed_over))
            yield "reason", say.text(event.reason)
            due = (f"{say.one(terms.STEPS, each.step)} {say.time(each.due_at)}" for each in event.due)
            yield "due", terms.rows(*due)
        case assign.ComplaintEscalated():
            yield "escalated_to", _who(event.to, say)
            yield "level", str(event.level)
            yield "cause", say.one(terms.CAUSES, event.cause)
            yield "tried", say.text(event.tried)


def _investigated(event: Any, say: Speaker) -> Iterator[Fact]:
    match event:
        case investigate.FindingRecorded():
            yield from _found(event, say)
        case investigate.InvestigationReclassified():
            yield "kind", say.one(terms.KINDS, event.kind)
            yield "severity", say.one(terms.SEVERITIES, event.severity)
            asked = (f"{say.unit(each.unit)} {each.duty} {say.time(each.due_at)}" for each in event.asked)
            yield "asked", terms.rows(*asked)
            yield "dropped", say.listed(map(say.unit, event.dropped))
        case investigate.ContributionOverdue():
            yield "owed_by", _who(event.owed_by, say)
            yield "duty", event.duty
        case investigate.FieldVisitAgreed():
            yield "person", say.name(event.person)
            yield "agreed_for", say.time(event.agreed_for)
        case investigate.FieldVisitMade():
            yield "arrived", say.time(event.arrived_at)
            yield "on_time", say.one(terms.YES_OR_NO, event.on_time)
            yield "force_majeure", say.text(event.force_majeure)
            yield "text", say.text(event.found)
            yield "solved", say.one(terms.YES_OR_NO, event.solved_on_the_spot)
            yield "taken_back", say.one(terms.YES_OR_NO, event.taken_back)
            yield "promised_for", str(event.promised_for or "")
            yield "signed", say.one(terms.YES_OR_NO, event.signed_by_customer)
        case investigate.SupplierNotified():
            yield "supplier", event.supplier
            yield "text", say.text(event.problem)
            yield "model", f"{event.model} × {event.quantity}"
            yield "place", say.text(event.place)
            yield "reached", terms.rows(say.text(event.contact), say.text(event.phone))
            yield "cost", say.money(event.cost)
        case investigate.SupplierOverdue():
            yield "supplier", event.supplier
        case investigate.RepeatRepairFlagged():
            yield "cause_code", event.cause_code
            yield "other", str(event.earlier_complaint_id)
        case investigate.EvidenceAdded() | investigate.DesignDefectReported():
            yield "text", say.text(event.text)
        case investigate.ContributionGiven():
            yield "answerable", say.unit(event.unit)
            yield "text", say.text(event.text)
    yield "due", _time(getattr(event, "due_at", None), say)


def _found(event: investigate.FindingRecorded, say: Speaker) -> Iterator[Fact]:
    yield "cause", terms.rows(event.cause.code, say.text(event.cause.text))
    yield "company_is_cause", say.one(terms.YES_OR_NO, event.company_is_cause)
    parties = (
        f"{say.unit(each.unit)} {say.name(each.person)} {_percent(each.share)}" for each in event.responsible
    )
    yield "responsible", terms.rows(*parties)
    yield "appraisal", say.text(event.appraisal)
    yield "appraisal_basis", say.text(event.appraisal_basis)
    yield "possible_causes", say.listed(event.possible_causes)
    yield "loss", terms.rows(say.money(event.loss.money), event.loss.basis) if event.loss else ""
    yield "repeat_repair", say.one(terms.YES_OR_NO, True) if event.repeat_repair else ""
    yield "incident", str(event.adopted_from or "")


def _proposed(event: Any, say: Speaker) -> Iterator[Fact]:
    yield "proposal", str(getattr(event, "proposal", ""))
    match event:
        case propose.SolutionProposed():
            yield "remedies", terms.rows(*(_remedy(each, say) for each in event.remedies))
            yield "cost_bearer", say.one(terms.BEARERS, event.cost_bearer)
            yield "warranty", _warranty(event.warranty, say)
            yield "quote", say.money(event.quote)
            needed = (
                say.labelled(_office(each.office, say), say.name(each.person)) for each in event.approvals
            )
            yield "approvals", terms.rows(*needed)
        case propose.SolutionApproved() | propose.SolutionRejected():
            yield "office", _office(event.office, say)
        case propose.CustomerAnswered():
            yield "answer", say.one(terms.ANSWERS, event.answer)
            yield "text", say.text(event.text)
        case propose.ExecutionAdvanced():
            yield "stage", say.one(terms.STAGES, event.stage)
            yield "text", say.text(event.note)
        case propose.ComplaintClosed():
            yield "outcome", say.one(terms.OUTCOMES, event.outcome)
    yield "reason", say.text(getattr(event, "reason", None))


def _told(event: Any, say: Speaker) -> Iterator[Fact]:
    kind = getattr(event, "kind", None)
    yield "notice", say.one(terms.NOTICES, kind) if kind else ""
    match event:
        case notify.NoticeWritten():
            yield "text", terms.rows(say.text(event.subject), say.text(event.text))
        case notify.NoticeDelivered():
            yield "channel", event.channel
        case notify.NoticeHandedOver():
            yield "text", say.text(event.how)
        case notify.NoticeTaskRaised():
            yield "owed_by", _who(event.owed_by, say)
        case notify.CustomerTold():
            yield "text", say.text(event.text)


def _penalized(event: Any, say: Speaker) -> Iterator[Fact]:
    yield "sanction", str(getattr(event, "sanction", ""))
    if getattr(event, "person", None):
        yield "person", f"{say.unit(event.unit)} {say.name(event.person)}"
    if hasattr(event, "charge"):
        yield "charge", say.one(terms.CHARGES, event.charge)
    match event:
        case penalize.ResponsibilityRaised():
            yield "bears", say.one(terms.BEARS, event.bears)
            yield "owed_by", _who(event.owed_by, say)
            yield "due", say.time(event.due.due_at)
        case penalize.SanctionImposed():
            yield "share", _percent(event.share) if event.share is not None else ""
            yield from _sanction(event.way, event.amount, event.installments, event.beyond, say)
        case penalize.AppealDecided():
            yield "outcome", say.one(terms.APPEALS, event.outcome)
            yield from _sanction(event.way, event.amount, event.installments, event.beyond, say)
        case penalize.CaseStated():
            yield "text", say.text(event.text)
        case penalize.SanctionAppealed():
            yield "text", say.text(event.text)
            yield "judge", _who(event.judge, say)
        case penalize.AppealOverdue():
            yield "owed_by", _who(event.owed_by, say)
        case penalize.RewardGranted():
            yield "amount", say.money(event.amount)
    yield "reason", say.text(getattr(event, "reason", None))


def _sanction(
    way: penalize.SanctionWay | None,
    amount: Money | None,
    installments: Iterable[penalize.Installment],
    beyond: Money | None,
    say: Speaker,
) -> Iterator[Fact]:
    yield "way", say.one(terms.WAYS, way) if way else ""
    yield "amount", say.money(amount)
    yield (
        "installments",
        terms.rows(*(f"{each.month:%Y-%m} {say.money(each.money)}" for each in installments)),
    )
    yield "beyond", say.money(beyond)


def _improved(event: Any, say: Speaker) -> Iterator[Fact]:
    match event:
        case improvements.ImprovementPlanned():
            yield "cause_code", event.cause_code
            yield "lesson", event.lesson
            yield "measure", event.measure
            yield "owner", _who(event.owner, say)
        case improvements.ImprovementProgressed():
            yield "text", event.text
        case improvements.ImprovementCompleted():
            yield "observed_until", say.time(event.observed_until)
            yield "verifier", _who(event.verifier, say)
        case improvements.ImprovementVerified():
            yield "effective", say.one(terms.YES_OR_NO, event.effective)
            yield "text", event.text
        case improvements.ImprovementReopened():
            yield "cause_code", event.cause_code
        case improvements.ImprovementNotNeeded():
            yield "reason", event.reason
    yield "due", _time(getattr(event, "due_at", None), say)


def _missed(event: DeadlineMissed, say: Speaker) -> Iterator[Fact]:
    yield "due", say.time(event.due_at)
    yield "owed_by", _who(event.owed_by, say) if event.owed_by else ""
    yield "escalated_to", _who(event.escalated_to, say)


_FACTS: Final[Mapping[Step, Callable[[Any, Speaker], Iterator[Fact]]]] = {
    Step.RECORD: _recorded,
    Step.CLASSIFY: _classified,
    Step.ASSIGN: _assigned,
    Step.INVESTIGATE: _investigated,
    Step.PROPOSE: _proposed,
    Step.NOTIFY: _told,
    Step.PENALIZE: _penalized,
    Step.IMPROVE: _improved,
}


def _who(answerable: Answerable, say: Speaker) -> str:
    return f"{say.unit(answerable.unit)} {say.person(answerable)}"


def _judged(judgement: Judgement | None, say: Speaker) -> str:
    if judgement is None:
        return ""
    return terms.rows(say.one(terms.YES_OR_NO, judgement.value), say.text(judgement.reason))


def _remedy(remedy: propose.Remedy, say: Speaker) -> str:
    said = (say.one(terms.REMEDIES, remedy.kind), say.text(remedy.text), say.money(remedy.money))
    return " · ".join(each for each in said if each)


def _warranty(warranty: propose.WarrantyDecision | None, say: Speaker) -> str:
    if warranty is None:
        return ""
    return terms.rows(say.one(terms.YES_OR_NO, warranty.in_warranty), warranty.clause, warranty.reason)


def _office(office: str, say: Speaker) -> str:
    known = say.pack.offices.get(office)
    return known.title.in_language(say.language) if known else office


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}%"


def _time(moment: datetime | None, say: Speaker) -> str:
    return say.time(moment) if moment else ""
