"""What people do in the tests of whole paths, one word a step; and what JetStream and the outcome then say.

Each step is done over public HTTP with the token of whoever does it: of whom the outcome says that they owe
it, where a test names nobody. Before it, whatever the services have to do first is waited for, as JetStream
tells of it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from deploy.people.calls import Answer, Callers, money
from libs.events.envelope import Envelope
from tests.e2e import desk

Json = dict[str, Any]
T = TypeVar("T")
DESK: Final = "after-sales-officer"
READER: Final = "after-sales-head"
CUSTOMER: Final = "customer"
REASON: Final = "as the test says"
CONTRIBUTION_OF: Final = "-officer"


@dataclass(frozen=True, slots=True)
class Told:
    """One event, as the bus tells it: its name without service and version, and its body."""

    name: str
    complaint_id: UUID | None
    body: Json

    def says(self, name: str, wanted: Mapping[str, Any]) -> bool:
        """Whether it is this event, with these values."""
        return self.name == name and all(self.body.get(key) == value for key, value in wanted.items())


def told(envelope: Envelope) -> Told:
    """An event of the log as a consumer outside reads it."""
    return Told(envelope.type.split(".")[2], envelope.complaint_id, json.loads(envelope.body))


class Ear(Protocol):
    """Hears every event there is, in order."""

    heard: list[Told]

    async def until(self, holds: Callable[[], Awaitable[T | None]], what: str) -> T:
        """What `holds` gives, asked again whenever something was heard; fails after a while."""
        ...


@dataclass(frozen=True, slots=True)
class Office:
    """A running system, and everybody who calls it."""

    callers: Callers
    ear: Ear

    async def record(self, **changes: Any) -> Complaint:
        """A customer complains; `changes` are those of `desk.body`."""
        body = desk.body(**changes)
        return Complaint(self, done(await self.callers.post("intake", "/v1/complaints", DESK, body)))

    async def happened(self, name: str, **wanted: Any) -> Json:
        """The last such event of any complaint on JetStream, waited for."""

        async def heard() -> Json | None:
            return next((each.body for each in self.ear.heard[::-1] if each.says(name, wanted)), None)

        return await self.ear.until(heard, f"{name} {wanted}")

    async def measure(self, *complaints: Complaint, owner: str) -> Measure:
        """A measure against what was found, for one complaint or several (IMP-1, IMP-3)."""
        body = {
            "complaint_ids": [each.id for each in complaints],
            "lesson": "Nobody looks at the seam",
            "measure": "Look at every seam",
            "owner": owner,
        }
        for each in complaints:
            await each.happened("case_opened")
        by = await complaints[0].owed_by("measure")
        answer = done(await self.callers.post("resolution", "/v1/improvements", by, body))
        return Measure(self, answer["improvement_id"], complaints)


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure, and the complaints that it answers."""

    office: Office
    id: str
    complaints: tuple[Complaint, ...]

    async def complete(self) -> Json:
        """Its owner puts it in place."""
        by = await self.complaints[0].owed_by("completion")
        return await self._post("completion", by)

    async def verify(self, *, effective: bool, by: str | None = None) -> Json:
        """Another person looks whether it had its effect."""
        by = by or await self.complaints[0].owed_by("verification")
        return await self._post("verification", by, effective=effective, text="Ten more were looked at")

    async def refuses(self, place: str, caller: str, /, **body: Any) -> str | None:
        """The code by which this is refused."""
        path = f"/v1/improvements/{self.id}/{place}"
        return (await self.office.callers.post("resolution", path, caller, body)).refused

    async def _post(self, place: str, by: str, **body: Any) -> Json:
        path = f"/v1/improvements/{self.id}/{place}"
        return done(await self.office.callers.post("resolution", path, by, body or None))


@dataclass(frozen=True, slots=True)
class Complaint:
    """One complaint; `recorded` is what intake answered when it came in."""

    office: Office
    recorded: Json
    latest: Json = field(default_factory=dict)  # how its case stood after the last step

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.recorded["complaint_id"])

    # ── Steps 2 to 4 ─────────────────────────────────────────────────────────────────────────────────

    async def judge(self, by: str | None = None, *, founded: bool, **changes: Any) -> Json:
        """A person judges it."""
        body = {
            "kind": "product_quality",
            "nature": "quality_anomaly",
            "severity": "minor",
            "founded": {"value": founded, "reason": REASON},
            "demand_reasonable": {"value": True, "reason": REASON},
        }
        by = by or await self.owed_by("judgement")
        return await self.post("intake", "classification", by, **body | changes)

    async def assign(self, person: str, by: str) -> Json:
        """It is given to somebody else."""
        unit = person.rpartition("-")[0]
        return await self.post("intake", "assignment", by, unit=unit, person=person, reason=REASON)

    async def contest(self, new_facts: str) -> Json:
        """The customer does not accept that it is unfounded."""
        return await self.post("intake", "contest", CUSTOMER, new_facts=new_facts)

    async def is_to_be_investigated(self) -> Json:
        """It is in the work list of whoever investigates it, and so is all that came before it."""
        await self.happened("investigation_opened")
        by = await self.owed_by("finding")

        async def listed() -> Json | None:
            path = f"/v1/investigations?person={by}&limit=100"
            lines = (await self.office.callers.get("investigation", path, by)).content["items"]
            return next((each for each in lines if each["complaint_id"] == self.id), None)

        return await self.office.ear.until(listed, f"{self.recorded['number']} is to be investigated")

    async def examine(self) -> Json:
        """Evidence, and what the units owe."""
        await self.happened("investigation_opened", "investigation_joined")
        by = await self.owed_by("finding")
        seen = await self.post("investigation", "evidence", by, text="The seam is open")
        for unit in seen["contributions_owed"]:
            said = {"unit": unit, "text": f"All that {unit} knows"}
            await self.post("investigation", "contributions", unit + CONTRIBUTION_OF, **said)
        return seen

    async def find(self, *responsible: str, cause: str, loss: int = 400, **changes: Any) -> Json:
        """What was found, on evidence; nobody responsible: the company is not the cause."""
        await self.examine()
        said = {"code": cause, "text": "The seam opens"}
        body: Json = {"cause": said, "company_is_cause": bool(responsible)}
        if responsible:
            body["loss"] = money(loss) | {"basis": "parts and travel"}
            share = "1" if len(responsible) == 1 else "0.5"
            body["responsible"] = [
                {"unit": each.rpartition("-")[0], "person": each, "share": share} for each in responsible
            ]
        by = await self.owed_by("finding")
        return await self.post("investigation", "findings", by, **body | changes)

    # ── Step 5 ───────────────────────────────────────────────────────────────────────────────────────

    async def propose(self, kind: str, amount: int | None = None, **changes: Any) -> Json:
        """What is offered for it."""
        await self.happened("case_opened")
        remedy = {"kind": kind, "text": REASON, "money": money(amount) if amount else None}
        by = await self.owed_by("proposal")
        return await self.post("resolution", "proposals", by, remedies=[remedy], **changes)

    async def approve(self, by: str, *, approved: bool = True) -> Json:
        """Somebody whose approval is needed gives it, or does not."""
        said = {"approved": approved, "reason": REASON}
        return await self.post("resolution", f"{self._proposal}/approvals", by, **said)

    async def answer(self, answer: str) -> Json:
        """What the customer says to it."""
        return await self.post("resolution", f"{self._proposal}/answers", CUSTOMER, answer=answer)

    async def settle(self, by: str) -> Json:
        """The adjudicator decides what the customer would not accept."""
        return await self.post("resolution", f"{self._proposal}/settlement", by, reason=REASON)

    async def execute(self) -> Json:
        """It is carried out, stage by stage."""
        by = await self.owed_by("execution")
        while stage := self.latest["solution"]["next_stage"]:
            await self.post("resolution", f"{self._proposal}/execution", by, stage=stage)
        return self.latest

    @property
    def _proposal(self) -> str:
        return f"proposals/{self.latest['solution']['proposal']}"

    # ── Steps 7 and 8 ────────────────────────────────────────────────────────────────────────────────

    async def sanction(self, person: str, clause: str, charge: str = "complaint") -> Json:
        """By a clause of the schedule."""
        await self.happened("responsibility_raised", person=person, charge=charge)
        by = await self.owed_by("decision", about=person)
        said = {"person": person, "charge": charge, "clause": clause, "reason": REASON}
        answer = await self.post("resolution", "sanctions", by, **said)
        return next(each for each in answer["sanctions"] if each["person"] == person)

    async def waive(self, *persons: str, charge: str = "complaint") -> Json:
        """At fault, and yet no sanction, for each of them."""
        for person in persons:
            await self.happened("responsibility_raised", person=person, charge=charge)
            by = await self.owed_by("decision", about=person)
            await self.post("resolution", "waivers", by, person=person, charge=charge, reason=REASON)
        return self.latest

    async def appeal(self, sanction: Json) -> Json:
        """Whoever bears it does not accept it; says who decides."""
        path = f"sanctions/{sanction['sanction']}/appeals"
        await self.post("resolution", path, sanction["person"], text="I had said so the day before")
        return self._sanction(sanction)

    async def decide_appeal(self, sanction: Json, outcome: str, **changes: Any) -> Json:
        """Another person decides the appeal."""
        path = f"sanctions/{sanction['sanction']}/appeals/decision"
        by = await self.owed_by("appeal_decision", about=str(sanction["sanction"]))
        await self.post("resolution", path, by, outcome=outcome, reason=REASON, **changes)
        return self._sanction(sanction)

    def _sanction(self, sanction: Json) -> Json:
        return next(each for each in self.latest["sanctions"] if each["sanction"] == sanction["sanction"])

    async def spare(self) -> Json:
        """No measure is needed."""
        await self.happened("case_opened")
        by = await self.owed_by("measure")
        return await self.post("resolution", "improvement-waiver", by, reason=REASON)

    async def conclude(self, *responsible: str) -> None:
        """What is left of steps 5 to 7 once the cause was found, in the plainest way."""
        await self.propose("apology")
        await self.answer("accepted")
        await self.execute()
        await self.waive(*responsible)

    # ── What they are told ───────────────────────────────────────────────────────────────────────────

    async def outcome(self) -> Json:
        """How it stands, as anybody may ask."""
        path = f"/v1/complaints/{self.id}/outcome"
        return (await self.office.callers.get("resolution", path, READER)).content

    async def missing(self) -> list[tuple[str, str]]:
        """What is still owed, and by whom."""
        return [(each["what"], each["owed_by"]["person"]) for each in missing_of(await self.outcome())]

    async def owed_by(self, what: str, about: str | None = None) -> str:
        """Who owes this, once somebody does."""

        async def owing() -> str | None:
            for each in missing_of(await self.outcome()):
                if each["what"] == what and about in (None, each["about"]):
                    return str(each["owed_by"]["person"])
            return None

        return await self.office.ear.until(owing, f"somebody owes {what} of {self.recorded['number']}")

    async def closes(self, path: str) -> None:
        """It closes by itself, and so: every step that is wanted is done."""
        await self.happened("complaint_closed", outcome=path)
        outcome = await self.outcome()
        assert (outcome["closed"], outcome["path"]) == (True, path)
        assert [step["step"] for step in outcome["steps"] if step["wanted"] and not step["done"]] == []
        assert all(step["on_record"] for step in outcome["steps"] if step["wanted"] and path == "resolved")

    async def happened(self, *names: str, **wanted: Any) -> Json:
        """The last event of it on JetStream that has one of these names, waited for."""

        async def heard() -> Json | None:
            found = [body for name in names for body in self.history(name, **wanted)]
            return found[-1] if found else None

        return await self.office.ear.until(heard, f"{names} {wanted} of {self.recorded['number']}")

    def history(self, name: str, **wanted: Any) -> list[Json]:
        """Every such event so far."""
        mine = (each for each in self.office.ear.heard if each.complaint_id == UUID(self.id))
        return [each.body for each in mine if each.says(name, wanted)]

    def went_through(self, *names: str) -> bool:
        """Whether these events are in its history, in this order."""
        mine = iter([each.name for each in self.office.ear.heard if each.complaint_id == UUID(self.id)])
        return all(name in mine for name in names)

    async def notices(self, kind: str, person: str | None = None) -> list[Json]:
        """The notices of a kind to the customer, or to somebody inside, that arrived; at least one."""
        to = {"recipient": "staff", "person": person} if person else {"recipient": "customer"}
        await self.happened("notice_delivered", kind=kind, recipient=to["recipient"])

        async def listed() -> list[Json] | None:
            path = f"/v1/notifications?complaint_id={self.id}&status=delivered&limit=100"
            lines = (await self.office.callers.get("notifier", path, READER)).content["items"]
            wanted = {"kind": kind, **to}.items()
            return [each for each in lines if wanted <= each.items()] or None

        return await self.office.ear.until(listed, f"{kind} is listed for {self.recorded['number']}")

    # ── Calls ────────────────────────────────────────────────────────────────────────────────────────

    async def post(self, service: str, path: str, caller: str, /, **body: Any) -> Json:
        """A call that is carried out."""
        answer = done(await self._call(service, path, caller, body))
        if "solution" in answer:
            self.latest.update(answer)
        return answer

    async def refuses(self, service: str, path: str, caller: str, /, **body: Any) -> str | None:
        """The code by which a call is refused."""
        return (await self._call(service, path, caller, body)).refused

    async def _call(self, service: str, path: str, caller: str, body: Json) -> Answer:
        path = f"/v1/complaints/{self.id}/{path}"
        return await self.office.callers.post(service, path, caller, body)


def missing_of(outcome: Json) -> list[Json]:
    """Everything that an outcome says is missing."""
    return [each for step in outcome["steps"] for each in step["missing"]]


def done(answer: Answer) -> Json:
    """What a call that was carried out brought."""
    assert answer.refused is None, answer.content
    return answer.content
