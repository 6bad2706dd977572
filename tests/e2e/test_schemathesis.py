"""Requests made from intake's own OpenAPI document, right and wrong: never a 500, answers as documented."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.schemas import OpenApiSchema

from libs.service.app import create_app
from libs.service.run import Server
from services.intake.app import SERVICE
from tests import backends, service_kit
from tests.e2e import desk

EXAMPLES = 7  # of each operation, right and wrong
# The document cannot say that a time has not come yet, or that an entity tag was never given (412); and these
# requests all carry a token, whatever is tried with their headers.
NOT_HERE = [
    schemathesis.checks.positive_data_acceptance,
    schemathesis.checks.negative_data_rejection,
    schemathesis.checks.ignored_auth,
]


@pytest.fixture(scope="module")
def document(
    module_database: backends.Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenApiSchema]:
    """The document, from the application behind its real server."""
    folder: Path = tmp_path_factory.mktemp("intake")
    chosen = service_kit.write_settings(folder, database_url=module_database.dsn("redress_intake"), port=0)
    server = Server(create_app(SERVICE, chosen), chosen)
    with ThreadPoolExecutor(1) as thread:
        serving = thread.submit(asyncio.run, server.serve())
        try:
            until = time.monotonic() + desk.WAIT_SECONDS
            while not server.started:
                assert time.monotonic() < until
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield schemathesis.openapi.from_url(
                f"http://127.0.0.1:{port}/openapi.json", headers=bearer(), wait_for_schema=None
            )
        finally:
            server.should_exit = True
            serving.result(timeout=desk.WAIT_SECONDS)


def bearer() -> dict[str, str]:
    return {"authorization": f"Bearer {service_kit.token(scope=' '.join(desk.EVERY_SCOPE))}"}


# Imports are lines of complaints, which it cannot write; test_record_import.py does.
OPERATIONS = [
    (method, route.path)
    for router in SERVICE.routers
    for route in router.routes
    if isinstance(route, APIRoute) and route.path != "/v1/complaints/import"
    for method in sorted(route.methods or ())
]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=map(" ".join, OPERATIONS))
def test_intake_answers_as_it_says(
    document: OpenApiSchema, method: str, path: str, mode: GenerationMode
) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=document[path][method].as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(headers=bearer(), excluded_checks=NOT_HERE)

    ask()
