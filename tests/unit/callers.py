"""Services in memory with callers over HTTP, and every command that somebody gives them, in its situation."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from libs.events.memory import MemoryLog
from libs.events.store import Context, EventStore
from libs.service import wiring
from libs.service.app import Service, create_app
from services.intake import app as intake
from services.intake.desk import Desk as IntakeDesk
from services.intake.neighbours import MemoryNeighbours
from services.intake.numbers import MemoryNumbers
from services.investigation import app as investigation
from services.investigation.desk import Desk as InvestigationDesk
from services.investigation.repairs import MemoryRepairs
from services.notifier import app as notifier
from services.resolution import app as resolution
from services.resolution.desk import Desk as ResolutionDesk
from services.resolution.lookups import MemoryLookups
from tests import complaint_history, service_kit
from tests.unit import intake_situations as contacts
from tests.unit import investigation_situations as inquiries
from tests.unit import notifier_situations as notices
from tests.unit import resolution_situations as cases
from tests.unit.resolution_world import finding

THIS, OTHER, MEASURE, NOTICE = cases.THIS, cases.OTHER, cases.MEASURE, notices.NOTICE
NOW = cases.NOW
INTAKE = (
    complaint_history.recorded(THIS, occurred_at=NOW - 2 * cases.DAY),
    complaint_history.classified(THIS),
    complaint_history.assigned(THIS),
)
FINDING = finding()
SERVICES = {each.SERVICE.name: each.SERVICE for each in (intake, investigation, notifier, resolution)}


@dataclass(frozen=True)
class Called:
    """A command over HTTP: by whom, in which situation it is carried out, and in which it comes too early.

    `file`: what is sent in place of a body.
    """

    service: str
    path: str
    by: str = "quality-officer"
    body: Any = None
    file: bytes | None = None
    given: Sequence[Any] = ()
    too_early: Sequence[Any] | None = None
    code: str = ""
    key: UUID = THIS

    @property
    def stream(self) -> str:
        return f"{self.service}-{self.key}"


class Office:
    """One service on a log in memory, and the pens of the others."""

    def __init__(self, client: httpx.AsyncClient, store: EventStore) -> None:
        self.client = client
        self.store = store

    async def given(self, called: Called, commands: Sequence[Any], found: Any = FINDING) -> int:
        """The situation that these commands lead to; gives the version of the stream."""
        if called.service == "intake":
            for other in contacts.BEFORE:
                happened = contacts.when(other, contacts.given())
                await self._append(f"intake-{other.complaint_id}", happened, other.complaint_id)
        else:
            for event in INTAKE:
                await self._append(f"intake-{THIS}", [event], THIS)
            await self._append(f"intake-{OTHER}", [complaint_history.recorded(OTHER)], OTHER)
        if called.service == "resolution" and commands:
            await self.says(f"investigation-{THIS}", found)
        happened = _happened(called, commands)
        if happened:
            await self._append(called.stream, happened, THIS)
        return len(happened)

    async def post(self, called: Called, **headers: str) -> httpx.Response:
        headers["Authorization"] = f"Bearer {service_kit.token(sub=called.by)}"
        if called.file is None:
            return await self.client.post(f"/v1/{called.path}", json=called.body, headers=headers)
        headers["Content-Type"] = "text/plain"
        return await self.client.post(f"/v1/{called.path}", content=called.file, headers=headers)

    async def says(self, stream: str, *happened: Any, about: UUID = THIS) -> None:
        """Another service says something of the complaint."""
        await self._append(stream, list(happened), about)

    async def _append(self, stream: str, happened: list[Any], about: UUID) -> None:
        before = await self.store.read_stream("main", stream)
        ids = [uuid4() for _ in happened]
        await self.store.append("main", stream, len(before), happened, ids, Context("somebody", about))


def _happened(called: Called, commands: Sequence[Any]) -> list[Any]:
    """The events that the commands come to, one after the other."""
    when: Callable[..., list[Any]]
    after: Callable[..., Any]
    before: Any
    if called.service == "intake":
        when, after, before = contacts.when, contacts.after, contacts.given()
    elif called.service == "investigation":
        when, after, before = inquiries.when, inquiries.after, inquiries.given()
    elif called.service == "notifier":
        before = notices.given() if called.key == NOTICE else notices.promised()
        when, after = notices.when, notices.after
    else:
        when, after = cases.when, cases.after
        before = cases.measured() if called.key == MEASURE else cases.given()
    events: list[Any] = []
    for command in commands:
        happened = when(command, before)
        before = after(before, happened)
        events += happened
    return events


@contextlib.asynccontextmanager
async def office(service: str, folder: Path, now: datetime = NOW) -> AsyncIterator[Office]:
    """The service, started."""
    log = MemoryLog("main", now=lambda: now)
    resources = service_kit.resources(service_kit.write_settings(folder), log, now=lambda: now)
    app = create_app(SERVICES[service], resources=resources)
    if (desk := _desk(SERVICES[service], resources)) is not None:
        app.state.desk = desk
    async with service_kit.client(app) as client:
        yield Office(client, resources.store)


def _desk(service: Service, resources: wiring.Resources) -> Any:
    """What looks across complaints, without a database."""
    if service is intake.SERVICE:
        return IntakeDesk(resources, MemoryNeighbours(), MemoryNumbers())
    if service is investigation.SERVICE:
        return InvestigationDesk(resources, MemoryRepairs())
    if service is resolution.SERVICE:
        return ResolutionDesk(resources, MemoryLookups())
    return None


def _case(path: str, *given: Any, **said: Any) -> Called:
    return Called("resolution", f"complaints/{THIS}/{path}", given=given, **said)


def _measure(path: str, *given: Any, **said: Any) -> Called:
    return Called("resolution", f"improvements/{MEASURE}/{path}", given=given, key=MEASURE, **said)


def _inquiry(path: str, *given: Any, **said: Any) -> Called:
    said = {"too_early": (), "code": "not_yet_assigned", **said}
    return Called("investigation", f"complaints/{THIS}/{path}", given=given, **said)


opened, offered = (cases.open_it,), (cases.open_it, cases.propose_front_line)
charged, sanctioned = (cases.open_it, cases.raise_it), (cases.open_it, *cases.punish)
WHY = {"reason": "as was found"}
HEAD = {"person": "production-head", "reason": "was on leave"}
SANCTION = {"person": "production-officer", "reason": "careless", "clause": "PEN-L1", "month_wage": "8000"}
SUPPLIER = {
    "supplier": "battery-supplier",
    "problem": "capacitors swell",
    "model": "CAP-22",
    "quantity": 3,
    "place": "上海",
    "contact": "陈工",
    "phone": "13800000001",
    "cost": {"amount": "120.00", "currency": "CNY"},
}
FOUND = {
    "cause": {"code": "cold-solder", "text": "soldered too cold"},
    "responsible": [{"unit": "production", "person": "production-officer", "share": "1"}],
    "company_is_cause": True,
    "loss": {"amount": "900.00", "currency": "CNY", "basis": "one visit"},
}
VISIT = {"person": "station-east-officer", "agreed_for": (NOW + cases.DAY).isoformat()}
REPORT = {"arrived_at": NOW.isoformat(), "found": "three tubes flicker"}
LIFTED = {"outcome": "lifted", "reason": "it had been reported"}
UNMOVED = {"effective": False, "text": "two came back"}
EXPLAINED = {"remedies": [{"kind": "explanation", "text": "why it flickered"}]}

CALLS: dict[str, Called] = {
    "propose": _case("proposals", *opened, body=EXPLAINED, too_early=(), code="not_yet_assigned"),
    "approve": _case(
        "proposals/1/approvals",
        *(*opened, cases.propose_it),
        body={"approved": True},
        by="after-sales-head",
        too_early=opened,
        code="not_yet_proposed",
    ),
    "answer": _case(
        "proposals/1/answers",
        *offered,
        body={"answer": "accepted"},
        too_early=(*opened, cases.propose_it),
        code="not_yet_offered",
    ),
    "settle": _case(
        "proposals/1/settlement",
        *(*offered, cases.decline),
        body=WHY,
        by="deputy-general-manager",
        too_early=offered,
        code="no_dispute",
    ),
    "execute": _case(
        "proposals/1/execution",
        *(*offered, cases.accept),
        body={"stage": "started"},
        too_early=offered,
        code="not_yet_accepted",
    ),
    "sanction": _case("sanctions", *charged, body=SANCTION, too_early=opened, code="nothing_to_answer_for"),
    "waive": _case("waivers", *charged, body=HEAD, too_early=opened, code="nothing_to_answer_for"),
    "acquit": _case("no-fault", *charged, body=HEAD, too_early=opened, code="nothing_to_answer_for"),
    "state": _case(
        "sanctions/1/statements",
        *sanctioned,
        body={"text": "the iron was broken"},
        by="production-officer",
        too_early=charged,
        code="not_yet_sanctioned",
    ),
    "appeal": _case(
        "sanctions/1/appeals",
        *sanctioned,
        body={"text": "I had reported it"},
        by="production-officer",
        too_early=charged,
        code="not_yet_sanctioned",
    ),
    "judge": _case(
        "sanctions/1/appeals/decision",
        *(*sanctioned, cases.appeal_it),
        body=LIFTED,
        by="human-resources-head",
        too_early=sanctioned,
        code="not_yet_appealed",
    ),
    "reward": _case(
        "rewards",
        *opened,
        body={"person": "sales-officer", "reason": "thanked"},
        by="sales-head",
        too_early=(),
        code="not_yet_assigned",
    ),
    "spare": _case("improvement-waiver", *opened, body=WHY, too_early=(), code="not_yet_assigned"),
    "reopen": _case(
        "reopening",
        *(cases.open_it, *cases.resolve[1:], cases.close_it),
        body=WHY,
        too_early=opened,
        code="not_yet_closed",
    ),
    "extend": _measure("complaints", cases.plan_it, body={"complaint_id": str(OTHER)}),
    "progress": _measure(
        "progress",
        cases.plan_it,
        body={"text": "loggers bought"},
        too_early=(cases.plan_it, cases.complete_it),
        code="already_completed",
    ),
    "complete": _measure("completion", cases.plan_it, by="production-head"),
    "verify": _measure(
        "verification",
        *(cases.plan_it, cases.complete_it),
        body=UNMOVED,
        by="quality-head",
        too_early=(cases.plan_it,),
        code="not_yet_completed",
    ),
    "evidence": _inquiry("evidence", inquiries.open_it, body={"text": "swollen"}),
    "contribute": _inquiry("contributions", inquiries.open_it, body={"unit": "sales", "text": "SO-1"}),
    "agree a visit": _inquiry("field-visits", inquiries.open_it, body=VISIT),
    "report a visit": _inquiry(
        "field-visits/1/report",
        *(inquiries.open_it, inquiries.agree_visit),
        body=REPORT,
        too_early=(inquiries.open_it,),
        code="visit_not_agreed",
    ),
    "notify a supplier": _inquiry("supplier-notices", inquiries.open_it, body=SUPPLIER),
    "settle a notice": _inquiry(
        "supplier-notices/1/solution",
        *(inquiries.open_it, inquiries.notify_supplier),
        too_early=(inquiries.open_it,),
        code="supplier_not_notified",
    ),
    "find": _inquiry(
        "findings",
        *(inquiries.open_it, inquiries.add_evidence),
        body=FOUND,
        too_early=(inquiries.open_it,),
        code="evidence_needed",
    ),
    "resend": Called(
        "notifier",
        f"notifications/{NOTICE}/resend",
        given=(notices.write, *notices.EVERYTHING_FAILED),
        key=NOTICE,
    ),
    "hand over": Called(
        "notifier",
        f"notifications/{NOTICE}/handover",
        body={"how": "told on the phone"},
        given=(notices.write, *notices.EVERYTHING_FAILED),
        too_early=(notices.write, notices.arrived),
        code="already_delivered",
        key=NOTICE,
    ),
    "tell": Called(
        "notifier", f"complaints/{THIS}/replies", body={"text": "I explained it"}, given=(notices.follow,)
    ),
}

# Two people who would have it otherwise: what the second one's call is refused with.
RIVALS: dict[str, tuple[Called, Called]] = {
    "two proposals": (
        CALLS["propose"],
        replace(CALLS["propose"], body={"remedies": [{"kind": "apology", "text": "sorry"}]}),
    ),
    "approved and rejected": (
        replace(CALLS["approve"], given=(*CALLS["approve"].given, *cases.each_approves[1:])),
        replace(CALLS["approve"], body={"approved": False, "reason": "too dear"}),
    ),
    "accepted and declined": (
        CALLS["answer"],
        replace(CALLS["answer"], body={"answer": "declined"}, by="after-sales-officer"),
    ),
    "waived and acquitted": (CALLS["waive"], replace(CALLS["acquit"], by="technology-head")),
    "sanctioned and waived": (
        CALLS["sanction"],
        replace(CALLS["waive"], body={**HEAD, "person": "production-officer"}, by="technology-head"),
    ),
    "two appeals": (CALLS["appeal"], replace(CALLS["appeal"], body={"text": "not me"})),
    "upheld and lifted": (
        CALLS["judge"],
        replace(CALLS["judge"], body={**LIFTED, "outcome": "upheld"}),
    ),
    "effective and not": (
        replace(CALLS["verify"]),
        replace(CALLS["verify"], body={"effective": False, "text": "came back"}, by="after-sales-head"),
    ),
    "two findings": (
        CALLS["find"],
        replace(
            CALLS["find"], body={**FOUND, "cause": {"code": "damp", "text": "damp"}}, by="technology-head"
        ),
    ),
    "two reports of a visit": (
        CALLS["report a visit"],
        replace(CALLS["report a visit"], body={**REPORT, "found": "nothing"}),
    ),
}
