"""Runs one service: `python -m libs.service.run services.intake.app` (a module with `SERVICE`)."""

from __future__ import annotations

import importlib
import sys
import time
from types import FrameType

from libs.service import lean

# The one draws tracebacks at terminals, the other is for NATS over websockets: 14 MB that no service uses.
with lean.without("rich", "aiohttp"):
    import nats.aio.client  # noqa: F401 loaded here, so that it finds it is without
    import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from libs.service import app, failures, logs, problem, settings, telemetry

GRACEFUL_SECONDS_MAX = 20
# Longer than load balancers keep an idle connection (usually 60 s), so that they close it.
KEEP_ALIVE_SECONDS = 75
WRONG_USAGE = 2

log = structlog.get_logger(__name__)


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it; what is no HTTP is answered as everything else that is refused."""

    def send_400_response(self, msg: str) -> None:
        """Answer and hang up: no application will ever see this."""
        with telemetry.continuing(None) as trace:
            answer = problem.response(failures.NotHttp())
            log.info("not http", reason=msg, trace_id=trace.trace_id)
        head = b"".join(b"%b: %b\r\n" % header for header in answer.raw_headers)
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\n" + head + b"connection: close\r\n\r\n" + bytes(answer.body)
        )
        self.transport.close()


class Server(uvicorn.Server):
    """Stops in two steps: readiness drops while requests are still served; after a pause no more are taken.

    uvicorn by itself closes its sockets at once, while a load balancer still sends requests.
    """

    def __init__(self, application: FastAPI, chosen: settings.Settings) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                host=chosen.host,
                port=chosen.port,
                loop="uvloop",
                http=Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACEFUL_SECONDS_MAX,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        self._application = application
        self._pause_seconds = chosen.shutdown_pause_seconds
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the stop, a second one cuts the pause short."""
        self._application.state.draining = True
        if self._stop_at is None:
            self._stop_at = time.monotonic() + self._pause_seconds
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Looked at ten times a second."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)


def main(arguments: list[str]) -> int:
    """Exit status: 0 after a stop that was asked for, 2 for wrong usage or settings, 3 for a failed start."""
    if len(arguments) != 1:
        print("usage: python -m libs.service.run MODULE", file=sys.stderr)  # noqa: T201 logs are not set up yet
        return WRONG_USAGE
    service: app.Service = importlib.import_module(arguments[0]).SERVICE
    try:
        chosen = settings.load()
        logs.configure(chosen.log_level, service.name)
        application = app.create_app(service, chosen)
    except settings.WrongSettings as error:
        print(error, file=sys.stderr)  # noqa: T201 a person must read this
        return WRONG_USAGE
    lean.settle()
    log.info("starting", host=chosen.host, port=chosen.port)
    Server(application, chosen).run()
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
