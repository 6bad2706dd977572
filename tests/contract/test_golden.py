"""What was ever written is still read, and what is written today has the same bytes as yesterday."""

import base64
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.events import codec, export, ledger
from libs.events.contracts import registry
from libs.events.envelope import Envelope
from libs.events.keys import DataKey
from tests.contract import samples

FILES = sorted(samples.FOLDER.glob("*.json"))
HOW = "write it with: python -m tests.contract.samples"


def read(file: Path) -> tuple[Envelope, DataKey]:
    golden: dict[str, Any] = json.loads(file.read_text())
    key = DataKey(UUID(golden["key"]["key_id"]), base64.b64decode(golden["key"]["material"]))
    return export.from_line(json.dumps(golden["envelope"])), key


def test_every_contract_has_a_golden_file() -> None:
    missing = {contract.name for contract in samples.contracts()} - {file.stem for file in FILES}
    assert not missing, HOW


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_old_bytes_are_read(file: Path) -> None:
    envelope, key = read(file)
    recorded = codec.decode(envelope, {key.key_id: key})
    contract, _ = registry.resolve(envelope.type)
    assert isinstance(recorded.event, contract.event_class)
    assert recorded.envelope == envelope


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_hash_over_old_bytes_is_the_same(file: Path) -> None:
    envelope, _ = read(file)
    assert ledger.link(ledger.genesis(envelope.log), envelope) == envelope.hash


@pytest.mark.parametrize(
    "file", [file for file in FILES if registry.is_current(file.stem)], ids=lambda f: f.stem
)
def test_new_bytes_are_unchanged(file: Path) -> None:
    envelope, key = read(file)
    recorded = codec.decode(envelope, {key.key_id: key})
    place = codec.Place(envelope.log, envelope.stream, envelope.event_id)
    assert codec.encode(recorded.event, place, key).body == envelope.body
