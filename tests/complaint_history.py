"""Complaints as intake puts them on record, for tests of the services that follow, and who appends them."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from libs.events.contracts import assign, classify, intake, propose
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import (
    Answerable,
    Ground,
    Judgement,
    Kind,
    Nature,
    Severity,
    Step,
    StepDue,
)
from libs.events.contracts.values import (
    Channel,
    Complainant,
    Contact,
    Demand,
    DemandKind,
    Product,
    Respondent,
    RespondentKind,
)
from libs.events.envelope import Recorded
from libs.events.store import Context, EventStore

NOW = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)  # a Friday morning in Shanghai
DAY = timedelta(days=1)
OFFICER = Answerable(unit="quality", person="quality-officer")
DEPUTY = Answerable(unit="quality", person="quality-deputy")
HEAD = Answerable(unit="quality", person="quality-head")
LEADER = Answerable(unit="technology", person="technology-head")
GROUND = Ground(policy="standard@1", clause="ASG-R1")


class Writer:
    """Appends events to the streams of other services, each at its place, as their processes would."""

    def __init__(self, store: EventStore, log: str = "main") -> None:
        self.store = store
        self.log = log
        self._versions: defaultdict[str, int] = defaultdict(int)

    async def says(self, event: Any, key: UUID | None = None, category: str = "intake") -> Recorded[Any]:
        """Put an event on record in the stream of its complaint, or of `key`; gives it as recorded."""
        complaint_id = getattr(event, "complaint_id", None)
        stream = f"{category}-{key or complaint_id}"
        version = self._versions[stream]
        context = Context("intake", complaint_id)
        await self.store.append(self.log, stream, version, [event], [uuid4()], context)
        self._versions[stream] += 1
        return (await self.store.read_stream(self.log, stream, version))[0]


def recorded(
    complaint_id: UUID, serial_number: str | None = "SN-1", **changes: Any
) -> intake.ComplaintRecorded:
    customer = changes.pop("customer_id", f"C-{complaint_id}")
    fields: dict[str, Any] = {
        "complaint_id": complaint_id,
        "data_subject": f"customer:{customer}",
        "number": "2026-000001",
        "contact": Contact.COMPLAINT,
        "source": None,
        "channel": Channel.PHONE,
        "received_at": NOW,
        "occurred_at": None,
        "recorded_at": NOW,
        "complainant": Complainant(name="王小明", phone="13800000001", customer_id=customer),
        "respondent": Respondent(kind=RespondentKind.PRODUCT, reference="LED-T8-18W"),
        "product": Product(
            order_number="SO-1",
            part_number="LED-T8-18W",
            serial_number=serial_number,
            delivered_on=date(2026, 11, 10),
        ),
        "narrative": "三支灯管闪烁",
        "demand": Demand(kind=DemandKind.REPLACEMENT),
        "missing_details": (),
        "possible_duplicates": (),
        "first_reply_due_at": NOW + DAY,
        "policy": "standard@1",
    }
    return intake.ComplaintRecorded(**fields | changes)


def classified(complaint_id: UUID, founded: bool = True, at: datetime = NOW) -> classify.ComplaintClassified:
    return classify.ComplaintClassified(
        complaint_id=complaint_id,
        data_subject=f"customer:C-{complaint_id}",
        round=1,
        kind=Kind.PRODUCT_QUALITY,
        nature=Nature.QUALITY_ANOMALY,
        severity=Severity.SERIOUS,
        founded=Judgement(value=founded, reason="looked at"),
        demand_reasonable=None,
        ground=GROUND,
        classified_at=at,
    )


def assigned(
    complaint_id: UUID,
    to: Answerable = OFFICER,
    due_at: datetime = NOW + 3 * DAY,
    warn_at: datetime = NOW + 2 * DAY,
    at: datetime = NOW,
    round: int = 1,
) -> assign.ComplaintAssigned:
    return assign.ComplaintAssigned(
        complaint_id=complaint_id,
        data_subject=f"customer:C-{complaint_id}",
        round=round,
        answerable=to,
        kind=Kind.PRODUCT_QUALITY,
        severity=Severity.SERIOUS,
        incident_id=None,
        due=(StepDue(step=Step.INVESTIGATE, due_at=due_at, warn_at=warn_at),),
        passed_over=(),
        reason=None,
        ground=GROUND,
        assigned_at=at,
    )


def escalated(complaint_id: UUID, to: Answerable = HEAD, level: int = 1) -> assign.ComplaintEscalated:
    return assign.ComplaintEscalated(
        complaint_id=complaint_id,
        data_subject=f"customer:C-{complaint_id}",
        to=to,
        level=level,
        cause=assign.EscalationCause.UNSOLVED,
        tried="everything",
        ground=GROUND,
        escalated_at=NOW,
    )


def raised(incident_id: UUID, *complaint_ids: UUID) -> classify.IncidentRaised:
    return classify.IncidentRaised(
        incident_id=incident_id,
        matched_on="part_number+respondent",
        reference="LED-T8-18W · LED-T8-18W",
        complaint_ids=complaint_ids,
        threshold=3,
        window_days=30,
        leader=LEADER,
        ground=GROUND,
        raised_at=NOW,
    )


def joined(complaint_id: UUID, incident_id: UUID) -> classify.ComplaintJoinedIncident:
    return classify.ComplaintJoinedIncident(
        complaint_id=complaint_id, incident_id=incident_id, leader=LEADER, ground=GROUND, joined_at=NOW
    )


def withdrawn(complaint_id: UUID) -> intake.ComplaintWithdrawn:
    return intake.ComplaintWithdrawn(withdrawn_at=NOW, **_because(complaint_id))


def merged(complaint_id: UUID, into: UUID, at: datetime = NOW) -> intake.ComplaintMerged:
    return intake.ComplaintMerged(merged_into=into, merged_at=at, **_because(complaint_id))


def separated(complaint_id: UUID, other: UUID, at: datetime = NOW) -> intake.ComplaintSeparated:
    return intake.ComplaintSeparated(separated_from=other, separated_at=at, **_because(complaint_id))


def missed(complaint_id: UUID, at: datetime = NOW) -> DeadlineMissed:
    return DeadlineMissed(
        complaint_id=complaint_id,
        step=Step.INVESTIGATE,
        due_at=at,
        missed_at=at,
        noticed_at=at,
        owed_by=OFFICER,
        escalated_to=HEAD,
        ground=GROUND,
    )


def reopened(complaint_id: UUID, at: datetime = NOW) -> propose.ComplaintReopened:
    return propose.ComplaintReopened(reopened_at=at, due=(), **_because(complaint_id))


def _because(complaint_id: UUID) -> dict[str, Any]:
    return {
        "complaint_id": complaint_id,
        "data_subject": f"customer:C-{complaint_id}",
        "author": "li.wei",
        "reason": "said so",
    }
