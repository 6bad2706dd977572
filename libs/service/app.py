"""Makes the application of a service: its routes behind the gate, its views and reactions beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.events.consumer import Consumer
from libs.events.lease import leases
from libs.events.relay import Relay
from libs.events.tasks import Tasks, end
from libs.service import auth, background, body, health, problem, telemetry, wiring
from libs.service.clock import Clock, Ticker
from libs.service.erasure import Forgetting
from libs.service.projection import Follower, Projection
from libs.service.reaction import Reaction
from libs.service.settings import Settings, load
from libs.service.wiring import Resources

API_VERSION: Final = "1"
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": problem.Problem, "description": "Refused: what the caller can do about it"},
    "5XX": {
        "model": problem.Problem,
        "description": "Failed: try again after Retry-After, or report the trace id",
    },
}


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `name` is its schema, the end of its database role and its part of event types."""

    name: str
    title: str
    routers: tuple[APIRouter, ...] = ()
    views: Callable[[Resources], Sequence[Projection]] = lambda _: ()
    reactions: Callable[[Resources], Sequence[Reaction]] = lambda _: ()
    clocks: Callable[[Resources], Sequence[Clock]] = lambda _: ()


def create_app(
    service: Service, settings: Settings | None = None, resources: Resources | None = None
) -> FastAPI:
    """The application. `resources` are a test's own; otherwise they are opened at start.

    `settings` come from the environment where they are not given; WrongSettings says what is wrong there.
    """
    chosen = resources.settings if resources else settings or load()
    read = (
        {} if resources else wiring.read(chosen)
    )  # now, so that a wrong file is told before anything starts

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            wired = resources
            if wired is None:
                wired = await stack.enter_async_context(wiring.opened(chosen, service.name, read))
            app.state.resources = wired
            app.state.followers = _followers(service, wired)
            await stack.enter_async_context(_beside(app, service, wired))
            yield

    app = _Application(
        title=service.title,
        version=API_VERSION,
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        max_body_size=chosen.max_body_bytes,
        exception_handlers=dict(problem.HANDLERS),
        middleware=[Middleware(auth.Gate)],
        # Spans where a collector is configured. Not the framework's logs: they carry the texts of errors.
        telemetry={"logs": False},
    )
    app.state.draining = False
    app.state.running = set()
    routers = () if chosen.background == "only" else service.routers
    app.state.routes = [route for router in routers for route in router.routes]
    app.include_router(health.router)
    for router in routers:
        _check(router)
        app.include_router(router, responses=PROBLEMS)
    return app


@asynccontextmanager
async def _beside(app: FastAPI, service: Service, wired: Resources) -> AsyncIterator[None]:
    """Run what goes on beside requests, until the application stops."""
    work = {f"view {follower.view.name}": follower.run for follower in app.state.followers}
    if wired.database is not None:
        # Whoever has keys at hand must hear of erasures, also where all other work is another process's.
        work["erasure"] = Forgetting(wired.log, wired.database, wired.keys).run
    if wired.database is not None and wired.settings.background != "off":
        work["relay"] = Relay(wired.log, wired.bus, leases(wired.database)).run
        for reaction in service.reactions(wired):
            work[reaction.name] = _consumer(reaction, wired, wired.database).run
        for clock in service.clocks(wired):
            # `now` is asked for at each look, for a test may set another.
            ticker = Ticker(clock, wired.log, lambda: wired.now(), leases(wired.database))
            work[f"clock {clock.name}"] = ticker.run
    async with Tasks() as group:
        tasks = [group.create_task(background.keep(what, run), name=what) for what, run in work.items()]
        yield
        await end(tasks)


def _followers(service: Service, wired: Resources) -> list[Follower]:
    if wired.settings.background == "off":
        return []
    return [
        Follower(view, service.name, wired.store, wired.engine, wired.bus) for view in service.views(wired)
    ]


def _consumer(reaction: Reaction, wired: Resources, pool: asyncpg.Pool[Any]) -> Consumer:
    return Consumer(
        reaction.name,
        reaction.traced,
        store=wired.store,
        connection=wired.bus,
        database=pool,
        turns=leases(pool),
        events=reaction.events,
    )


def _check(router: APIRouter) -> None:
    """A route of another kind would read bodies less strictly, and nobody would notice."""
    for route in router.routes:
        if not isinstance(route, body.Route):
            raise TypeError(f"{route} was not made with libs.service.body.Router")


class _Application(FastAPI):
    """FastAPI with our layers outermost, around its own handling of errors and of bodies too large."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI; what is searched for stays out of spans, which would hold the whole query."""
        if scope["type"] == "http":
            if scope["method"] == "HEAD":  # as GET; the server leaves the body out (RFC 9110, 9.3.2)
                scope = {**scope, "method": "GET"}
            telemetry.hide_query(scope)
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        return telemetry.Traced(problem.TooLargeAsProblem(super().build_middleware_stack()))

    def openapi(self) -> dict[str, Any]:
        """As the framework's, with problems under their own media type."""
        if self.openapi_schema is None:
            for operation in _operations(super().openapi()):
                for status in PROBLEMS.keys() & operation["responses"].keys():
                    content = operation["responses"][status]["content"]
                    content[problem.MEDIA_TYPE] = content.pop("application/json")
        return super().openapi()


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]
