"""The complaint that every contestant writes: as long as a real one, its personal texts sealed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils.compat as uuids

from libs.events import codec
from libs.events.contracts.intake import ComplaintRecorded
from libs.events.contracts.registry import contract_of
from libs.events.contracts.values import (
    Channel,
    Complainant,
    Contact,
    Demand,
    DemandKind,
    Detail,
    Product,
    Respondent,
    RespondentKind,
    Source,
)
from libs.events.envelope import Append, NewEvent
from libs.events.keys import KeyEncryptionKey

LOG = "main"
TYPE = contract_of(ComplaintRecorded).name
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ACTOR = "bench"  # no colon: pgbench takes what follows one for a variable
NOBODY = UUID(int=1)
KEY = KeyEncryptionKey(bytes(range(32)))
# 404 bytes: the median of the 3,556 narratives that the demo imports.
NARRATIVE = (
    "The door latch of the tailgate does not close in cold weather. It froze twice in December on the road, "
    "once with children in the back, and had to be tied with a rope. The service station greased it and said "
    "that nothing more could be done. 寒冷天气后门锁扣无法关闭。The vehicle was bought in August, has "
    "4,500 km on it and is under warranty; we ask for a new latch and for the towing to be paid back."
)


def recorded(complaint_id: UUID) -> ComplaintRecorded:
    """Step 1 of a typical complaint."""
    now = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
    return ComplaintRecorded(
        complaint_id=complaint_id,
        data_subject=f"complainant:{complaint_id}",
        number="2026-000123",
        contact=Contact.COMPLAINT,
        source=Source(system="crm", reference="T-88231"),
        channel=Channel.PHONE,
        received_at=now,
        occurred_at=now - timedelta(days=2),
        recorded_at=now,
        complainant=Complainant(
            name="陈晓", phone="+86 138 0000 0000", email="chen@example.org", customer_id="C-1001"
        ),
        respondent=Respondent(kind=RespondentKind.PRODUCT, reference="LATCH-20", name="Tailgate latch"),
        product=Product(order_number="SO-1", part_number="LATCH-20", batch="B2209", quantity=40),
        narrative=NARRATIVE,
        demand=Demand(kind=DemandKind.REPLACEMENT, text="A new latch, and the towing paid back."),
        missing_details=(Detail.DELIVERED_ON, Detail.DEFECTIVE_QUANTITY),
        possible_duplicates=(),
        first_reply_due_at=now + timedelta(days=1),
        policy="standard@1",
    )


def body() -> bytes:
    """The bytes of one such event as the log stores them."""
    complaint_id = uuids.uuid7()
    event = recorded(complaint_id)
    key, _ = KEY.new_key(LOG, event.data_subject)
    return codec.encode(event, codec.Place(LOG, f"intake-{complaint_id}", uuids.uuid7()), key).body


def append(content: bytes, log: str = LOG) -> Append:
    """A complaint's first event, on a stream of its own, to be appended only where there is none."""
    complaint_id = uuids.uuid7()
    return Append(
        log=log,
        stream=f"intake-{complaint_id}",
        expected_version=0,
        events=(NewEvent(uuids.uuid7(), TYPE, content),),
        actor=ACTOR,
        complaint_id=complaint_id,
        traceparent=TRACEPARENT,
    )
