"""The service intake, steps 1 to 3: `python -m libs.service.run services.intake.app`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.service.app import Service
from libs.service.projection import Projection
from libs.service.wiring import Resources
from services.intake import api, attaching, clock, customer, handle, importing, reactions, register
from services.intake.search import BlindIndex
from services.intake.views import Register


def _views(resources: Resources) -> Sequence[Projection]:
    return (Register(BlindIndex(resources.key_encryption_key)), clock.deadlines(resources))


SERVICE: Final = Service(
    name="intake",
    title="Redress intake",
    # "import" and "register" are no complaints' ids.
    routers=(
        importing.router,
        register.router,
        api.router,
        handle.router,
        attaching.router,
        customer.router,
    ),
    views=_views,
    reactions=reactions.of,
    clocks=clock.of,
)
