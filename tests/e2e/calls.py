"""What tests ask of intake, in a word each; the answers are checked to be what a caller expects."""

from typing import Any

import httpx

from tests.e2e import desk

COMPLAINTS = "/v1/complaints"
Answer = dict[str, Any]


def path(answer: Answer, rest: str = "") -> str:
    """Where a complaint is, or something of it."""
    return f"{COMPLAINTS}/{answer['complaint_id']}" + (f"/{rest}" if rest else "")


async def record(client: httpx.AsyncClient, **changes: Any) -> Answer:
    """A new complaint's answer."""
    return expect(await client.post(COMPLAINTS, json=desk.body(**changes)), 201)


async def read(client: httpx.AsyncClient, answer: Answer) -> Answer:
    """Its dossier."""
    return expect(await client.get(path(answer)))


async def submit(client: httpx.AsyncClient, answer: Answer, step: str, **members: Any) -> Answer:
    """Where it stands after a step, which has a reason."""
    return expect(await client.post(path(answer, step), json={"reason": "the customer called", **members}))


def expect(answer: httpx.Response, status: int = 200) -> Answer:
    assert answer.status_code == status, answer.text
    content: Answer = answer.json()
    return content
