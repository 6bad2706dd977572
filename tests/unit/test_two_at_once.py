"""Two people decide at once: one wins, the other hears how it stands; what comes too early is refused."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service_kit import problem
from tests.unit import callers, intake_callers
from tests.unit.callers import SERVICES, office
from tests.unit.intake_situations import HISTORIES

CALLS = {
    **callers.CALLS,
    **{f"intake: {name}": called for name, called in intake_callers.CALLS.items()},
}
RIVALS = callers.RIVALS | intake_callers.RIVALS
# What is new has no version that anybody could have seen.
WITHOUT_VERSION = {"/v1/complaints", "/v1/complaints/import", "/v1/improvements"}
FIRST = r"(?i)\b(first|must|before|needs?|needed|only|once|again|anew|instead)\b"
WON = (200, 201)
every_call = pytest.mark.parametrize("name", CALLS)


def says_how_it_stands(answer: httpx.Response, version: int) -> dict[str, Any]:
    assert answer.headers["etag"] == f'"{version}"', answer.text
    content: dict[str, Any] = answer.json()
    assert content["current_version"] == version
    return content


@every_call
async def test_who_saw_another_version_hears_which_one_it_is_now(name: str, tmp_path: Path) -> None:
    called = CALLS[name]
    async with office(called.service, tmp_path) as at:
        version = await at.given(called, called.given)
        answer = await at.post(called, **{"If-Match": f'"{version + 1}"'})
        problem(answer, 412, "stale_version")
        says_how_it_stands(answer, version)
        answer = await at.post(called, **{"If-Match": f'"{version}"'})
        assert answer.status_code in WON, answer.text


@every_call
async def test_of_two_who_saw_the_same_one_wins(name: str, tmp_path: Path) -> None:
    called = CALLS[name]
    async with office(called.service, tmp_path) as at:
        version = await at.given(called, called.given)
        seen = {"If-Match": f'"{version}"'}
        answers = await asyncio.gather(at.post(called, **seen), at.post(called, **seen))
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert won.status_code in WON, won.text
        problem(lost, 412, "stale_version")
        assert lost.headers["etag"] == won.headers["etag"]


@pytest.mark.parametrize("name", RIVALS)
async def test_of_two_who_disagree_one_wins_and_the_other_is_told(name: str, tmp_path: Path) -> None:
    one, other = RIVALS[name]
    async with office(one.service, tmp_path) as at:
        await at.given(one, one.given)
        answers = await asyncio.gather(at.post(one), at.post(other))
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert won.status_code in WON, won.text
        assert lost.status_code == 409, lost.text
        says_how_it_stands(lost, int(won.headers["etag"].strip('"')))


@pytest.mark.parametrize("name", [name for name, called in CALLS.items() if called.too_early is not None])
async def test_what_is_out_of_order_is_refused_with_what_must_happen_first(name: str, tmp_path: Path) -> None:
    called = CALLS[name]
    assert called.too_early is not None
    async with office(called.service, tmp_path) as at:
        version = await at.given(called, called.too_early)
        answer = await at.post(called)
        content = problem(answer, 409, called.code)
        says_how_it_stands(answer, version)
        assert re.search(FIRST, content["detail"]), content["detail"]


@pytest.mark.parametrize("situation", [name for name in HISTORIES if name != "not recorded"])
@pytest.mark.parametrize("name", intake_callers.CALLS)
async def test_intake_does_it_or_says_what_comes_first(name: str, situation: str, tmp_path: Path) -> None:
    called = intake_callers.CALLS[name]
    async with office("intake", tmp_path) as at:
        version = await at.given(called, HISTORIES[situation])
        answer = await at.post(called)
        if answer.status_code in WON:
            return
        content = problem(answer, 409, answer.json()["code"])
        says_how_it_stands(answer, version)
        assert re.search(FIRST, content["detail"]), content["detail"]


def test_every_command_has_a_case() -> None:
    paths = {f"/v1/{called.path}".partition("?")[0] for called in CALLS.values()}
    known = {re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|/\d+(?=/|$)", "*", path) for path in paths}
    known = {path.replace("*", "/*").replace("//", "/") for path in known}
    offered = {
        re.sub(r"\{\w+\}", "*", getattr(route, "path", ""))
        for service in SERVICES.values()
        for router in service.routers
        for route in router.routes
        if "POST" in getattr(route, "methods", ())
    }
    assert offered - known == WITHOUT_VERSION
