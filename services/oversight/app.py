"""The service oversight: publishes policies. `python -m libs.service.run services.oversight.app`."""

from __future__ import annotations

from typing import Final

from libs.service.app import Service
from services.oversight import api

SERVICE: Final = Service(name="oversight", title="Redress oversight", routers=(api.router,))
