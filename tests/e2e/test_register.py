"""The complaint register as a document: one line a complaint, in both languages (REC-7)."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.intake.app import SERVICE
from tests import backends, printed_page, service_kit
from tests.e2e import desk
from tests.e2e.calls import COMPLAINTS, record, submit
from tests.printed_page import Page

REGISTER = f"{COMPLAINTS}/register"
WOULD_RUN = "王<script>alert('小明')</script> & O’Neil \"三\""
WHO = "customer:C-1"


@pytest.fixture
async def intake(database: backends.Database, tmp_path: Path) -> AsyncIterator[desk.Intake]:
    async with desk.running(database, tmp_path) as running:
        yield running


async def register(client: httpx.AsyncClient, language: str = "en", **params: str) -> Page:
    answer = await client.get(REGISTER, params={"language": language, **params})
    return printed_page.read(answer, language)


@pytest.mark.rule("REC-7")
async def test_one_line_a_complaint_in_both_languages(intake: desk.Intake, client: httpx.AsyncClient) -> None:
    money = {"amount": "99.50", "currency": "CNY"}
    first = await record(client, demand={"kind": "refund", "text": "退钱", "money": money})
    second = await record(
        client, contact="enquiry", product=None, respondent={"kind": "unit", "reference": "sales"}
    )
    await intake.catch_up()
    english = await register(client)
    assert english.title == "Complaint register"
    assert [row[0] for row in english.rows] == ["Number", first["number"], second["number"]]
    line = english.row(1)
    assert line["Received"] == "2026-11-20 09:12", "on the organisation's clock"
    assert (line["Complainant"], line["Channel"], line["Status"]) == ("王小明", "phone", "recorded")
    assert line["Respondent"] == "product LED-T8-18W\nT8 灯管"
    assert line["Product, order"] == "SO-1\nLED-T8-18W"
    assert line["Demand"] == "refund\n退钱\n99.50 CNY"
    assert english.row(2)["Status"] == "enquiry"
    chinese = await register(client, "zh-CN")
    assert chinese.title == "客户投诉登记表"
    line = chinese.row(1)
    assert (line["编号"], line["受理渠道"], line["状态"]) == (first["number"], "电话", "待判断")
    assert line["投诉要求"] == "退款\n退钱\n99.50 CNY"
    assert chinese.row(2)["被投诉方"] == "部门 sales"
    assert set(chinese.scopes) >= {"编号", "状态", first["number"]}


@pytest.mark.rule("REC-7", "REC-6")
async def test_the_newest_word_holds_and_says_that_it_was_amended(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    complaint = await record(client)
    await submit(client, complaint, "amendments", complainant={"name": WOULD_RUN})
    await intake.catch_up()
    assert "<script>" not in (await client.get(REGISTER)).text
    line = (await register(client)).row(1)
    assert line["Complainant"] == WOULD_RUN
    assert "\namended 20" in line["Received"]
    assert "\n已更正 20" in (await register(client, "zh-CN")).row(1)["受理时间"]


@pytest.mark.rule("REC-7", "SEC-2")
async def test_no_name_is_shown_to_who_may_not_read_it_nor_once_it_is_erased(
    intake: desk.Intake, client: httpx.AsyncClient, database: backends.Database
) -> None:
    named = {"name": "王小明", "phone": "13800000001", "customer_id": "C-1"}
    await record(client, complainant=named)
    await intake.catch_up()
    async with intake.client("complaints:read") as reader:
        withheld = await register(reader)
        assert withheld.row(1)["Complainant"] == "(withheld)\nC-1"
        assert withheld.row(1)["Demand"] == "replacement\n(withheld)"
        assert "王小明" not in withheld.text
        assert (await register(reader, "zh-CN")).row(1)["投诉人"] == "（无权查看）\nC-1"
    assert (await register(client)).row(1)["Complainant"] == "王小明\nC-1"
    await desk.erase(database, intake, WHO)
    await intake.catch_up()
    erased = await register(client)
    assert erased.row(1)["Complainant"] == "(erased)\nC-1"
    assert "王小明" not in erased.text
    assert "T8 灯管" not in erased.text
    assert (await register(client, "zh-CN")).row(1)["投诉人"] == "（已删除）\nC-1"


@pytest.mark.rule("REC-7")
async def test_the_register_of_a_time_goes_on_over_every_page(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    answers = [await record(client) for _ in range(23)]
    await intake.catch_up()
    numbers = [row[0] for row in (await register(client)).rows[1:]]
    assert numbers == [answer["number"] for answer in answers]
    since, until = answers[3]["recorded_at"], answers[20]["recorded_at"]
    some = await register(client, recorded_from=since, recorded_to=until)
    assert [row[0] for row in some.rows[1:]] == numbers[3:20]
    assert len((await register(client, recorded_to=answers[0]["recorded_at"])).rows) == 1, "headings alone"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh-Hans-CN;q=0.9, en;q=0.4", "zh-CN"),
        ("fr, EN;q=0.5", "en"),
        ("en;q=0", "zh-CN"),
        ("*;q=0.1", "zh-CN"),
        ("fr;q=banana,;", "zh-CN"),
        ("", "zh-CN"),
    ],
)
@pytest.mark.rule("REC-7")
async def test_the_language_is_the_readers(client: httpx.AsyncClient, accepted: str, language: str) -> None:
    answer = await client.get(REGISTER, headers={"accept-language": accepted})
    printed_page.read(answer, language)
    assert answer.headers["vary"] == "Accept-Language"


async def test_a_register_nobody_can_write_is_refused(intake: desk.Intake, client: httpx.AsyncClient) -> None:
    answer = await client.get(REGISTER, params={"language": "fr"})
    service_kit.problem(answer, 422, "malformed", "/language")
    async with intake.client("complaints:write") as writer:
        service_kit.problem(await writer.get(REGISTER), 403, "insufficient_scope")


@pytest.mark.rule("REC-7")
async def test_a_register_that_cannot_be_read_is_no_half_document(tmp_path: Path) -> None:
    async with service_kit.serving(SERVICE, tmp_path) as nowhere:
        service_kit.problem(await nowhere.get(REGISTER), 503, "unavailable")


async def test_another_organisation_has_a_register_of_its_own(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    await record(client)
    await intake.catch_up()
    async with intake.client(org="nobody") as stranger:
        assert (await stranger.get(REGISTER)).status_code == 403
