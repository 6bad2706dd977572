"""Fixtures of several units: what a service stands on, without a server."""

import pytest

from libs.service.wiring import Resources
from tests import service_kit


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """What takes long to make, the policy above all."""
    return service_kit.resources(service_kit.write_settings(tmp_path_factory.mktemp("shared")))
