"""What a service is told from outside: environment variables named REDRESS_*, read once at start."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

PREFIX: Final = "REDRESS_"
MEBIBYTE: Final = 1024 * 1024


class WrongSettings(Exception):
    """The environment does not say what a service needs; one line for each fault, naming the variable."""


class Settings(BaseModel):
    """Every setting of a service. `REDRESS_X` may be given as `REDRESS_X_FILE`, the file that holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: SecretStr  # postgresql://role:password@host:port/database, or ?host=/socket/directory
    nats_url: SecretStr  # nats://user:password@host:port
    key_file: Path  # the key-encryption key: 32 random bytes as base64
    jwks_file: Path | None = None  # the keys that sign tokens (RFC 7517): a file, or an address
    jwks_url: str | None = Field(default=None, pattern=r"^https?://")
    jwt_issuer: str = "redress"
    jwt_audience: str = "redress"
    attachments_dir: Path = Path("attachments")
    outbox_dir: Path = Path("outbox")  # where notices that leave by file are laid
    host: str = "127.0.0.1"
    port: int = Field(default=8100, ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    max_body_bytes: int = Field(default=4 * MEBIBYTE, ge=1024)
    shutdown_pause_seconds: float = Field(default=1.0, ge=0, le=300)
    # Work beside requests: here (on), in another process (off), or that and no requests (only).
    background: Literal["on", "off", "only"] = "on"
    policy: str = Field(default="standard", pattern=r"^[a-z0-9][a-z0-9-]*$")

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError(f"give either {PREFIX}JWKS_FILE or {PREFIX}JWKS_URL")
        return self


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; WrongSettings says what is missing or wrong, without quoting any value."""
    given = dict(_given(environment))
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        faults = [_fault(fault["loc"], fault["msg"]) for fault in error.errors(include_input=False)]
        raise WrongSettings("\n".join(faults)) from None


def _given(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for field in Settings.model_fields:
        variable = PREFIX + field.upper()
        file = environment.get(f"{variable}_FILE")
        if file is not None and variable in environment:
            raise WrongSettings(f"{variable}: also given as {variable}_FILE")
        if file is not None:
            yield field, _content(f"{variable}_FILE", Path(file))
        elif variable in environment:
            yield field, environment[variable]


def _content(variable: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise WrongSettings(f"{variable}: cannot read {path}: {reason}") from None


def _fault(place: tuple[int | str, ...], message: str) -> str:
    reason = "is missing" if message == "Field required" else message.removeprefix("Value error, ")
    return f"{PREFIX}{str(place[0]).upper()}: {reason}" if place else reason
