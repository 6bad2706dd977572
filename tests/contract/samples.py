"""An event of each contract, and its golden file: `python -m tests.contract.samples` writes missing ones.

A golden file is written once and never again: it stands for what is on record somewhere.
"""

import base64
import dataclasses
import enum
import json
import types
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from libs.events import codec, export, ledger
from libs.events.contracts import catalogue, registry
from libs.events.contracts.registry import Contract
from libs.events.envelope import Envelope
from libs.events.keys import DataKey

FOLDER = Path(__file__).with_name("golden")
NAMESPACE = UUID("018f6f2e-0000-7000-8000-000000000000")
AT = datetime(2026, 11, 20, 9, 12, 30, 123456, UTC)
KEY = DataKey(uuid5(NAMESPACE, "key"), bytes(range(64)))


def contracts() -> list[Contract]:
    """Every contract of the catalogue; not what tests enter for themselves."""
    modules = {module.__name__ for module in catalogue.MODULES}
    return [c for c in registry.all_contracts() if c.event_class.__module__ in modules]


def event(contract: Contract) -> Any:
    return sample(contract.event_class, contract.name)


def sample(hint: Any, path: str) -> Any:
    """A value of a type, the same each time; of an optional one a value, so that every field is seen."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return sample(arguments[0], path)
    if origin in (typing.Union, types.UnionType):
        return sample(next(one for one in arguments if one is not type(None)), path)
    if origin is tuple:
        return tuple(sample(arguments[0], f"{path}.{number}") for number in range(2))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint, include_extras=True)
        return hint(**{f.name: sample(hints[f.name], f"{path}.{f.name}") for f in dataclasses.fields(hint)})
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    values: dict[Any, Any] = {
        str: f"{path.rpartition('.')[2]} – 门锁扣 “坏了” 🚗",
        int: 3,
        bool: True,
        Decimal: Decimal("12.50"),
        UUID: uuid5(NAMESPACE, path),
        datetime: AT,
        date: AT.date(),
    }
    return values[hint]


def envelope(contract: Contract) -> Envelope:
    """The event as a log stores it, sealed with KEY, after the genesis of `main`."""
    place = codec.Place(
        "main", f"{contract.service}-{uuid5(NAMESPACE, 'stream')}", uuid5(NAMESPACE, contract.name)
    )
    new = codec.encode(event(contract), place, KEY)
    stored = Envelope(
        log=place.log,
        seq=1,
        event_id=place.event_id,
        stream=place.stream,
        version=1,
        type=new.type,
        complaint_id=uuid5(NAMESPACE, "complaint"),
        actor="person:王芳",
        caused_by=None,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        at=AT,
        body=new.body,
        hash=b"",
    )
    return stored._replace(hash=ledger.link(ledger.genesis("main"), stored))


def write_missing() -> None:
    for contract in contracts():
        file = FOLDER / f"{contract.name}.json"
        if not file.exists():
            key = {"key_id": str(KEY.key_id), "material": base64.b64encode(KEY.material).decode()}
            golden = {"key": key, "envelope": json.loads(export.to_line(envelope(contract)))}
            file.write_text(json.dumps(golden, indent=2, ensure_ascii=False) + "\n")
            print(f"wrote {file.name}")


if __name__ == "__main__":
    write_missing()
