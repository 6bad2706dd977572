"""The service resolution, steps 5, 7, 8 and the end: `python -m libs.service.run services.resolution.app`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.service.app import Service
from libs.service.projection import Projection
from libs.service.wiring import Resources
from services.resolution import clock, form, improving, outcomes, penalizing, proposing, reactions
from services.resolution.views import Cases


def _views(resources: Resources) -> Sequence[Projection]:
    return (Cases(resources.engine, resources.policy.calendar.zone), clock.deadlines(resources))


SERVICE: Final = Service(
    name="resolution",
    title="Redress resolution",
    routers=(proposing.router, penalizing.router, improving.router, outcomes.router, form.router),
    views=_views,
    reactions=reactions.of,
    clocks=clock.of,
)
