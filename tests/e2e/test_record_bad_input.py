"""Whatever is sent: a 4xx that names the field, or stored and returned byte for byte; never a 500."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake import models
from tests import backends, service_kit
from tests.e2e import desk
from tests.e2e.calls import COMPLAINTS, expect, read, record

LATER = (datetime.now(UTC) + timedelta(days=1)).isoformat()
JSON = {"content-type": "application/json"}


def within(part: str, **changes: Any) -> dict[str, Any]:
    return {part: {**desk.body()[part], **changes}}


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"colour": "red"}, "/colour"),
    "unknown field within": (within("demand", colour="red"), "/demand/colour"),
    "unknown channel": ({"channel": "pigeon"}, "/channel"),
    "unknown demand": (within("demand", kind="revenge"), "/demand/kind"),
    "unknown language": (within("complainant", language="tlh"), "/complainant/language"),
    "received in the future": ({"received_at": LATER, "occurred_at": None}, "/received_at"),
    "occurred in the future": ({"occurred_at": LATER}, "/occurred_at"),
    "time without a zone": ({"received_at": "2026-11-20T09:12:00"}, "/received_at"),
    "time as a number": ({"received_at": 1763600000}, "/received_at"),
    "time as digits": ({"received_at": "1763600000"}, "/received_at"),
    "year one": ({"received_at": "0001-01-01T00:00:00+08:00"}, "/received_at"),
    "thirteenth month": ({"received_at": "2026-13-01T00:00:00Z"}, "/received_at"),
    "no narrative": ({"narrative": None}, "/narrative"),
    "empty narrative": ({"narrative": ""}, "/narrative"),
    "blank narrative": ({"narrative": " \t\n\u3000"}, "/narrative"),
    "narrative too long": ({"narrative": "x" * (models.NARRATIVE_CHARACTERS_MAX + 1)}, "/narrative"),
    "narrative no text": ({"narrative": 5}, "/narrative"),
    "narrative a list": ({"narrative": ["x"]}, "/narrative"),
    "NUL": ({"narrative": "a\x00b"}, "/narrative"),
    "nobody to reach": ({"complainant": {"name": "王"}}, "/complainant"),
    "blank phone": (within("complainant", phone=" "), "/complainant/phone"),
    "blank name": (within("complainant", name="　"), "/complainant/name"),
    "negative quantity": (within("product", quantity=-1), "/product/quantity"),
    "true as a quantity": (within("product", quantity=True), "/product/quantity"),
    "half a piece": (within("product", quantity=1.5), "/product/quantity"),
    "quantity as text": (within("product", quantity="3"), "/product/quantity"),
    "quantity too large": (within("product", quantity=10**20), "/product/quantity"),
    "more defective than delivered": (
        within("product", defective_quantity=41),
        "/product/defective_quantity",
    ),
    "a day with a time": (within("product", delivered_on="2026-11-10T00:00:00Z"), "/product/delivered_on"),
    "money as a number": (within("demand", money={"amount": 1.1, "currency": "CNY"}), "/demand/money/amount"),
    "negative money": (within("demand", money={"amount": "-1", "currency": "CNY"}), "/demand/money/amount"),
    "no currency": (within("demand", money={"amount": "1", "currency": "yuan"}), "/demand/money/currency"),
    "source without reference": ({"source": {"system": "crm"}}, "/source/reference"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_refused_and_named(client: httpx.AsyncClient, fault: str) -> None:
    changes, pointer = FAULTS[fault]
    service_kit.problem(await client.post(COMPLAINTS, json=desk.body(**changes)), 422, "malformed", pointer)


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (b"{", ""),
        (b"", ""),
        (b"[]", ""),
        (b'{"narrative": "\xff"}', ""),
        (b"null", ""),
        (b"[" * 100_000, ""),
    ],
)
async def test_what_is_no_complaint_at_all_is_refused(
    client: httpx.AsyncClient, content: bytes, pointer: str
) -> None:
    sent = await client.post(COMPLAINTS, content=content, headers=JSON)
    service_kit.problem(sent, 422, "malformed", pointer)


@pytest.mark.parametrize("half", [r"\ud83d", r"\udca1", r"x\ud83dx"])
async def test_half_a_character_is_refused(client: httpx.AsyncClient, half: str) -> None:
    content = json.dumps(desk.body()).replace("tubes", half)
    sent = await client.post(COMPLAINTS, content=content, headers=JSON)
    service_kit.problem(sent, 422, "malformed", "/narrative")


async def test_other_media_types_and_sizes_are_refused(client: httpx.AsyncClient) -> None:
    text = await client.post(COMPLAINTS, content=b"x", headers={"content-type": "text/plain"})
    service_kit.problem(text, 415, "unsupported_media_type")
    large = await client.post(COMPLAINTS, content=b" " * (4 * 1024 * 1024 + 1), headers=JSON)
    service_kit.problem(large, 413, "content_too_large")
    service_kit.problem(await client.put(COMPLAINTS, json={}), 405, "method_not_allowed")


EXACT = {
    "a megabyte": "闪" * (models.NARRATIVE_CHARACTERS_MAX - 1) + "x",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85\u2028 x",
    "emoji and mixed Chinese": "三支灯管💡👩‍👩‍👧‍👦 flicker ﷽ 𠮷 𠀀",
    "composed and decomposed": "é e\u0301 Å \u212b ﬁ",
    "both directions": "\u202eabc\u202c שלום مرحبا",
    "byte order mark": "\ufeffx\ufffe\uffff",
    "blanks around": "  x \r\n ",
    "what looks sealed": '{"sealed": "x:y"} [erased] \\ud83d </script> \' -- %s',
}


@pytest.mark.rule("REC-1")
@pytest.mark.parametrize("text", EXACT.values(), ids=EXACT.keys())
async def test_text_comes_back_as_it_was_sent(client: httpx.AsyncClient, text: str) -> None:
    answer = await record(client, narrative=text)
    assert (await read(client, answer))["narrative"] == text


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=200)


@pytest.mark.rule("REC-1")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(narrative=TEXT, name=TEXT)
async def test_any_text_is_refused_by_name_or_comes_back_as_it_was_sent(
    client: httpx.AsyncClient, narrative: str, name: str
) -> None:
    body = desk.body(narrative=narrative, **within("complainant", name=name))
    sent = await client.post(COMPLAINTS, json=body)
    if sent.status_code == 422:
        pointers = {fault["pointer"] for fault in sent.json()["errors"]}
        blank = {"/narrative": narrative, "/complainant/name": name}
        assert pointers == {pointer for pointer, text in blank.items() if not text.strip()}
    else:
        dossier = await read(client, expect(sent, 201))
        assert (dossier["narrative"], dossier["complainant"]["name"]) == (narrative, name)


async def test_without_the_database_nothing_is_acknowledged_and_the_service_recovers(
    postgres: backends.PostgresServer, database: backends.Database, tmp_path: Path
) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        await record(client)
        postgres.stop()
        body = desk.body()
        began = datetime.now(UTC)
        refused = await client.post(COMPLAINTS, json=body)
        service_kit.problem(refused, 503, "unavailable")
        assert refused.headers["retry-after"].isdigit()
        assert datetime.now(UTC) - began < timedelta(seconds=3)  # two, and what a busy machine adds
        assert (await client.get("/livez")).status_code == 200
        postgres.start()
        while (sent := await client.post(COMPLAINTS, json=body)).status_code == 503:
            pass
        assert sent.status_code == 201
