"""The service notifier, step 6: `python -m libs.service.run services.notifier.app`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.service.app import Service
from libs.service.projection import Projection
from libs.service.wiring import Resources
from services.notifier import api, clock, reactions
from services.notifier.views import Notices


def _views(resources: Resources) -> Sequence[Projection]:
    return (Notices(resources.engine), clock.deadlines(resources))


SERVICE: Final = Service(
    name="notifier",
    title="Redress notifier",
    routers=(api.router,),
    views=_views,
    reactions=reactions.of,
    clocks=clock.of,
)
