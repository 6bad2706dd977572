"""How each service runs in a local system; a further service is one more entry in OFFSETS."""

import http.client
import sys

from deploy.local import process
from deploy.local.folder import Folder

HOST = "127.0.0.1"
# Added to the first port, see ports.py.
OFFSETS = {"intake": 1, "investigation": 2, "resolution": 3, "notifier": 4, "oversight": 5}
PROBE_SECONDS = 2.0
STOP_SECONDS = 25.0  # more than a service takes for requests in flight


def role(name: str) -> str:
    return f"redress_{name}"


def url(port: int) -> str:
    return f"http://{HOST}:{port}"


def program(name: str, port: int, folder: Folder, database_url: str, nats_url: str) -> process.Program:
    environment = {
        "REDRESS_DATABASE_URL": database_url,
        "REDRESS_NATS_URL": nats_url,
        "REDRESS_KEY_FILE": str(folder.key_file),
        "REDRESS_JWKS_FILE": str(folder.jwks_file),
        "REDRESS_ATTACHMENTS_DIR": str(folder.attachments),
        "REDRESS_OUTBOX_DIR": str(folder.outbox),
        "REDRESS_HOST": HOST,
        "REDRESS_PORT": str(port),
        "REDRESS_SHUTDOWN_PAUSE_SECONDS": "0",  # nobody balances load here
    }
    return process.Program(
        name=name,
        command=(sys.executable, "-m", "libs.service.run", f"services.{name}.app"),
        log=folder.logs / f"{name}.log",
        address=url(port),
        ready=lambda: is_ready(port),
        environment=process.plain_environment() | environment,
        stop_seconds=STOP_SECONDS,
    )


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
