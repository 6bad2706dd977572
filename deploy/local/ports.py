"""Which port each process listens on, and whether it is free: found out before anything starts."""

import socket
from collections import deque

from deploy.local import services

HOST = "127.0.0.1"
OFFSETS = {**services.OFFSETS, "postgres": 40, "nats": 41}
FIRST = 8100
PORT_MAX = 65535
GIVEN_MAX = 1000
_given: deque[int] = deque(maxlen=GIVEN_MAX)


class PortTaken(Exception):
    """A port we need is in use by another program."""


def choose(wanted: str) -> dict[str, int]:
    """Read `8100` (count from there), `postgres=5432,nats=4222` (the rest as usual), or both together."""
    first, named = FIRST, {}
    for word in filter(None, (part.strip() for part in wanted.split(","))):
        name, separator, number = word.rpartition("=")
        if not number.isdecimal() or (separator and name not in OFFSETS):
            raise ValueError(
                f"--ports: {word!r} is neither a first port nor NAME=PORT of {', '.join(OFFSETS)}"
            )
        if separator:
            named[name] = int(number)
        else:
            first = int(number)
    chosen = {name: first + offset for name, offset in OFFSETS.items()} | named
    for name, port in chosen.items():
        if not 0 < port <= PORT_MAX:
            raise ValueError(f"--ports: {port} for {name} is not a port between 1 and {PORT_MAX}")
    return chosen


def require_free(chosen: dict[str, int]) -> None:
    """Raise PortTaken naming every process whose port is in use, or wanted twice."""
    seen: dict[int, str] = {}
    complaints = []
    for name, port in chosen.items():
        if port in seen:
            complaints.append(f"port {port} is meant for {seen[port]} and for {name}")
        elif taken(port):
            complaints.append(f"port {port}, meant for {name}, is taken: give another, --ports {name}=PORT")
        seen[port] = name
    if complaints:
        raise PortTaken("\n".join(complaints))


def taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def free() -> int:
    """A port that is free now and was not given lately (another program may take it before you do)."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in _given:  # the kernel gives one again that nobody listens on yet
            _given.append(port)
            return port
