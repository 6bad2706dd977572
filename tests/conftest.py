"""Fixtures every test may use: real servers, fresh databases, real complaints."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests import backends

VEHICLE_COMPLAINTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "vehicle_complaints.ndjson"


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command or a service that ran within a test has set how the whole process logs."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[backends.PostgresServer]:
    """The session's PostgreSQL. Tests that stop or kill it use `postgres`, which mends it afterwards."""
    with backends.chosen().postgres() as server:
        yield server
        server.start()
        server.drop_template()


@pytest.fixture
def postgres(postgres_server: backends.PostgresServer) -> Iterator[backends.PostgresServer]:
    """The session's PostgreSQL, running again when the test is over."""
    yield postgres_server
    postgres_server.start()


@pytest.fixture
def database(postgres: backends.PostgresServer) -> Iterator[backends.Database]:
    """A fresh database for one test: every role, the newest schema, the log `main`."""
    fresh = postgres.create_database()
    yield fresh
    postgres.start()
    postgres.drop_database(fresh)


@pytest.fixture(scope="module")
def module_database(postgres_server: backends.PostgresServer) -> Iterator[backends.Database]:
    """A fresh database that the tests of one module share."""
    fresh = postgres_server.create_database()
    yield fresh
    postgres_server.drop_database(fresh)


@pytest.fixture(scope="session")
def session_nats_server() -> Iterator[backends.NatsServer]:
    """The session's nats-server. Tests that stop, kill or wipe it use `nats_server`, which mends it."""
    with backends.chosen().nats() as server:
        yield server


@pytest.fixture
def nats_server(session_nats_server: backends.NatsServer) -> Iterator[backends.NatsServer]:
    """The session's nats-server, running again when the test is over. Streams of other tests may be in it."""
    yield session_nats_server
    session_nats_server.start()


@pytest.fixture(scope="session")
def nats_url(session_nats_server: backends.NatsServer) -> str:
    return session_nats_server.url


@pytest.fixture(scope="session")
def vehicle_complaints() -> Path:
    """3,556 real complaints, one JSON object a line; where the file is absent the test says so, loudly."""
    if not VEHICLE_COMPLAINTS.exists():
        backends.leave_out("tests on real complaints", f"{VEHICLE_COMPLAINTS} is absent")
    return VEHICLE_COMPLAINTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """From the reports alone: the tests themselves may have run in other processes."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(reasons):
        _, left_out, told = reason.partition(backends.NOT_TESTED)
        if left_out:
            terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
            terminalreporter.write_line(told, red=True, bold=True)
