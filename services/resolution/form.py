"""The handling form of a complaint (客户投诉处理表) to print: its eight steps, in either language (REC-7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from libs.events import errors
from libs.events.contracts import intake
from libs.events.contracts.handling import Step
from libs.events.contracts.values import Complainant
from libs.events.envelope import Recorded
from libs.events.history import pages
from libs.events.masking import masked
from libs.policy import terms
from libs.policy.terms import Speaker
from libs.service import body, printed
from services.resolution import decided, history, outcome
from services.resolution.clock import MEASURE
from services.resolution.decided import Fact, Line
from services.resolution.desk import AtDesk, Desk, Reader
from services.resolution.history import Complaint
from services.resolution.outcome import Outcome, StepOutcome
from services.resolution.owed import Owed
from services.resolution.wording import LABELS, WANTS

router: Final = body.Router(tags=["documents"])
TEMPLATE: Final = printed.template(__file__, "form.html")
Past = Sequence[Recorded[Any]]


@dataclass(frozen=True, slots=True)
class StepShown:
    """A step as the form shows it; `standing` says whether it is done, or not called for."""

    title: str
    standing: str
    lines: tuple[Line, ...]
    missing: tuple[Line, ...]


@router.get(
    "/v1/complaints/{complaint_id}/handling-form",
    summary="The handling form of a complaint: its eight steps (REC-7)",
    response_class=StreamingResponse,
    responses=printed.RESPONSES,
)
async def handling_form(
    complaint_id: UUID, caller: Reader, desk: AtDesk, language: printed.Asked
) -> Response:
    """What was decided, by whom, when, and what is missing. Without personal:read no words of people."""
    now = desk.resources.now()
    policy = await desk.resources.policies.in_force(caller.org, now)
    past, measures = await _read(desk, caller.org, complaint_id, personal="personal:read" in caller.scopes)
    complaint = _folded(past, measures)
    say = Speaker(policy, language)
    found = outcome.of(complaint, policy)
    together = {each.envelope.event_id: each for stream in (past, *measures.values()) for each in stream}
    in_order = sorted(together.values(), key=lambda each: each.envelope.seq)
    return await printed.page(
        TEMPLATE,
        say,
        made_at=now,
        word=lambda name: say.one(LABELS, name),
        number=complaint.number,
        head=tuple(
            (say.one(LABELS, label), text) for label, text in _head(complaint, found, past, say) if text
        ),
        steps=tuple(_step(each, in_order, say) for each in found.steps),
    )


async def _read(desk: Desk, log: str, complaint_id: UUID, *, personal: bool) -> tuple[Past, dict[UUID, Past]]:
    """The whole history and that of the measures it names, masked for who may not read it; NotFound."""
    store = desk.resources.store
    found = [
        recorded
        async for page in pages(store, log, complaint_id)
        for recorded in await store.decode(log, page)
    ]
    named = [each.event.improvement_id for each in found if hasattr(each.event, "improvement_id")]
    measures = {each: await store.read_stream(log, MEASURE.name(each)) for each in dict.fromkeys(named)}
    if personal:
        return found, {**measures}
    return _masked(found), {each: _masked(events) for each, events in measures.items()}


def _masked(past: Past) -> Past:
    return [replace(each, event=masked(each.event)) for each in past]


def _folded(past: Past, measures: dict[UUID, Past]) -> Complaint:
    complaint: Complaint | None = None
    for recorded in past:
        complaint = history.follow(complaint, recorded)
    if complaint is None:
        raise errors.NotFound("There is no such complaint.")
    named = {each: measures[each] for each in complaint.case.improvements}
    return history.with_measures(complaint, named)


def _head(complaint: Complaint, found: Outcome, past: Past, say: Speaker) -> Iterator[Fact]:
    """The complaint itself, as it stands after every amendment."""
    amended = [each.event for each in past if isinstance(each.event, intake.ComplaintAmended)]
    complainant = _complainant(past)
    yield "number", complaint.number
    yield "status", _status(found, say)
    yield "amendments", f"{len(amended)} ({say.time(amended[-1].amended_at)})" if amended else ""
    yield "contact", say.one(terms.CONTACTS, complaint.contact)
    yield "channel", say.one(terms.CHANNELS, complaint.channel)
    yield "received", say.time(complaint.received_at)
    yield "recorded", say.time(complaint.recorded_at)
    yield "occurred", say.time(complaint.occurred_at) if complaint.occurred_at else ""
    yield "complainant", say.complainant(complainant)
    yield "reached", decided.reached(complainant, say)
    yield "respondent", say.respondent(complaint.respondent)
    yield "product", decided.product(complaint.product, say)
    yield "narrative", _narrative(past, say)
    yield "demand", say.demand(complaint.demand)
    yield "kind", say.one(terms.KINDS, complaint.kind) if complaint.kind else ""
    yield "severity", say.one(terms.SEVERITIES, complaint.severity) if complaint.kind else ""
    if by := complaint.answerable:
        yield "answerable", f"{say.unit(by.unit)} {say.person(by)}"
    yield "first_reply_due", say.time(complaint.first_reply_due_at)
    yield "round", str(found.round)


def _status(found: Outcome, say: Speaker) -> str:
    if found.closed is None:
        return say.one(LABELS, "open")
    return f"{say.one(terms.OUTCOMES, found.closed.outcome)} {say.time(found.closed.closed_at)}"


def _complainant(past: Past) -> Complainant:
    """As last said."""
    said = (getattr(each.event, "complainant", None) for each in reversed(past))
    found: Complainant = next(each for each in said if each is not None)
    return found


def _narrative(past: Past, say: Speaker) -> str:
    """As last corrected, with every supplement."""
    narrative, supplements = "", []
    for each in past:
        if isinstance(each.event, intake.ComplaintRecorded | intake.ComplaintAmended):
            narrative = narrative if each.event.narrative is None else say.text(each.event.narrative)
            supplements.append(say.text(getattr(each.event, "supplement", None)))
    return terms.rows(narrative, *supplements)


def _step(found: StepOutcome, past: Past, say: Speaker) -> StepShown:
    standing = "incomplete" if found.missing else "complete"
    return StepShown(
        title=say.one(terms.STEPS, found.step),
        standing=say.one(LABELS, standing if found.wanted else "not_wanted"),
        lines=tuple(_lines(found.step, past, say)),
        missing=tuple(_missing(each, say) for each in found.missing),
    )


def _lines(step: Step, past: Past, say: Speaker) -> Iterator[Line]:
    """What was first said is in the head, unless it was amended: then both stay visible (REC-6)."""
    amended = any(isinstance(each.event, intake.ComplaintAmended) for each in past)
    for each in past:
        line = decided.of(each, say) if history.step_of(each.event) is step else None
        if line is not None:
            repeats = isinstance(each.event, intake.ComplaintRecorded) and not amended
            yield replace(line, facts=()) if repeats else line


def _missing(owed: Owed, say: Speaker) -> Line:
    by = f"{say.unit(owed.owed_by.unit)} {say.person(owed.owed_by)}"
    at = say.time(owed.due_at) if owed.due_at else say.one(LABELS, "no_clock")
    return Line(what=say.one(WANTS, owed.what), facts=(), by=by, at=at)
