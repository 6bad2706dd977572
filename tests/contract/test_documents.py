"""The published documents say what the code does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
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

PUBLISHED = [
    file for folder in (documents.EVENTS, documents.APIS) for file in (documents.ROOT / folder).rglob("*.*")
]


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


def references(part: Any) -> Iterator[str]:
    """Every `$ref` below a part of a document."""
    if isinstance(part, dict):
        yield from (value for name, value in part.items() if name == "$ref")
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from references(inner)


def leads_nowhere(reference: str, document: Any, folder: Path) -> bool:
    """Whether neither the document nor a file beside it has what a `$ref` names."""
    file, _, pointer = reference.partition("#")
    if file:
        return not (folder / file).exists()
    for name in pointer.removeprefix("/").split("/"):
        if name.replace("~1", "/").replace("~0", "~") not in document:
            return True
        document = document[name.replace("~1", "/").replace("~0", "~")]
    return False


@pytest.mark.parametrize("file", sorted(PUBLISHED), ids=lambda file: file.name)
def test_every_reference_leads_somewhere(file: Path) -> None:
    document = (json.loads if file.suffix == ".json" else yaml.safe_load)(file.read_text())
    assert [r for r in references(document) if leads_nowhere(r, document, file.parent)] == []
    if file.name == "asyncapi.yaml":
        assert document["asyncapi"].startswith("3.")
        assert {operation["action"] for operation in document["operations"].values()} == {"send"}
    elif file.parent.name == "api":
        assert document["openapi"].startswith("3.1")


def test_a_reference_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    document = {"a": [{"$ref": "#/b/c~1d"}, {"$ref": "#/b/e"}, {"$ref": "./x.json"}], "b": {"c/d": 1}}
    lost = [r for r in references(document) if leads_nowhere(r, document, tmp_path)]
    assert lost == ["#/b/e", "./x.json"]


def test_a_published_body_fits_its_schema_and_a_plain_personal_text_does_not() -> None:
    key, _ = KeyEncryptionKey(os.urandom(32)).new_key("main", RECORDED.data_subject)
    body = json.loads(codec.encode(RECORDED, PLACE, key).body)
    schema = json.loads(schema_file("complaints.intake.complaint_recorded.v1").read_text())
    jsonschema.validate(body, schema)
    with pytest.raises(jsonschema.ValidationError, match="示例顾客"):
        jsonschema.validate({**body, "narrative": "示例顾客"}, schema)


def schema_file(event_type: str) -> Path:
    return documents.ROOT / documents.EVENTS / "schemas" / f"{event_type}.json"
