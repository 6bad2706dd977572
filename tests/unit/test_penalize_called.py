"""Step 7 over HTTP: the rules of which day decide, on whom they are binding, and who may not decide."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.events.contracts.intake import ComplaintAmended
from libs.events.contracts.policy import PolicyAcknowledged, PolicyPublished
from libs.events.contracts.values import Respondent, RespondentKind
from libs.service import policies
from tests.packs import text_with
from tests.service_kit import problem
from tests.unit.callers import CALLS, FINDING, SANCTION, THIS, Office
from tests.unit.callers import office as make
from tests.unit.resolution_situations import DAY, NOW, open_it, raise_it

rule = pytest.mark.rule
WORKER = "production-officer"
CALLED = CALLS["sanction"]
SECOND = text_with(("version: 1", "version: 2"), ("effective_from: 2026-01-01", "effective_from: 2026-11-21"))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with make("resolution", tmp_path) as found:
        yield found


async def publish(office: Office, acknowledged_at: datetime | None = None) -> None:
    """The second version of the policy, in force from 21 November on."""
    published = PolicyPublished(
        name="standard",
        version=2,
        effective_from=date(2026, 11, 21),
        text=SECOND,
        author="general-manager",
        published_at=NOW - 10 * DAY,
    )
    stream = f"policy-{policies.key_of('main')}"
    await office.says(stream, published)
    if acknowledged_at is not None:
        read = PolicyAcknowledged(name="standard", version=2, person=WORKER, acknowledged_at=acknowledged_at)
        await office.says(stream, read)


def acted(at: datetime) -> tuple[Any, ...]:
    return (open_it, replace(raise_it, acted_at=at))


@rule("PEN-3", "GOV-1")
async def test_a_sanction_is_imposed_by_the_version_in_force_on_the_day_of_the_act(office: Office) -> None:
    await publish(office, acknowledged_at=NOW - 9 * DAY)
    await office.given(CALLED, acted(NOW - 3 * DAY))
    answer = await office.post(CALLED)
    assert answer.status_code == 201, answer.text
    (sanction,) = answer.json()["sanctions"]
    assert (sanction["policy"], sanction["clause"]) == ("standard@1", "PEN-L1")


@rule("PEN-3", "GOV-1")
async def test_what_was_done_since_is_judged_by_the_new_version_that_the_person_had_read(
    office: Office,
) -> None:
    await publish(office, acknowledged_at=NOW - 9 * DAY)
    await office.given(CALLED, acted(NOW - DAY))
    answer = await office.post(CALLED)
    assert answer.status_code == 201, answer.text
    assert answer.json()["sanctions"][0]["policy"] == "standard@2"


@rule("PEN-3", "LAW-1")
@pytest.mark.parametrize("read_at", [None, NOW - DAY / 2], ids=["never read", "read after the act"])
async def test_rules_that_the_person_had_not_read_before_the_act_do_not_bind_them(
    office: Office, read_at: datetime | None
) -> None:
    await publish(office, acknowledged_at=read_at)
    await office.given(CALLED, acted(NOW - DAY))
    refused = problem(await office.post(CALLED), 409, "rules_not_acknowledged")
    assert refused["policy"] == "standard@2"
    waived = {"person": WORKER, "reason": "nobody had told them"}
    assert (await office.post(replace(CALLS["waive"], body=waived))).status_code == 200


@rule("PEN-3")
async def test_nothing_is_imposed_for_what_is_yet_to_be_done(office: Office) -> None:
    await office.given(CALLED, acted(NOW - DAY))
    ahead = replace(CALLED, body={**SANCTION, "acted_at": (NOW + DAY).isoformat()})
    problem(await office.post(ahead), 422, "malformed", "/acted_at")


@rule("INV-6", "PEN-1", "PEN-8")
async def test_a_repeat_repair_is_put_to_the_penalty_step_as_what_it_is(office: Office) -> None:
    repeated = replace(CALLED, body={**SANCTION, "clause": "PEN-M4"})
    await office.given(CALLED, CALLED.given, found=replace(FINDING, repeat_repair=True))
    answer = await office.post(repeated)
    assert answer.status_code == 201, answer.text
    assert answer.json()["sanctions"][0]["way"] == "major_demerit"


@rule("INV-6")
async def test_what_is_no_repeat_repair_is_not_punished_as_one(office: Office) -> None:
    await office.given(CALLED, CALLED.given)
    refused = await office.post(replace(CALLED, body={**SANCTION, "clause": "PEN-M4"}))
    assert "PEN-M4" not in problem(refused, 409, "clause_does_not_apply")["applicable"]


@rule("ASG-4", "PEN-3", "PEN-5")
@pytest.mark.parametrize("name", ["sanction", "waive", "acquit", "spare"])
async def test_over_http_nobody_decides_in_a_complaint_about_their_head(office: Office, name: str) -> None:
    called = CALLS[name]
    about = Respondent(kind=RespondentKind.PERSON, reference="quality-head")
    amended = ComplaintAmended(
        complaint_id=THIS,
        data_subject=f"customer:C-{THIS}",
        amended_at=NOW,
        author="li.wei",
        reason="whom it is about",
        respondent=about,
    )
    await office.given(called, called.given)
    await office.says(f"intake-{THIS}", amended)
    problem(await office.post(called), 409, "judge_in_own_cause")
    above = await office.post(replace(called, by="deputy-general-manager"))
    assert above.status_code in (200, 201), above.text
