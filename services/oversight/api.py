"""Policies over HTTP: lay out, publish, acknowledge, and see which one is in force (GOV-1, GOV-2)."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Path
from starlette.responses import Response

from libs.events import errors
from libs.events.decider import Stream
from libs.policy import pack
from libs.service import auth, body, commands, failures, idempotency, policies, wiring
from libs.service.auth import Caller
from services.oversight import publish, state
from services.oversight.models import PolicyAnswer, PolicyBody, PolicyInForce

router: Final = body.Router(tags=["policies"])
STREAM: Final[Stream[state.Policies]] = Stream(policies.CATEGORY, state.INITIAL, state.evolve)
Reader = Annotated[Caller, auth.require("complaints:read")]
Written = Annotated[commands.Call, commands.called("policy:write")]
Version = Annotated[int, Path(ge=1, description="The version the pack gives itself.")]


@router.post("/v1/policies", status_code=201, summary="Check a policy pack and lay it out (GOV-2)")
async def draft_policy(body: PolicyBody, call: Written) -> PolicyAnswer:
    """An invalid or contradictory pack is refused with every fault's line; what is in force stays."""
    checked = await _checked(body.text)
    command = publish.DraftPolicy(
        name=checked.name,
        version=checked.version,
        effective_from=checked.effective_from,
        text=body.text,
        author=call.caller.subject,
        now=call.now,
    )
    standing = await _carry_out(call, command, body)
    call.response.headers["Location"] = f"/v1/policies/{checked.version}"
    return _answer(standing, checked.version)


@router.post("/v1/policies/{version}/publication", summary="Publish a version for its day (GOV-1)")
async def publish_policy(version: Version, call: Written) -> PolicyAnswer:
    """From its day on it decides, and it can never change again."""
    command = publish.PublishPolicy(
        version=version,
        author=call.caller.subject,
        today=call.policy.day_of(call.now),
        now=call.now,
    )
    standing = await _carry_out(call, command, b"")
    return _answer(standing, version)


@router.post("/v1/policies/{version}/acknowledgements", summary="Say that you have read a version (GOV-1)")
async def acknowledge_policy(version: Version, call: commands.Called) -> PolicyAnswer:
    """A sanction can rest only on a policy that the person had acknowledged (PEN-3)."""
    command = publish.AcknowledgePolicy(version=version, person=call.caller.subject, now=call.now)
    standing = await _carry_out(call, command, b"")
    return _answer(standing, version)


@router.get("/v1/policies/in-force", summary="The policy that decides on a day (GOV-1)")
async def policy_in_force(
    response: Response, caller: Reader, resources: wiring.Wired, on: date | None = None
) -> PolicyInForce:
    """Today's where no day is given. Its ETag, of all policies laid out so far, serves If-Match."""
    found = (
        await resources.policies.on(caller.org, on)
        if on
        else await resources.policies.in_force(caller.org, resources.now())
    )
    history = await resources.store.read_stream(caller.org, STREAM.name(policies.key_of(caller.org)))
    known = STREAM.fold(STREAM.initial, [each.event for each in history])
    if history:
        response.headers["ETag"] = idempotency.etag(history[-1].envelope.version)
    published = known.published.get(found.version)
    if published is None:
        return PolicyInForce(
            **_said(known, found.version, found.name, found.effective_from),
            shipped=True,
            text=(pack.FOLDER / f"{found.name}.yaml").read_text("utf-8"),
        )
    return PolicyInForce(
        **_said(known, found.version, found.name, found.effective_from), shipped=False, text=published.text
    )


async def _carry_out(
    call: commands.Call, command: publish.Command, said: PolicyBody | bytes
) -> commands.Standing[state.Policies]:
    org = call.caller.org
    standing = await call.submit(STREAM, policies.key_of(org), publish.decide, command, said)
    call.resources.policies.changed(org)
    return standing


async def _checked(text: str) -> pack.Pack:
    try:
        return await asyncio.to_thread(pack.parse, text, "text")  # it takes longer than others can wait
    except pack.WrongPack as wrong:
        faults = [failures.fault("/text", "policy_fault", str(fault)) for fault in wrong.faults]
        raise errors.Malformed("The policy pack cannot be used.", errors=faults) from None


def _answer(standing: commands.Standing[state.Policies], version: int) -> PolicyAnswer:
    known = standing.state
    about = known.published.get(version) or known.drafts[version]
    return PolicyAnswer(**_said(known, version, about.name, about.effective_from))


def _said(known: state.Policies, version: int, name: str, effective_from: date) -> dict[str, Any]:
    published = known.published.get(version)
    return {
        "name": name,
        "version": version,
        "effective_from": effective_from,
        "published": published is not None,
        "published_at": published.published_at if published else None,
        "acknowledged_by": sorted(known.read_by.get(version, ())),
    }
