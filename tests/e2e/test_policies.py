"""Policies through the front door: laid out, refused, published, acknowledged, in force from their day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from libs.policy import pack
from services.oversight.app import SERVICE
from tests import service_kit

SHIPPED = (pack.FOLDER / "standard.yaml").read_text("utf-8")
TOMORROW = date.today() + timedelta(days=2)  # noqa: DTZ011 - far enough in any time zone
SCOPES = "complaints:read complaints:write policy:write"
rule = pytest.mark.rule


@pytest_asyncio.fixture
async def oversight(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with service_kit.serving(SERVICE, tmp_path) as client:
        client.headers["Authorization"] = f"Bearer {service_kit.token(sub='general-manager', scope=SCOPES)}"
        yield client


def text(version: int = 2, effective_from: date = TOMORROW, change: Callable[[str], str] = str) -> str:
    lines = change(SHIPPED).replace("version: 1", f"version: {version}", 1)
    return lines.replace("effective_from: 2026-01-01", f"effective_from: {effective_from}", 1)


async def publish(client: httpx.AsyncClient, policy: str, version: int = 2) -> dict[str, Any]:
    assert (await client.post("/v1/policies", json={"text": policy})).status_code == 201
    answer = await client.post(f"/v1/policies/{version}/publication")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@rule("GOV-1")
async def test_the_shipped_policy_is_in_force_until_one_is_published(oversight: httpx.AsyncClient) -> None:
    answer = (await oversight.get("/v1/policies/in-force")).json()
    assert (answer["name"], answer["version"], answer["shipped"]) == ("standard", 1, True)
    assert answer["text"] == SHIPPED


@rule("GOV-1")
async def test_a_policy_decides_from_its_day_on(oversight: httpx.AsyncClient) -> None:
    assert (await publish(oversight, text()))["published"]
    today = (await oversight.get("/v1/policies/in-force")).json()
    later = (await oversight.get("/v1/policies/in-force", params={"on": TOMORROW.isoformat()})).json()
    assert (today["version"], later["version"]) == (1, 2)
    assert later["text"] == text()


@rule("GOV-1")
async def test_staff_acknowledge_what_they_have_read(oversight: httpx.AsyncClient) -> None:
    await publish(oversight, text())
    answer = await oversight.post(
        "/v1/policies/2/acknowledgements",
        headers={"Authorization": f"Bearer {service_kit.token(sub='quality-officer', scope=SCOPES)}"},
    )
    assert answer.json()["acknowledged_by"] == ["quality-officer"]


@rule("GOV-2")
async def test_a_contradictory_pack_is_refused_with_its_lines(oversight: httpx.AsyncClient) -> None:
    broken = text(
        change=lambda shipped: shipped.replace("responsible: quality-officer", "responsible: nobody")
    )
    line = next(n for n, said in enumerate(broken.splitlines(), 1) if "responsible: nobody" in said)
    content = service_kit.problem(
        await oversight.post("/v1/policies", json={"text": broken}), 422, "malformed", "/text"
    )
    assert f"text:{line}:" in content["errors"][0]["detail"]
    assert (await oversight.get("/v1/policies/in-force")).json()["version"] == 1


@rule("GOV-2")
async def test_beside_a_refused_pack_the_published_one_goes_on_deciding(oversight: httpx.AsyncClient) -> None:
    await publish(oversight, text())
    broken = text(version=3, change=lambda shipped: shipped.replace("monday: &office", "mondays: &office"))
    line = next(n for n, said in enumerate(broken.splitlines(), 1) if "mondays:" in said)
    content = service_kit.problem(
        await oversight.post("/v1/policies", json={"text": broken}), 422, "malformed"
    )
    assert any(
        f"text:{line}:" in fault["detail"] and "mondays" in fault["detail"] for fault in content["errors"]
    )
    service_kit.problem(await oversight.post("/v1/policies/3/publication"), 404, "not_found")
    later = (await oversight.get("/v1/policies/in-force", params={"on": TOMORROW.isoformat()})).json()
    assert (later["version"], later["text"]) == (2, text())


@rule("GOV-2")
async def test_what_is_no_yaml_is_refused(oversight: httpx.AsyncClient) -> None:
    answer = await oversight.post("/v1/policies", json={"text": "people: ["})
    service_kit.problem(answer, 422, "malformed", "/text")


@rule("GOV-1")
async def test_a_published_policy_never_changes(oversight: httpx.AsyncClient) -> None:
    await publish(oversight, text())
    changed = text(change=lambda shipped: shipped.replace("within_hours: 24", "within_hours: 48"))
    answer = await oversight.post("/v1/policies", json={"text": changed})
    service_kit.problem(answer, 409, "already_published")


@rule("GOV-1")
async def test_whoever_saw_an_older_state_of_the_policies_publishes_nothing(
    oversight: httpx.AsyncClient,
) -> None:
    drafted = await oversight.post("/v1/policies", json={"text": text()})
    seen = {"If-Match": drafted.headers["etag"]}
    await oversight.post("/v1/policies", json={"text": text(version=3)})
    stale = await oversight.post("/v1/policies/2/publication", headers=seen)
    service_kit.problem(stale, 412, "stale_version")
    drafts = await oversight.post("/v1/policies", json={"text": text(version=4)}, headers=seen)
    service_kit.problem(drafts, 412, "stale_version")
    seen = {"If-Match": stale.headers["etag"]}
    published = await oversight.post("/v1/policies/2/publication", headers=seen)
    assert published.json()["published"]
    late = await oversight.post("/v1/policies/2/acknowledgements", headers=seen)
    service_kit.problem(late, 412, "stale_version")
    in_force = await oversight.get("/v1/policies/in-force")
    assert in_force.headers["etag"] == published.headers["etag"]


async def test_only_who_may_write_policy_publishes(oversight: httpx.AsyncClient) -> None:
    answer = await oversight.post(
        "/v1/policies",
        json={"text": text()},
        headers={"Authorization": f"Bearer {service_kit.token(scope='complaints:write')}"},
    )
    service_kit.problem(answer, 403, "insufficient_scope")


async def test_the_first_answer_is_given_again(oversight: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "once"}
    first = await oversight.post("/v1/policies", json={"text": text()}, headers=key)
    again = await oversight.post("/v1/policies", json={"text": text()}, headers=key)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
