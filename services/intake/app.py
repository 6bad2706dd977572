"""The service intake, steps 1 to 3: `python -m libs.service.run services.intake.app`."""

from __future__ import annotations

from typing import Final

from libs.service.app import Service
from libs.service.wiring import Resources
from services.intake import api, attaching, importing, reactions
from services.intake.search import BlindIndex
from services.intake.views import Register


def _views(resources: Resources) -> tuple[Register, ...]:
    return (Register(BlindIndex(resources.key_encryption_key)),)


SERVICE: Final = Service(
    name="intake",
    title="Redress intake",
    routers=(importing.router, api.router, attaching.router),  # "import" is no complaint's id
    views=_views,
    reactions=reactions.of,
)
