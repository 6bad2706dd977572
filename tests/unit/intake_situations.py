"""Situations of a complaint, each reached by deciding, and commands to decide on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.events.contracts import intake as events
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
    Suspicion,
)
from services.intake import amend, attach, convert, merge, record, state, suspect, withdraw

NOW = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
THIS, EARLIER, OTHER = UUID(int=2), UUID(int=1), UUID(int=3)
REQUIRED: state.RequiredDetails = {RespondentKind.PRODUCT: (Detail.ORDER_NUMBER, Detail.QUANTITY)}
BECAUSE: dict[str, Any] = {"author": "li.wei", "reason": "the customer called"}

TUBE = Respondent(kind=RespondentKind.PRODUCT, reference="LED-T8-18W")
record_it = record.RecordComplaint(
    complaint_id=THIS,
    number="2026-000001",
    contact=Contact.COMPLAINT,
    source=None,
    channel=Channel.PHONE,
    received_at=NOW,
    occurred_at=None,
    complainant=Complainant(name="王小明", phone="13800000001"),
    respondent=TUBE,
    product=Product(order_number="SO-1"),
    narrative="三支灯管闪烁",
    demand=Demand(kind=DemandKind.REPLACEMENT),
    possible_duplicates=(),
    required_details=REQUIRED,
    first_reply_due_at=NOW + timedelta(hours=24),
    policy="standard@1",
    now=NOW,
)
record_enquiry = replace(record_it, contact=Contact.ENQUIRY)
amend_it = amend.AmendComplaint(
    complaint_id=THIS, required_details=REQUIRED, now=NOW, narrative="四支灯管闪烁", **BECAUSE
)
convert_it = convert.ConvertEnquiry(
    complaint_id=THIS,
    required_details=REQUIRED,
    first_reply_due_at=NOW + timedelta(hours=25),
    policy="standard@1",
    now=NOW + timedelta(hours=1),
    **BECAUSE,
)
attach_it = attach.AddAttachment(
    complaint_id=THIS,
    attachment_id=UUID(int=9),
    filename="照片.jpg",
    media_type="image/jpeg",
    size_bytes=3,
    sha256="ab" * 32,
    author="li.wei",
    now=NOW,
)
withdraw_it = withdraw.WithdrawComplaint(complaint_id=THIS, now=NOW, **BECAUSE)
suspect_it = suspect.SuspectDuplicate(
    complaint_id=THIS, suspicion=Suspicion(duplicate_of=EARLIER, matched_on=("order_number",)), now=NOW
)
STEPS: dict[type, Callable[[Any, state.Complaint], list[events.Event]]] = {
    record.RecordComplaint: record.decide,
    amend.AmendComplaint: amend.decide,
    convert.ConvertEnquiry: convert.decide,
    attach.AddAttachment: attach.decide,
    withdraw.WithdrawComplaint: withdraw.decide,
    suspect.SuspectDuplicate: suspect.decide,
    merge.MergeComplaint: merge.decide,
    merge.SeparateComplaint: merge.decide,
}


def when(command: Any, complaint: state.Complaint) -> list[events.Event]:
    """What comes of a command."""
    return STEPS[type(command)](command, complaint)


def after(complaint: state.Complaint, happened: list[events.Event]) -> state.Complaint:
    """The situation after these events."""
    for event in happened:
        complaint = state.evolve(complaint, event)
    return complaint


def given(*commands: Any) -> state.Complaint:
    """The situation that these commands lead to."""
    complaint: state.Complaint = state.INITIAL
    for command in commands:
        complaint = after(complaint, when(command, complaint))
    return complaint


earlier = given(replace(record_it, complaint_id=EARLIER, received_at=NOW - timedelta(days=1)))
merge_it = merge.MergeComplaint(complaint_id=THIS, into=earlier, now=NOW, **BECAUSE)
separate_it = merge.SeparateComplaint(complaint_id=THIS, separated_from=EARLIER, now=NOW, **BECAUSE)

SITUATIONS: dict[str, state.Complaint] = {
    "not recorded": state.INITIAL,
    "enquiry": given(record_enquiry),
    "recorded": given(record_it),
    "suspected": given(record_it, suspect_it),
    "separated": given(record_it, suspect_it, separate_it),
    "withdrawn": given(record_it, withdraw_it),
    "merged": given(record_it, merge_it),
}
COMMANDS: dict[str, Any] = {
    "record": record_it,
    "amend": amend_it,
    "convert": convert_it,
    "attach": attach_it,
    "withdraw": withdraw_it,
    "suspect": suspect_it,
    "merge": merge_it,
    "separate": separate_it,
}
