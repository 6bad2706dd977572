"""The handling form of a complaint that went all the way, as the services themselves put it on record."""

import httpx
import pytest

from deploy.local import tokens
from deploy.simulation.resources import LOG
from tests import printed_page
from tests.e2e import offices
from tests.e2e.steps import READER
from tests.e2e.test_paths import FIRST_DAY, HANDLER, MAKER, MAKERS_HEAD, goods

EIGHT = ("Record", "Classify", "Assign", "Investigate", "Propose", "Notify", "Penalize", "Improve")


@pytest.mark.rule("REC-7")
async def test_every_step_that_is_done_says_by_whom_and_when() -> None:
    async with offices.simulated() as (office, world):
        complaint = await office.record(**goods(delivered_on="2025-12-20"), **FIRST_DAY)
        await complaint.find(MAKER, cause="seam")
        await complaint.propose("repair", 150)
        await complaint.answer("accepted")
        await complaint.execute()
        sanction = await complaint.sanction(MAKER, "PEN-L1")
        await complaint.waive(MAKERS_HEAD)
        await complaint.spare()
        await complaint.closes("resolved")
        await complaint.appeal(sanction)
        bearer = tokens.mint(world.ground.signing_keys, LOG, tokens.SCOPES, READER, tokens.TTL_SECONDS)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(world.apps["resolution"]),
            base_url="http://resolution",
            headers={"authorization": f"Bearer {bearer}"},
        ) as reader:
            path = f"/v1/complaints/{complaint.id}/handling-form"
            english = printed_page.read(await reader.get(path, params={"language": "en"}), "en")
            chinese = printed_page.read(await reader.get(path, params={"language": "zh-CN"}), "zh-CN")
    assert english.beside("Status").startswith("resolved 20")
    for number, step in enumerate(EIGHT, start=1):
        done = "not done" if step == "Penalize" else "done"  # the appeal waits for its judge
        assert f"{number}. {step} {done}\n" in english.text
    lines = {row[0]: row for row in english.rows if len(row) == 4}
    assert all(by and at.startswith("20") for _, _, by, at in list(lines.values())[1:])
    assert lines["Judged"][2] == "the system, by rule"
    assert lines["No measure needed"][2] == "Quality engineer", HANDLER
    assert lines["Appealed"][2] == "Production supervisor"
    assert lines["Missing"][1] == "the decision of an appeal"
    assert "Stage: signed for" in lines["Carried out"][1]
    assert len(chinese.rows) == len(english.rows)
