"""A wrong setting is a clear error at start that names its variable and quotes no secret."""

from pathlib import Path

import pytest

from libs.service import settings

GIVEN = {
    "REDRESS_DATABASE_URL": "postgresql://u:secret@h/d",
    "REDRESS_NATS_URL": "nats://u:secret@h:4222",
    "REDRESS_KEY_FILE": "/keys/key",
    "REDRESS_JWKS_FILE": "/keys/jwks",
}


def test_what_is_not_said_has_a_default() -> None:
    found = settings.load({**GIVEN, "UNRELATED": "x"})
    assert (found.port, found.max_body_bytes, found.policy) == (8100, 4 * settings.MEBIBYTE, "standard")
    assert found.database_url.get_secret_value() == "postgresql://u:secret@h/d"
    assert "secret" not in repr(found)


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://from/file\n")
    given = {**GIVEN, "REDRESS_DATABASE_URL_FILE": str(tmp_path / "url")}
    del given["REDRESS_DATABASE_URL"]
    assert settings.load(given).database_url.get_secret_value() == "postgresql://from/file"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"REDRESS_PORT": "secret"}, "REDRESS_PORT: Input should be a valid integer"),
        ({"REDRESS_PORT": "70000"}, "REDRESS_PORT: Input should be less than or equal to 65535"),
        ({"REDRESS_LOG_LEVEL": "secret"}, "REDRESS_LOG_LEVEL: Input should be 'debug'"),
        ({"REDRESS_JWKS_URL": "https://keys"}, "give either REDRESS_JWKS_FILE or REDRESS_JWKS_URL"),
        ({"REDRESS_NATS_URL_FILE": "/secret"}, "REDRESS_NATS_URL: also given as REDRESS_NATS_URL_FILE"),
        (
            {"REDRESS_HOST_FILE": "/no/such/file"},
            "REDRESS_HOST_FILE: cannot read /no/such/file: No such file",
        ),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, str], said: str) -> None:
    with pytest.raises(settings.WrongSettings) as caught:
        settings.load({**GIVEN, **given})
    assert said in str(caught.value)
    assert "secret" not in str(caught.value).replace("/secret", "")


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(settings.WrongSettings) as caught:
        settings.load({})
    lines = str(caught.value).splitlines()
    assert lines == [
        "REDRESS_DATABASE_URL: is missing",
        "REDRESS_NATS_URL: is missing",
        "REDRESS_KEY_FILE: is missing",
    ]
