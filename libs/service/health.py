"""What machines ask a service: is it alive, is it ready, what has it counted. Open without a token."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import prometheus_client
import pydantic_core
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from libs.events import errors
from libs.service import problem

DATABASE_SECONDS_MAX: Final = 1.0

router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process runs its loop. Depends on nothing else, so that an outage elsewhere restarts nothing."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Whether to send requests here: yes while the database answers and no stop was asked for.

    A bus that is away, or a view that stands still, is told as `degraded`: recording goes on without them.
    """
    state = request.app.state
    database, bus_answers = await asyncio.gather(
        _database(state.resources.log), state.resources.bus.answers()
    )
    checks: dict[str, Any] = {
        "database": database,
        "bus": "ok" if bus_answers else "unavailable",
        "views": {follower.view.name: follower.stopped or "ok" for follower in state.followers},
    }
    if state.draining or checks["database"] != "ok":
        reason = "stopping" if state.draining else "unavailable"
        return problem.not_ready(reason, checks)
    sound = checks["bus"] == "ok" and all(view == "ok" for view in checks["views"].values())
    content = {"status": "ready" if sound else "degraded", "checks": checks}
    return Response(pydantic_core.to_json(content), media_type="application/json")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus text format."""
    return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)


async def _database(log: Any) -> str:
    try:
        async with asyncio.timeout(DATABASE_SECONDS_MAX):
            await log.logs()
    except (errors.Unavailable, TimeoutError):
        return "unavailable"
    return "ok"
