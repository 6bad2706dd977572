"""Other complaints, as far as one needs to know of them: suspected duplicates (REC-9), batches (CLS-7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from libs.events import errors
from libs.events.contracts import intake as events
from libs.events.contracts.classify import ComplaintJoinedIncident, IncidentRaised
from libs.events.contracts.propose import ComplaintClosed, ComplaintReopened
from libs.events.contracts.values import Product, Respondent, RespondentKind, Suspicion
from libs.events.envelope import Recorded
from libs.policy.incidents import Likeness
from services.intake import state
from services.intake.state import Status

COMPARED: Final = ("order_number", "part_number", "batch", "serial_number", "respondent")
OPEN: Final = (Status.ENQUIRY, Status.RECORDED, Status.UNFOUNDED, Status.FOUNDED, Status.ASSIGNED)
CLOCKED: Final = (Status.RECORDED, Status.FOUNDED, Status.ASSIGNED)
# What never came back from a customer as a complaint that stands.
UNCOUNTED: Final = (Status.ENQUIRY, Status.UNFOUNDED, Status.WITHDRAWN, Status.MERGED)
SEQ_MAX: Final = 2**63 - 1
SUSPICIONS_MAX: Final = 20  # of one complaint; the newest, when there are more


@dataclass(frozen=True, slots=True)
class Incidents:
    """How many incidents complaints alike had, and the open one."""

    count: int
    open: UUID | None


class Neighbours(Protocol):
    """What is known of other complaints."""

    async def come_to(self, log: str, seq: int) -> bool:
        """Whether everything up to there is known: what was not heard of cannot be found."""
        ...

    async def suspicions(
        self, log: str, customer_id: str, likeness: Mapping[str, str], since: datetime, before: int = SEQ_MAX
    ) -> tuple[Suspicion, ...]:
        """The customer's open complaints alike in anything, recorded since then, before that `seq`."""
        ...

    async def merged_into(self, log: str, complaint_id: UUID) -> tuple[UUID, ...]:
        """The complaints that this one carries on for, in the order of their recording (REC-9)."""
        ...

    async def incidents(self, log: str, likeness: Likeness, since: datetime) -> Incidents:
        """The incidents of that likeness. One is open while complaints join it: the last one since then."""
        ...

    async def clocked(self, log: str, after: int, limit: int) -> tuple[tuple[int, UUID], ...]:
        """The open complaints that deadlines run for, with the `seq` of each, behind that one, in order."""
        ...

    async def alike(
        self, log: str, fields: Mapping[str, str], since: datetime, limit: int
    ) -> tuple[UUID, ...]:
        """Complaints that agree in all `fields`, recorded since then, judged, not unfounded; oldest first."""
        ...


async def have_come_to(known: Neighbours, heard: Recorded[Any]) -> None:
    """What is not known yet cannot be found, so an answer given too early would lose something."""
    if not await known.come_to(heard.envelope.log, heard.envelope.seq):
        raise errors.Unavailable("The register has not come to this complaint yet.")


def values_of(respondent: Respondent, product: Product | None) -> dict[str, str]:
    """What a complaint is about, by the names that policies compare."""
    found = {name: getattr(product, name, None) for name in COMPARED} | {"respondent": respondent.reference}
    return {name: value for name, value in found.items() if value is not None}


def likeness(respondent: Respondent, product: Product | None, compared: Sequence[str]) -> dict[str, str]:
    """What is compared with the customer's other complaints; nothing without a product or an order."""
    found = values_of(respondent, product)
    if respondent.kind is not RespondentKind.PRODUCT:
        del found["respondent"]
    return {name: value for name in compared if (value := found.get(name)) is not None}


@dataclass(slots=True)
class _Neighbour:
    seq: int
    complaint: state.Complaint
    closed: bool = False

    @property
    def record(self) -> state.Record:
        assert not isinstance(self.complaint, state.NotRecorded), "it is noted once it is recorded"
        return self.complaint.record

    @property
    def status(self) -> Status:
        assert not isinstance(self.complaint, state.NotRecorded), "it is noted once it is recorded"
        return Status.CLOSED if self.closed else state.status(self.complaint)

    @property
    def into(self) -> UUID | None:
        return self.complaint.into if isinstance(self.complaint, state.Merged) else None

    @property
    def values(self) -> dict[str, str]:
        statement = self.record.statement
        return values_of(statement.respondent, statement.product)


@dataclass(slots=True)
class _Incident:
    incident_id: UUID
    latest_at: datetime


class MemoryNeighbours:
    """What events told: for a simulation and for tests; it answers as `SqlNeighbours` does."""

    def __init__(self) -> None:
        self._seq: defaultdict[str, int] = defaultdict(int)
        self._complaints: defaultdict[str, dict[UUID, _Neighbour]] = defaultdict(dict)
        self._saying: defaultdict[tuple[str, str, str], dict[UUID, None]] = defaultdict(dict)
        self._incidents: defaultdict[tuple[str, str, str], list[_Incident]] = defaultdict(list)
        self._by_id: dict[tuple[str, UUID], _Incident] = {}

    def seq(self, log: str) -> int:
        """How far it has heard."""
        return self._seq[log]

    def note(self, recorded: Recorded[Any]) -> None:
        """Take in one event; the same again changes nothing."""
        log, event, seq = recorded.envelope.log, recorded.event, recorded.envelope.seq
        if seq <= self._seq[log]:
            return
        self._seq[log] = seq
        known = self._complaints[log]
        match event:
            case events.ComplaintRecorded():
                known[event.complaint_id] = _Neighbour(seq, state.evolve(state.INITIAL, event))
                self._index(log, event.complaint_id)
            case ComplaintClosed() | ComplaintReopened():
                known[event.complaint_id].closed = isinstance(event, ComplaintClosed)
            case IncidentRaised():
                incident = self._by_id[log, event.incident_id] = _Incident(event.incident_id, event.raised_at)
                self._incidents[log, event.matched_on, event.reference].append(incident)
            case _ if recorded.envelope.stream.startswith("intake-") and isinstance(event, state.Event):
                assert event.complaint_id is not None, "only investigation has deadlines of no complaint"
                neighbour = known[event.complaint_id]
                neighbour.complaint = state.evolve(neighbour.complaint, event)
                self._index(log, event.complaint_id)
                if isinstance(event, ComplaintJoinedIncident):
                    incident = self._by_id[log, event.incident_id]
                    incident.latest_at = max(incident.latest_at, event.joined_at)

    async def come_to(self, log: str, seq: int) -> bool:
        """See `Neighbours.come_to`."""
        return seq <= self._seq[log]

    async def suspicions(
        self, log: str, customer_id: str, likeness: Mapping[str, str], since: datetime, before: int = SEQ_MAX
    ) -> tuple[Suspicion, ...]:
        """See `Neighbours.suspicions`."""
        alike = {id: None for name, value in likeness.items() for id in self._saying[log, name, value]}
        found = [
            (each.seq, id)
            for id in alike
            if (each := self._complaints[log][id]).seq < before
            and each.record.statement.complainant.customer_id == customer_id
            and each.record.recorded_at >= since
            and each.status in OPEN
        ]
        return tuple(
            self._suspicion(log, id, likeness) for _, id in sorted(found, reverse=True)[:SUSPICIONS_MAX]
        )

    async def merged_into(self, log: str, complaint_id: UUID) -> tuple[UUID, ...]:
        """See `Neighbours.merged_into`."""
        return tuple(id for id, each in self._complaints[log].items() if each.into == complaint_id)

    async def incidents(self, log: str, likeness: Likeness, since: datetime) -> Incidents:
        """See `Neighbours.incidents`."""
        past = self._incidents[log, likeness.matched_on, likeness.reference]
        return Incidents(len(past), past[-1].incident_id if past and past[-1].latest_at >= since else None)

    async def clocked(self, log: str, after: int, limit: int) -> tuple[tuple[int, UUID], ...]:
        """See `Neighbours.clocked`."""
        found = ((each.seq, id) for id, each in self._complaints[log].items() if each.status in CLOCKED)
        return tuple(sorted(each for each in found if each[0] > after)[:limit])

    async def alike(
        self, log: str, fields: Mapping[str, str], since: datetime, limit: int
    ) -> tuple[UUID, ...]:
        """See `Neighbours.alike`."""
        return tuple(self._counted(log, fields, since))[:limit]

    def _index(self, log: str, complaint_id: UUID) -> None:
        """By every value it ever had; the present one is looked at when it is found."""
        for name, value in self._complaints[log][complaint_id].values.items():
            self._saying[log, name, value][complaint_id] = None

    def _suspicion(self, log: str, complaint_id: UUID, likeness: Mapping[str, str]) -> Suspicion:
        values = self._complaints[log][complaint_id].values
        matched = tuple(name for name, value in likeness.items() if values.get(name) == value)
        return Suspicion(duplicate_of=complaint_id, matched_on=matched)

    def _counted(self, log: str, fields: Mapping[str, str], since: datetime) -> Iterator[UUID]:
        fewest = min((self._saying[log, name, value] for name, value in fields.items()), key=len)
        for id in sorted(fewest, key=lambda id: self._complaints[log][id].seq):
            each = self._complaints[log][id]
            handling = each.record.handling
            counts = each.status not in UNCOUNTED and handling.judgements and handling.founded is not False
            if counts and each.record.recorded_at >= since and fields.items() <= each.values.items():
                yield id
