"""`redress up` makes a system out of an empty folder, keeps its secrets, and says what cannot work."""

import base64
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import jwt
import pytest
import typer.testing

from deploy import cli
from deploy.local import database, folder, ports, private, services, tokens, up
from tests import backends

DEADLINE_SECONDS = 40.0
LAST = list(services.OFFSETS)[-1]  # when it is ready, all are


@pytest.fixture
def home() -> Iterator[folder.Folder]:
    with backends.temporary_folder() as made:
        yield folder.Folder.at(made / "system")


@pytest.fixture
def chosen() -> dict[str, int]:
    return {name: ports.free() for name in ports.OFFSETS}


def redress(*arguments: str) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(cli.main, arguments)


def spelled(chosen: dict[str, int]) -> str:
    return ",".join(f"{name}={port}" for name, port in chosen.items())


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


class TestPorts:
    def test_counts_from_the_first(self) -> None:
        assert ports.choose("9000") == {name: 9000 + offset for name, offset in ports.OFFSETS.items()}
        assert ports.choose("9000").items() >= {"intake": 9001, "postgres": 9040, "nats": 9041}.items()

    def test_named_ones_win(self) -> None:
        assert ports.choose("9000, postgres=5432") == {**ports.choose("9000"), "postgres": 5432}

    @pytest.mark.parametrize("wanted", ["x", "mail=25", "postgres=", "postgres=0", "70000", "65500", "-1"])
    def test_nonsense_is_refused(self, wanted: str) -> None:
        with pytest.raises(ValueError, match="port"):
            ports.choose(wanted)

    def test_every_taken_port_is_named_before_anything_starts(self, home: folder.Folder) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as first,
            socket.create_server(("127.0.0.1", 0)) as second,
        ):
            taken = {name: ports.free() for name in ports.OFFSETS}
            taken |= {"postgres": first.getsockname()[1], "nats": second.getsockname()[1]}
            result = redress("up", "--data-dir", str(home.path), "--ports", spelled(taken))
        assert result.exit_code == 1
        for name in ("postgres", "nats"):
            assert (
                f"port {taken[name]}, meant for {name}, is taken: give another, --ports {name}=PORT"
                in result.output
            )
        assert "intake" not in result.output
        assert not home.postgres.exists()

    @pytest.mark.parametrize("command", ["up --clean", "demo"])
    def test_nothing_is_deleted_for_a_system_that_has_no_port(
        self, command: str, home: folder.Folder
    ) -> None:
        home.prepare()
        before = {file: file.read_bytes() for file in home.secrets.iterdir()}
        with socket.create_server(("127.0.0.1", 0)) as first:
            taken = {name: ports.free() for name in ports.OFFSETS} | {"nats": first.getsockname()[1]}
            result = redress(*command.split(), "--data-dir", str(home.path), "--ports", spelled(taken))
        assert result.exit_code == 1
        assert f"port {taken['nats']}, meant for nats, is taken" in result.output
        assert {file: file.read_bytes() for file in home.secrets.iterdir()} == before

    def test_no_port_is_given_twice(self) -> None:
        assert len({ports.free() for _ in range(500)}) == 500

    def test_one_port_cannot_serve_two(self) -> None:
        port = ports.free()
        with pytest.raises(ports.PortTaken, match=f"port {port} is meant for postgres and for nats"):
            ports.require_free({"postgres": port, "nats": port})


class TestTokens:
    def test_a_token_verifies_with_the_public_keys(self, home: folder.Folder) -> None:
        home.prepare()
        arguments = ("--scope", "complaints:read", "--scope", "operations", "--subject", "li", "--ttl", "60")
        result = redress("token", "--data-dir", str(home.path), *arguments)
        [key] = jwt.PyJWKSet.from_json(home.jwks_file.read_text()).keys
        claims = jwt.decode(result.output.strip(), key, ["EdDSA"], audience="redress", issuer="redress")
        assert (claims["org"], claims["sub"], claims["scope"]) == ("main", "li", "complaints:read operations")
        assert claims["exp"] - claims["iat"] == 60

    def test_every_scope_unless_some_are_named(self, home: folder.Folder) -> None:
        home.prepare()
        token = redress("token", "--data-dir", str(home.path)).output.strip()
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["sub"], tuple(claims["scope"].split())) == ("local", tokens.SCOPES)

    def test_a_scope_that_opens_nothing_is_refused(self, home: folder.Folder) -> None:
        home.prepare()
        result = redress("token", "--data-dir", str(home.path), "--scope", "complaints:read complaint:write")
        assert result.exit_code == 2
        assert "complaint:write" in result.output

    def test_the_public_keys_cannot_sign(self, home: folder.Folder) -> None:
        home.prepare()
        [public] = json.loads(home.jwks_file.read_text())["keys"]
        assert set(public) == {"kty", "crv", "x", "kid", "alg", "use"}

    def test_without_a_system_there_is_no_token(self, home: folder.Folder) -> None:
        result = redress("token", "--data-dir", str(home.path))
        assert result.exit_code == 1
        assert "no redress was ever up" in result.output


class TestFolder:
    def test_secrets_are_made_once_and_for_the_owner_only(self, home: folder.Folder) -> None:
        home.prepare()
        before = {file: file.read_text() for file in home.secrets.iterdir()}
        home.prepare()
        assert {file: file.read_text() for file in home.secrets.iterdir()} == before
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in before)
        assert len(base64.b64decode(home.key_file.read_text(), validate=True)) == 32

    def test_a_lost_key_is_never_replaced(self, home: folder.Folder) -> None:
        home.prepare()
        home.postgres.mkdir()
        home.key_file.unlink()
        with pytest.raises(folder.KeyMissing, match="put it back"):
            home.prepare()

    def test_cleaning_removes_only_what_a_system_made(self, home: folder.Folder) -> None:
        home.prepare()
        home.postgres.mkdir()
        (home.path / "thesis.txt").write_text("mine")
        home.clean()
        assert [left.name for left in home.path.iterdir()] == ["thesis.txt"]

    def test_only_one_system_at_a_time(self, home: folder.Folder) -> None:
        with home.locked():
            assert home.holder() == os.getpid()
            for command in ("up", "up --clean", "demo"):
                result = redress(*command.split(), "--data-dir", str(home.path))
                assert f"already up in {home.path} (process {os.getpid()})" in result.output
        assert home.holder() is None

    def test_a_half_written_secret_is_not_seen(
        self, home: folder.Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home.prepare()
        old = home.jwks_file.read_text()

        def full_disk(_: int) -> None:
            raise OSError("no space left on device")

        monkeypatch.setattr(os, "fsync", full_disk)
        with pytest.raises(OSError, match="no space"):
            private.write(home.jwks_file, "new")
        assert home.jwks_file.read_text() == old


class TestSystem:
    """The servers and the database, without services."""

    @pytest.fixture(autouse=True)
    def _no_services(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "OFFSETS", {})

    async def test_comes_up_twice_with_the_same_secrets_and_history(
        self, home: folder.Folder, chosen: dict[str, int]
    ) -> None:
        said: list[str] = []
        async with up.running(home, chosen, said.append) as first:
            assert home.read_state()["databases"] == first.database_urls
            await database.create_empty(first.database_urls["postgres"], "kept")
        assert [line.split()[:2] for line in said[:2]] == [["postgres", "ready"], ["nats", "ready"]]
        with pytest.raises(folder.NotUp):
            home.read_state()
        async with up.running(home, chosen, said.append) as second:
            assert second.database_urls == first.database_urls
            assert second.nats_url == first.nats_url
            await database.drop(second.database_urls["postgres"], "kept")


class TestCommand:
    """`redress up` as a person types it."""

    @pytest.fixture
    def started(self, home: folder.Folder, chosen: dict[str, int]) -> Iterator[subprocess.Popen[str]]:
        command = [
            sys.executable,
            "-m",
            "deploy.cli",
            "up",
            "--data-dir",
            str(home.path),
            "--ports",
            spelled(chosen),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as system:
            wait_until(lambda: system.poll() is not None or LAST in processes(home))
            yield system
            system.terminate()

    def test_down_stops_it(self, home: folder.Folder, started: subprocess.Popen[str]) -> None:
        assert redress("down", "--data-dir", str(home.path)).exit_code == 0
        said, _ = started.communicate(timeout=DEADLINE_SECONDS)
        assert started.returncode == 0
        assert not home.state.exists()
        events = [line.split()[:2] for line in said.splitlines() if "ready" in line or "stopped" in line]
        names = ["postgres", "nats", *services.OFFSETS]
        assert events == [[n, "ready"] for n in names] + [[n, "stopped"] for n in reversed(names)]
        assert redress("down", "--data-dir", str(home.path)).exit_code == 1

    def test_each_crashed_process_comes_back(
        self, home: folder.Folder, started: subprocess.Popen[str]
    ) -> None:
        for name in ("postgres", "nats", *services.OFFSETS):
            pid = processes(home)[name]
            os.kill(pid, signal.SIGKILL)
            wait_until_replaced(home, name, pid)
        wait_until(lambda: services.is_ready(int(home.read_state()["services"]["intake"].rpartition(":")[2])))

    def test_starts_again_at_once_after_it_was_killed(
        self, home: folder.Folder, chosen: dict[str, int], started: subprocess.Popen[str]
    ) -> None:
        started.kill()
        started.wait(DEADLINE_SECONDS)
        with subprocess.Popen(started.args, stdout=subprocess.PIPE, text=True) as second:
            wait_until(lambda: second.poll() is not None or LAST in processes(home))
            assert redress("down", "--data-dir", str(home.path)).exit_code == 0


def wait_until_replaced(home: folder.Folder, name: str, pid: int) -> None:
    wait_until(lambda: processes(home)[name] != pid)


def processes(home: folder.Folder) -> dict[str, int]:
    """The pid of each process that was ready; none before the first."""
    try:
        return dict(home.read_state()["processes"])
    except folder.NotUp:
        return {}
