"""The published documents say what the code does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import jsonschema
import pytest
import yaml

from deploy import documents
from libs.events import bus, codec
from libs.events.contracts import intake, values
from libs.events.keys import KeyEncryptionKey

NOW = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
COMPLAINT = UUID("01a202fa-9590-7c41-9d0e-1b52f0a3c9d7")
PLACE = codec.Place("main", f"intake-{COMPLAINT}", UUID("01a202fa-958d-736b-856f-b1be38f97381"))
RECORDED = intake.ComplaintRecorded(
    complaint_id=COMPLAINT,
    data_subject="customer:C-1",
    number="2026-000001",
    contact=values.Contact.COMPLAINT,
    source=values.Source(system="crm", reference="T-1"),
    channel=values.Channel.PHONE,
    received_at=NOW,
    occurred_at=None,
    recorded_at=NOW,
    complainant=values.Complainant(name="示例顾客", phone="000", customer_id="C-1"),
    respondent=values.Respondent(kind=values.RespondentKind.PRODUCT, reference="LED-T8-18W"),
    product=values.Product(order_number="SO-1", quantity=40),
    narrative="开箱发现三支灯管不亮。",
    demand=values.Demand(kind=values.DemandKind.REPLACEMENT),
    missing_details=(values.Detail.PART_NUMBER,),
    possible_duplicates=(),
    first_reply_due_at=NOW,
    policy="standard@1",
)


@pytest.mark.parametrize("make", [documents.event_documents, documents.api_documents])
def test_what_is_published_is_what_the_code_makes(make: Callable[[], dict[Path, str]]) -> None:
    made = make()
    for path, text in made.items():
        assert (documents.ROOT / path).read_text() == text, f"{path}: run `python -m deploy.documents`"


def test_no_document_of_an_event_or_a_service_that_is_gone() -> None:
    made = {*documents.event_documents(), *documents.api_documents()}
    for folder in (documents.EVENTS, documents.APIS):
        published = {p.relative_to(documents.ROOT) for p in (documents.ROOT / folder).rglob("*.*")}
        assert published <= made


def test_every_contract_has_a_channel_and_a_schema() -> None:
    asyncapi = yaml.safe_load((documents.ROOT / documents.EVENTS / "asyncapi.yaml").read_text())
    addresses = {channel["address"] for channel in asyncapi["channels"].values()}
    for contract in documents.published():
        assert bus.subject_of("{organisation}", contract.name) in addresses
        schema = json.loads(schema_file(contract.name).read_text())
        jsonschema.Draft202012Validator.check_schema(schema)


def test_a_published_body_fits_its_schema_and_a_plain_personal_text_does_not() -> None:
    key, _ = KeyEncryptionKey(os.urandom(32)).new_key("main", RECORDED.data_subject)
    body = json.loads(codec.encode(RECORDED, PLACE, key).body)
    schema = json.loads(schema_file("complaints.intake.complaint_recorded.v1").read_text())
    jsonschema.validate(body, schema)
    with pytest.raises(jsonschema.ValidationError, match="示例顾客"):
        jsonschema.validate({**body, "narrative": "示例顾客"}, schema)


def schema_file(event_type: str) -> Path:
    return documents.ROOT / documents.EVENTS / "schemas" / f"{event_type}.json"
