"""The service investigation, step 4: `python -m libs.service.run services.investigation.app`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.service.app import Service
from libs.service.projection import Projection
from libs.service.wiring import Resources
from services.investigation import api, clock, reactions
from services.investigation.views import Investigations


def _views(resources: Resources) -> Sequence[Projection]:
    return (Investigations(resources.engine), clock.deadlines(resources))


SERVICE: Final = Service(
    name="investigation",
    title="Redress investigation",
    routers=(api.router,),
    views=_views,
    reactions=reactions.of,
    clocks=clock.of,
)
